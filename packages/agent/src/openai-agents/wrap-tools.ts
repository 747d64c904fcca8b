import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from '../adapter/adapter-options.js';
import type { ToolCollection } from '../adapter/map-tools.js';
import { throwIfHalted } from '../adapter/rethrow.js';
import { standInFor } from '../adapter/stand-in.js';
import { asItIs, nameOf, wrapNamed } from '../adapter/wrap-collection.js';
import { withSignal } from '../adapter/with-members.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';
import { runtimeFor } from '../default-runtime.js';
import { hasFailed } from './visible-errors.js';

/** How one tool is wrapped. */
export type WrapToolOptions = AdapterScope & { readonly policy: AdapterPolicy };

/** What is known of a tool of `@openai/agents`: those of other types run at OpenAI, or differently. */
interface AgentTool {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly invoke?: Invoke;
}

type Invoke = (
  this: unknown,
  runContext: RunContextLike | undefined,
  input: string,
  details?: Details,
) => Promise<unknown>;

interface RunContextLike {
  readonly context?: unknown;
}

interface Details {
  readonly signal?: AbortSignal | undefined;
  readonly toolCall?: { readonly callId?: string | undefined } | undefined;
  readonly resumeState?: unknown;
}

/** What the SDK answers the model when a tool throws; older versions added the error. */
const DEFAULT_ERROR = 'An error occurred while running the tool. Please try again.';

/**
 * Wraps the tools of an agent: the same tools, whose calls are cached by their policies and watched for
 * loops. A loop ends the run: it rejects with the SDK's error, of which `unwrapLoopError` knows the loop.
 *
 * ```ts
 * const agent = new Agent({
 *   name: 'shop',
 *   tools: wrapTools([getCart, addToCart], {
 *     policies: {
 *       get_cart: { effect: 'read', resource: 'cart:{userId}' },
 *       add_to_cart: { effect: 'mutate', resource: 'cart:{userId}' },
 *     },
 *   }),
 * });
 * ```
 *
 * Functions of a policy are called with the tool's arguments, as the model gave them; `vary` with the run
 * context, too. Tools that are no function tools are as they were. A tool with an `errorFunction` of its
 * own answers errors with texts like any other: see `visibleErrors`.
 *
 * @throws InvalidOptionError for a policy that names no tool of the set, or cannot be meant
 */
export function wrapTools<TOOLS extends ToolCollection>(
  tools: TOOLS,
  options: WrapToolsOptions = {},
): TOOLS {
  return wrapNamed(tools, 'invoke', options, guardedTool);
}

/**
 * Wraps one tool.
 *
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function wrapTool<T extends object>(tool: T, { policy, ...scope }: WrapToolOptions): T {
  return guardedTool(String(nameOf(tool)), tool, policy, scope) as T;
}

function guardedTool(
  name: string,
  tool: AgentTool,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
): object {
  const { invoke } = tool;
  if (tool.type !== 'function' || typeof invoke !== 'function') {
    return asItIs(name, tool, policy, 'is no function tool');
  }
  checkNotWrapped(invoke, name);
  const adapted = new AdaptedTool(name, policy, traits, scope);
  return standInFor(tool, 'invoke', markWrapped(guarded(adapted, tool, invoke, scope)));
}

const traits: ToolTraits = {
  identity: () => 'openai-agents',
  isError: (output) => typeof output === 'string' && output.startsWith(DEFAULT_ERROR),
};

function guarded(
  adapted: AdaptedTool,
  tool: AgentTool,
  invoke: Invoke,
  scope: AdapterScope,
): Invoke {
  return async (runContext, input, details = {}) => {
    try {
      const output = await adapted.call(
        [argumentsOf(input)],
        async (context) => {
          // Of this run alone, so that its failure is known by them.
          const ours = withSignal(details, 'signal', context);
          const answer = await invoke.call(tool, runContext, input, ours);
          if (hasFailed(ours)) throw new FailedOutput(answer);
          return answer;
        },
        {
          callId: details.toolCall?.callId,
          signal: details.signal,
          context: runContext ?? {},
          hasContext: isSomething(runContext?.context),
          mustRun: details.resumeState !== undefined,
        },
      );
      // A loop that was found inside the tool, which the SDK has made a text of.
      throwIfHalted(scope.session ?? runtimeFor(scope).current());
      return output;
    } catch (error) {
      if (error instanceof FailedOutput) return error.output;
      throw error;
    }
  };
}

/** What the SDK tells the model of a tool that failed; thrown for the guard to know that it is a failure. */
class FailedOutput extends Error {
  readonly output: unknown;

  constructor(output: unknown) {
    super('the tool failed');
    this.name = 'FailedOutput';
    this.output = output;
  }
}

function argumentsOf(input: string): unknown {
  if (input === '') return {};
  try {
    return JSON.parse(input) as unknown;
  } catch {
    return input;
  }
}

/** The SDK hands an empty object where the user gives no context. */
function isSomething(context: unknown): boolean {
  if (typeof context !== 'object') return context !== undefined;
  return context !== null && Reflect.ownKeys(context).length > 0;
}
