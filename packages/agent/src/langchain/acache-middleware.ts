import { ToolMessage } from '@langchain/core/messages';
import type { AgentMiddleware } from 'langchain';
import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { WrapToolsOptions } from '../adapter/adapter-options.js';
import { policyOf, unknownNames } from '../adapter/policy-of.js';
import { throwIfHalted } from '../adapter/rethrow.js';
import { unwrapLoopError } from '../adapter/unwrap-loop-error.js';
import { warn } from '../adapter/warn.js';
import { isWrapped } from '../adapter/wrapped.js';
import { runtimeFor } from '../default-runtime.js';
import type { AgentCacheSession } from '../session.js';
import { isCommand } from './direct-output.js';
import { hasContext, type ToolConfig } from './tool-context.js';

/** How the middleware caches and watches the tools of an agent. */
export interface AcacheMiddlewareOptions extends WrapToolsOptions {
  /**
   * What becomes of an error that a tool throws: a message to the model, as in an agent without such
   * middleware, or an error of the run. Middleware that retries failed tools needs `'throw'`, or to come
   * after this one.
   * @defaultValue `'message'`
   */
  readonly toolErrors?: 'message' | 'throw' | undefined;
}

interface ToolCallRequest {
  readonly toolCall: { readonly id?: string; readonly name: string; readonly args?: unknown };
  readonly tool?: unknown;
  readonly runtime?: ToolConfig;
}

/** What is kept of a message: all but what makes it the answer to one call. */
type Content = Pick<
  ToolMessage,
  | 'additional_kwargs'
  | 'artifact'
  | 'content'
  | 'metadata'
  | 'name'
  | 'response_metadata'
  | 'status'
>;

/** By it the agent knows what is middleware. */
const BRAND = Symbol.for('AgentMiddleware');

const MAX_TOOLS = 1024;

/**
 * Middleware for `createAgent`: caches the calls of its tools by their policies and watches them for
 * loops. A loop ends the run, which rejects with an error of which `unwrapLoopError` knows the loop. It
 * belongs first in the list.
 *
 * ```ts
 * const agent = createAgent({
 *   model,
 *   tools,
 *   middleware: [
 *     acacheMiddleware({
 *       policies: {
 *         get_cart: { effect: 'read', resource: 'cart:{userId}' },
 *         add_to_cart: { effect: 'mutate', resource: 'cart:{userId}' },
 *       },
 *     }),
 *   ],
 * });
 * ```
 *
 * What is cached is what a message says: each call is answered by a message of its own, under its own id.
 * Commands are never cached. Functions of a policy are called with the arguments, as the model gave them;
 * `vary` with the request of the call, too.
 *
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function acacheMiddleware(options: AcacheMiddlewareOptions = {}): AgentMiddleware {
  const tools = new Map<string, AdaptedTool>();
  const toolFor = (name: string): AdaptedTool => {
    const known = tools.get(name);
    if (known !== undefined) return known;
    const adapted = new AdaptedTool(name, policyOf(options.policies, name), traits, options);
    // A model may make up names without end.
    if (tools.size >= MAX_TOOLS) tools.clear();
    tools.set(name, adapted);
    return adapted;
  };
  // What cannot be meant is told at once, not at the first call.
  for (const name of Object.keys(options.policies ?? {})) toolFor(name);
  const names = new NamesCheck(options);

  const middleware = {
    [BRAND]: true,
    name: 'acache',
    wrapModelCall(
      request: { readonly tools?: readonly { readonly name?: unknown }[] },
      handler: (request: unknown) => unknown,
    ) {
      names.check(request.tools);
      return handler(request);
    },
    async wrapToolCall(request: ToolCallRequest, handler: (request: unknown) => unknown) {
      const { name } = request.toolCall;
      const reads = policyOf(options.policies, name)?.effect === 'read';
      try {
        const answer = isWrapped((request.tool as { _call?: unknown } | undefined)?._call)
          ? await handler(request)
          : await answered(toolFor(name), request, handler, reads);
        // A loop that was found inside the tool, in whatever way that ended.
        throwIfHalted(sessionOf(options));
        return answer;
      } catch (error) {
        const loop = unwrapLoopError(error);
        if (loop !== undefined) throw loop;
        if (options.toolErrors === 'throw' || isForTheGraph(error, request)) throw error;
        // No later call of the session can do better.
        if (sessionOf(options)?.signal.aborted === true || isEnded(error)) throw error;
        return errorMessage(error, request);
      }
    },
  };
  return middleware as unknown as AgentMiddleware;
}

function sessionOf(options: AcacheMiddlewareOptions): AgentCacheSession | undefined {
  return options.session ?? runtimeFor(options).current();
}

/** Whether a call was refused since its session has ended. */
function isEnded(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_ACACHE_SESSION_ENDED';
}

