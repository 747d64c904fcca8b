import { generateText, isStepCount, jsonSchema } from 'ai';
import { MockLanguageModelV4 } from 'ai/test';

/**
 * A tool of `ai` that takes any input.
 *
 * @param {(input: any) => unknown} execute
 */
export const toolOf = (execute) => ({
  inputSchema: jsonSchema({ type: 'object' }),
  execute: async (/** @type {unknown} */ input) => execute(input),
});

/**
 * Runs an agent whose model makes these calls, those of one step at the same time.
 *
 * @param {Record<string, any>} tools
 * @param {[tool: string, input?: object][][]} steps
 * @returns {Promise<any[]>} what the model was told of each call: the tool's output, or its error
 */
export async function runAgent(tools, steps) {
  let step = 0;
  const model = new MockLanguageModelV4({
    async doGenerate() {
      const calls = steps[step++] ?? [];
      const reason = calls.length > 0 ? /** @type {const} */ ('tool-calls') : 'stop';
      return {
        content: calls.map(([toolName, input = {}], at) => ({
          type: /** @type {const} */ ('tool-call'),
          toolCallId: `${step}-${at}`,
          toolName,
          input: JSON.stringify(input),
        })),
        finishReason: { unified: reason, raw: reason },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
        warnings: [],
      };
    },
  });
  const stopWhen = isStepCount(steps.length + 1);
  const run = await generateText({ model, tools, stopWhen, prompt: 'go' });
  /** @type {Map<string, unknown>} */
  const answers = new Map();
  for (const part of run.steps.flatMap(({ content }) => content)) {
    if (part.type === 'tool-result') answers.set(part.toolCallId, part.output);
    if (part.type === 'tool-error') answers.set(part.toolCallId, part.error);
  }
  return steps.flatMap((calls, at) =>
    calls.map((_call, nth) => {
      const id = `${at + 1}-${nth}`;
      if (!answers.has(id)) throw new Error(`nothing answered call ${id}`);
      return answers.get(id);
    }),
  );
}
