import { AgentCacheSession, type AgentCacheSessionOptions } from '@acache/agent';
import { haltedBy, wrapTools, type WrapToolsOptions } from '@acache/agent/ai-sdk';
import { generateText, isStepCount, type ToolSet } from 'ai';
import { scriptedModel, type Step } from './scripted-model.js';

/** What an agent is for, and what its model does. */
export interface UseCase {
  readonly title: string;
  /** Tools over a world of their own, and what that world looks like in the end. */
  readonly world: () => { readonly tools: ToolSet; readonly state?: () => string };
  readonly policies: NonNullable<WrapToolsOptions['policies']>;
  readonly session?: AgentCacheSessionOptions;
  /** One run of the agent each, in a session of its own: what the model does at each step. */
  readonly runs: readonly ((step: number) => Step)[];
  readonly expected: { readonly bare: Outcome; readonly guarded: Outcome };
}

/** What the runs of an agent came to. */
export interface Outcome {
  readonly modelCalls: number;
  readonly toolRuns: number;
  /** Answers from the cache. */
  readonly hits: number;
  /** What stopped the last run. */
  readonly loop: string | undefined;
  readonly state: string | undefined;
}

/** Where every run ends, whatever the model does. */
const MAX_STEPS = 20;

/** Runs an agent as it is, or with its tools guarded. */
export async function runAgent(useCase: UseCase, kind: 'bare' | 'guarded'): Promise<Outcome> {
  const { state, tools } = useCase.world();
  const counted = countRuns(tools);
  let modelCalls = 0;
  let hits = 0;
  let loop: string | undefined = undefined;
  for (const script of useCase.runs) {
    await using session = new AgentCacheSession(useCase.session);
    const model = scriptedModel(script);
    await generateText({
      model,
      prompt: useCase.title,
      tools:
        kind === 'bare'
          ? counted.tools
          : wrapTools(counted.tools, { session, policies: useCase.policies }),
      stopWhen: [isStepCount(MAX_STEPS), haltedBy(session)],
    });
    modelCalls += model.doGenerateCalls.length;
    hits += session.getMetrics().hits;
    loop = session.halted?.message;
  }
  return { modelCalls, toolRuns: counted.runs(), hits, loop, state: state?.() };
}

function countRuns(tools: ToolSet): { readonly tools: ToolSet; readonly runs: () => number } {
  let runs = 0;
  const counted = Object.entries(tools).map(([name, tool]) => [
    name,
    {
      ...tool,
      execute: (input: never, options: never): unknown => {
        runs++;
        return tool.execute?.(input, options);
      },
    },
  ]);
  return { tools: Object.fromEntries(counted) as ToolSet, runs: () => runs };
}
