import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, AdapterScope, WrapToolsOptions } from '../adapter/adapter-options.js';
import type { ToolCollection } from '../adapter/map-tools.js';
import { standInFor } from '../adapter/stand-in.js';
import { asItIs, nameOf, wrapNamed } from '../adapter/wrap-collection.js';
import { withSignal } from '../adapter/with-members.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';
import { isDirectOutput, isErrorMessage } from './direct-output.js';
import { hasContext, type ToolConfig } from './tool-context.js';

/** How one tool is wrapped. */
export type WrapToolOptions = AdapterScope & { readonly policy: AdapterPolicy };

/** What is known of a tool of LangChain. */
interface LangChainTool {
  readonly name?: unknown;
  readonly responseFormat?: unknown;
  readonly _call?: Call;
}

type Call = (
  this: unknown,
  input: unknown,
  runManager?: RunManager,
  config?: ToolConfig,
) => unknown;

interface RunManager {
  handleToolEvent?(chunk: unknown): unknown;
}

/**
 * Wraps tools, for those who call them themselves or by a graph of their own: the same tools, whose calls
 * are cached by their policies and watched for loops. What is cached is what the tool returns; each
 * call gets a message of its own. For `createAgent` there is `acacheMiddleware`, since in an agent a tool
 * that throws does not end the run.
 *
 * ```ts
 * const [getCart] = wrapTools([getCartTool], {
 *   policies: { get_cart: { effect: 'read', resource: 'cart:{userId}' } },
 * });
 * ```
 *
 * Functions of a policy are called with the tool's arguments; `vary` with the config of the call, too.
 * Tools that run elsewhere are as they were.
 *
 * @throws InvalidOptionError for a policy that names no tool of the set, or cannot be meant
 */
export function wrapTools<TOOLS extends ToolCollection>(
  tools: TOOLS,
  options: WrapToolsOptions = {},
): TOOLS {
  return wrapNamed(tools, '_call', options, guardedTool);
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
  tool: LangChainTool,
  policy: AdapterPolicy | undefined,
  scope: AdapterScope,
): object {
  const { _call } = tool;
  if (typeof _call !== 'function') {
    return asItIs(name, tool, policy, 'is no StructuredTool');
  }
  checkNotWrapped(_call, name);
  const adapted = new AdaptedTool(name, policy, traits, scope);
  return standInFor(tool, '_call', markWrapped(guarded(adapted, tool, _call)), leadsToCall(tool));
}

/** Which methods lead to `_call`: those that LangChain's class has, from which the one with `_call` comes. */
function leadsToCall(tool: object): (method: PropertyKey) => boolean {
  let holder: object | null = tool;
  while (holder !== null && !Object.hasOwn(holder, '_call')) {
    holder = Object.getPrototypeOf(holder) as object | null;
  }
  const base = holder && (Object.getPrototypeOf(holder) as object | null);
  return (method) => base !== null && method in base;
}

const traits: ToolTraits = {
  identity: () => 'langchain',
  isError: isErrorMessage,
  isStorable: (output) => !isDirectOutput(output),
};

function guarded(adapted: AdaptedTool, tool: LangChainTool, call: Call): Call {
  return (input, runManager, config = {}) =>
    adapted.call(
      [input],
      async (context) => {
        const output = await call.call(
          tool,
          input,
          runManager,
          withSignal(config, 'signal', context),
        );
        return isAsyncGenerator(output) ? await returned(output, runManager) : output;
      },
      {
        callId: config.toolCall?.id ?? config.toolCallId,
        signal: config.signal,
        context: config,
        hasContext: hasContext(config),
        steered: (message) =>
          tool.responseFormat === 'content_and_artifact' ? [message, undefined] : message,
      },
    );
}

/** What a generator returns is the answer; what it yields are events of the run. */
async function returned(
  items: AsyncGenerator,
  runManager: RunManager | undefined,
): Promise<unknown> {
  for (let next = await items.next(); ; next = await items.next()) {
    if (next.done === true) return next.value as unknown;
    await runManager?.handleToolEvent?.(next.value);
  }
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return Object.prototype.toString.call(value) === '[object AsyncGenerator]';
}
