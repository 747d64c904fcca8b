import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from '../adapter/adapter-options.js';
import type { ToolCollection } from '../adapter/map-tools.js';
import { steerByError } from '../adapter/steer-by-error.js';
import { standInFor } from '../adapter/stand-in.js';
import { asItIs, nameOf, wrapNamed } from '../adapter/wrap-collection.js';
import { withSignal } from '../adapter/with-members.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';

/** How one tool is wrapped. */
export type WrapToolOptions = AdapterScope & { readonly policy: AdapterPolicy };

/** What is known of a tool of the SDK: those that run at Anthropic have no `run`. */
interface RunnableTool {
  readonly name?: unknown;
  readonly run?: Run;
}

type Run = (this: unknown, args: unknown, context?: RunContextLike) => unknown;

interface RunContextLike {
  readonly toolUse?: { readonly id?: string | undefined } | undefined;
  readonly toolUseBlock?: { readonly id?: string | undefined } | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

/**
 * Wraps the tools of a `toolRunner`: the same tools, whose calls are cached by their policies and watched
 * for loops. What ends the run in a loop is the signal of the session: see `runnerOptions`.
 *
 * ```ts
 * const runner = client.beta.messages.toolRunner(
 *   {
 *     …,
 *     tools: wrapTools([getCart, addToCart], {
 *       session,
 *       policies: {
 *         get_cart: { effect: 'read', resource: 'cart:{userId}' },
 *         add_to_cart: { effect: 'mutate', resource: 'cart:{userId}' },
 *       },
 *     }),
 *   },
 *   runnerOptions(session),
 * );
 * const message = await rethrow(session, runner);
 * ```
 *
 * Functions of a policy are called with the tool's input; `vary` with the context of the run, too. Tools
 * that run elsewhere, and toolsets, are as they were.
 *
 * @throws InvalidOptionError for a policy that names no tool of the set, or cannot be meant
 */
export function wrapTools<TOOLS extends ToolCollection>(
  tools: TOOLS,
  options: WrapToolsOptions = {},
): TOOLS {
  return wrapNamed(tools, 'run', options, guardedTool);
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
  tool: RunnableTool,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
): object {
  const { run } = tool;
  // A toolset has no name, and what it runs is another thing at each call.
  if (tool.name === undefined || typeof run !== 'function') {
    return asItIs(name, tool, policy, 'has no run');
  }
  checkNotWrapped(run, name);
  const adapted = new AdaptedTool(name, policy, traits, scope);
  return standInFor(tool, 'run', markWrapped(guarded(adapted, tool, run)));
}

const traits: ToolTraits = { identity: () => 'anthropic' };

function guarded(adapted: AdaptedTool, tool: RunnableTool, run: Run): Run {
  return (args, context = {}) =>
    adapted.call([args], (flight) => run.call(tool, args, withSignal(context, 'signal', flight)), {
      callId: (context.toolUse ?? context.toolUseBlock)?.id,
      signal: context.signal ?? undefined,
      context,
      // The SDK makes an error result for the model of what a tool throws.
      steered: steerByError,
    });
}