const traits: ToolTraits = {
  identity: () => 'langchain',
  isError: (answer) => (answer as { status?: unknown } | undefined)?.status === 'error',
  isStorable: (answer) => !isCommand(answer),
};

async function answered(
  tool: AdaptedTool,
  request: ToolCallRequest,
  handler: (request: unknown) => unknown,
  reads: boolean,
): Promise<unknown> {
  const { runtime = {}, toolCall } = request;
  let own: unknown = undefined;
  const answer = await tool.call(
    [toolCall.args ?? {}],
    async () => {
      own = await handler(request);
      return own instanceof Object && isMessage(own) ? contentOf(own) : own;
    },
    {
      callId: toolCall.id,
      signal: runtime.signal,
      context: request,
      hasContext: hasContext(runtime),
      steered: (message): Partial<Content> => ({ content: message, status: 'error' }),
    },
  );
  if (own !== undefined) return own;
  if (!isCommand(answer)) return messageOf(answer as Content, toolCall);
  // A command is for the call that made it.
  if (reads) return handler(request);
  return messageOf({ content: 'The same call did this before.' }, toolCall);
}

function isMessage(value: object): value is ToolMessage {
  return ToolMessage.isInstance(value);
}

function contentOf(message: ToolMessage): Content {
  const { additional_kwargs, content, metadata, name, response_metadata, status } = message;
  return {
    additional_kwargs,
    artifact: message.artifact as unknown,
    content,
    ...(metadata !== undefined && { metadata }),
    ...(name !== undefined && { name }),
    response_metadata,
    ...(status !== undefined && { status }),
  };
}

function messageOf(
  content: Partial<Content>,
  { id, name }: ToolCallRequest['toolCall'],
): ToolMessage {
  const { content: text = '', ...fields } = content;
  return new ToolMessage({ name, ...fields, content: text, tool_call_id: id ?? '' });
}

/** What an agent without middleware of this kind tells the model of an error. */
function errorMessage(error: unknown, { toolCall }: ToolCallRequest): ToolMessage {
  const content = `${String(error)}\n Please fix your mistakes.`;
  return messageOf({ content, status: 'error' }, toolCall);
}

/** Errors that the graph knows what to do with: interrupts, wrong arguments, and what an abort brings. */
function isForTheGraph(error: unknown, { runtime }: ToolCallRequest): boolean {
  if (runtime?.signal?.aborted === true) return true;
  const known = (error ?? {}) as { is_bubble_up?: unknown; '~brand'?: unknown };
  return known.is_bubble_up === true || known['~brand'] === 'ToolInvocationError';
}

/** Warns of policies that name none of the tools that a model is given. */
class NamesCheck {
  readonly #options: AcacheMiddlewareOptions;
  #done = false;

  constructor(options: AcacheMiddlewareOptions) {
    this.#options = options;
  }

  check(tools: readonly { readonly name?: unknown }[] = []): void {
    if (this.#done || tools.length === 0) return;
    this.#done = true;
    const names = tools.flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
    // No error: an agent may give its model some of its tools only.
    const unknown = unknownNames(this.#options.policies, names);
    if (unknown !== undefined) warn('ACACHE_AGENT_POLICY', unknown);
  }
}
