import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from '../adapter/adapter-options.js';
import { steerByError } from '../adapter/steer-by-error.js';
import { standInFor } from '../adapter/stand-in.js';
import { asItIs, wrapRecord } from '../adapter/wrap-collection.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';
import { hasContext, isResumed, runWith, type MastraContext } from './mastra-context.js';

/** How one tool is wrapped. */
export type WrapToolOptions = AdapterScope & { readonly policy: AdapterPolicy };

/** What is known of a tool of Mastra. */
interface MastraTool {
  readonly id?: unknown;
  readonly execute?: Execute | undefined;
  readonly requestContextSchema?: unknown;
}

type Execute = (this: unknown, input: unknown, context?: MastraContext) => unknown;

/**
 * Wraps a tool set: the same tools, whose calls are cached by their policies and watched for loops. What
 * ends an agent's run in a loop is the signal of the session; the run then ends as if nothing had been,
 * which `rethrow` makes an error of.
 *
 * ```ts
 * const agent = new Agent({
 *   …,
 *   tools: wrapTools({ getCart, addToCart }, {
 *     policies: {
 *       getCart: { effect: 'read', resource: 'cart:{userId}' },
 *       addToCart: { effect: 'mutate', resource: 'cart:{userId}' },
 *     },
 *   }),
 * });
 * const result = await rethrow(session, agent.generate('…', { abortSignal: session.signal }));
 * ```
 *
 * A policy is found by the name of a tool in the set, or by its id. Its functions are called with the tool's
 * input; `vary` with the context of the call, too. Calls that suspend or resume are not cached.
 *
 * @throws InvalidOptionError for a policy that names no tool of the set, or cannot be meant
 */
export function wrapTools<TOOLS extends Readonly<Record<string, object>>>(
  tools: TOOLS,
  options: WrapToolsOptions = {},
): TOOLS {
  return wrapRecord(tools, 'execute', options, guardedTool, idOf);
}

/**
 * Wraps one tool, by its id.
 *
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function wrapTool<T extends object>(tool: T, { policy, ...scope }: WrapToolOptions): T {
  return guardedTool(idOf(tool), tool, policy, scope) as T;
}

function idOf(tool: MastraTool): string {
  return String(tool.id);
}

function guardedTool(
  name: string,
  tool: MastraTool,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
): object {
  const { execute } = tool;
  if (typeof execute !== 'function') {
    return asItIs(name, tool, policy, 'has no execute');
  }
  checkNotWrapped(execute, name);
  const traits: ToolTraits = {
    identity: () => 'mastra',
    isError: isErrorValue,
    isStorable: (output) => !(output instanceof Suspended),
    reads: tool.requestContextSchema === undefined ? undefined : 'requestContext',
  };
  const adapted = new AdaptedTool(name, policy, traits, scope);
  return standInFor(tool, 'execute', markWrapped(guarded(adapted, tool, execute)));
}

/** What a call brings that waits for somebody. */
class Suspended {
  readonly output: unknown;

  constructor(output: unknown) {
    this.output = output;
  }
}

function guarded(adapted: AdaptedTool, tool: MastraTool, execute: Execute): Execute {
  return async (input, context = {}) => {
    const own = { ran: false, suspended: false };
    const answer = await adapted.call(
      [input],
      async (flight) => {
        own.ran = true;
        const notice = (): void => {
          own.suspended = true;
        };
        const output = await runWith(context, flight, notice, (ours) =>
          execute.call(tool, input, ours),
        );
        return own.suspended ? new Suspended(output) : output;
      },
      {
        callId: context.agent?.toolCallId ?? context.toolCallId,
        signal: context.abortSignal,
        context,
        hasContext: hasContext(context),
        mustRun: isResumed(context),
        steered: steerByError,
      },
    );
    if (!(answer instanceof Suspended)) return answer;
    // The one it joined waits for somebody; this one has to do that by itself.
    return own.ran ? answer.output : execute.call(tool, input, context);
  };
}

/** Arguments that do not fit the schema, and tools of MCP servers, fail by a value. */
function isErrorValue(output: unknown): boolean {
  const { error, isError, message } = (output ?? {}) as Record<string, unknown>;
  return isError === true || (error === true && typeof message === 'string');
}
