import { describeValue, InvalidOptionError } from '@acache/core';
import { AdaptedTool, type AdaptedCall, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, WrapToolsOptions } from '../adapter/adapter-options.js';
import { checkPolicyNames, policyOf } from '../adapter/policy-of.js';
import { withMembers, withSignal } from '../adapter/with-members.js';
import { checkNotWrapped, markWrapped } from '../adapter/wrapped.js';
import type { AnyFunction } from '../any-function.js';
import type { AgentCacheSession } from '../session.js';
import { besideAnnotations, policyFromAnnotations, type ToolAnnotations } from './annotations.js';
import { errorResult, isAnswer, isErrorResult } from './tool-result.js';

/** How the calls that a server answers are cached. */
export interface CacheServerOptions extends Omit<WrapToolsOptions, 'session'> {
  /**
   * The session of a call, or what finds it for the context of a call: by its `sessionId`, say.
   * @defaultValue none, so that only what has `scope: 'global'` is cached
   */
  readonly session?:
    AgentCacheSession | ((context: any) => AgentCacheSession | undefined) | undefined;
  /**
   * Which server this is. Servers that name the same one, such as those of each connection, share what is
   * cached for everybody.
   * @defaultValue the name it was made with
   */
  readonly server?: string | undefined;
  /**
   * Takes the annotations of the tools as their policies, where `policies` has none.
   * @defaultValue `false`
   */
  readonly trust?: boolean | undefined;
}

/** What is known of an `McpServer`, of both versions of the SDK. */
interface McpServerLike {
  registerTool: (name: string, config: ToolConfig, callback: AnyFunction) => RegisteredTool;
  /** Of version 1, and deprecated there. */
  tool?: (name: string, ...rest: unknown[]) => RegisteredTool;
  connect: (...given: unknown[]) => Promise<void>;
  readonly server?: { readonly _serverInfo?: { readonly name?: string } };
  readonly _registeredTools?: Readonly<Record<string, RegisteredTool>>;
}

interface ToolConfig {
  readonly annotations?: ToolAnnotations | undefined;
}

interface RegisteredTool {
  readonly annotations?: ToolAnnotations | undefined;
  readonly handler?: unknown;
  update: (updates: { callback?: AnyFunction | undefined }) => void;
}

/** What is looked at of the context of a call, in each version of the SDK. */
interface CallContext {
  readonly signal?: AbortSignal;
  readonly authInfo?: unknown;
  readonly requestId?: string | number;
  readonly mcpReq?: {
    readonly signal?: AbortSignal;
    readonly id?: string | number;
    readonly inputResponses?: unknown;
    requestState?(): unknown;
  };
  readonly http?: { readonly authInfo?: unknown } | undefined;
}

/**
 * Lets a server answer calls of its tools from a cache: those registered already, and those to come. The
 * server is the same one.
 *
 * ```ts
 * const server = cacheServer(new McpServer({ name: 'weather', version: '1.0.0' }), {
 *   policies: { forecast: { effect: 'read', scope: 'global', ttl: '10m' } },
 * });
 * ```
 *
 * Functions of a policy are called with the arguments of the call; `vary` with its context, too. Calls of
 * an authenticated client are not cached for everybody unless `vary` says what tells clients apart.
 *
 * @throws InvalidOptionError for what is no `McpServer`, or a policy that cannot be meant; `connect` rejects
 *   with one for a policy that names no tool
 */
export function cacheServer<S extends object>(server: S, options: CacheServerOptions = {}): S {
  const like = server as unknown as McpServerLike;
  if (typeof (like as Partial<McpServerLike> | undefined)?.registerTool !== 'function') {
    throw new InvalidOptionError(`cacheServer takes an McpServer, got ${describeValue(server)}`);
  }
  checkNotWrapped(like.registerTool, 'the server');
  const tools = new CachedTools(like, options);
  for (const [name, registered] of Object.entries(like._registeredTools ?? {})) {
    if (typeof registered.handler !== 'function') continue;
    registered.update({
      callback: tools.wrap(name, registered.handler as AnyFunction, registered.annotations),
    });
    tools.keepWrapped(name, registered);
  }
  Object.assign(server, patchesOf(like, tools));
  return server;
}

function patchesOf(server: McpServerLike, tools: CachedTools): Partial<McpServerLike> {
  const { connect, registerTool, tool } = server;
  const register = registerTool.bind(server);
  const registerOld = tool?.bind(server);
  return {
    registerTool: markWrapped((name: string, config: ToolConfig, callback: AnyFunction) => {
      const wrapped = tools.wrap(name, callback, config.annotations);
      return tools.keepWrapped(name, register(name, config, wrapped));
    }),
    ...(registerOld !== undefined && {
      tool(name: string, ...rest: unknown[]) {
        const callback = tools.wrap(name, rest.at(-1) as AnyFunction, annotationsIn(rest));
        return tools.keepWrapped(name, registerOld(name, ...rest.slice(0, -1), callback));
      },
    }),
    async connect(...given: unknown[]) {
      tools.checkNames();
      await connect.apply(server, given);
    },
  };
}

class CachedTools {
  readonly #options: CacheServerOptions;
  readonly #name: string;
  readonly #names = new Set<string>();

  constructor({ server }: McpServerLike, options: CacheServerOptions) {
    this.#options = options;
    this.#name = options.server ?? server?._serverInfo?.name ?? '';
  }

  wrap(name: string, callback: AnyFunction, annotations: ToolAnnotations | undefined): AnyFunction {
    this.#names.add(name);
    const { session } = this.#options;
    const isOneForAll = session !== undefined && typeof session !== 'function';
    const adapted = new AdaptedTool(name, this.#policyOf(name, annotations), this.#traits(), {
      runtime: this.#options.runtime,
      ...(isOneForAll && { session }),
    });
    // Without a schema the callback is given the context alone.
    return function (this: unknown, ...given: [unknown, CallContext] | [CallContext]) {
      const context = given.at(-1) as CallContext;
      const args: unknown = given.length > 1 ? given[0] : {};
      const call = callOf(context, typeof session === 'function' ? session(context) : undefined);
      return adapted.call(
        [args],
        (run) => {
          const ours = contextWith(context, run);
          return callback.apply(this, given.length > 1 ? [args, ours] : [ours]) as unknown;
        },
        call,
      );
    };
  }

  /** Wraps what a registered tool is given later, too. */
  keepWrapped(name: string, registered: RegisteredTool): RegisteredTool {
    const { update } = registered;
    registered.update = (updates) => {
      const { callback } = updates;
      const wrapped = callback && this.wrap(name, callback, registered.annotations);
      Reflect.apply(update, registered, [
        wrapped === undefined ? updates : { ...updates, callback: wrapped },
      ]);
    };
    return registered;
  }

  checkNames(): void {
    checkPolicyNames(this.#options.policies, this.#names);
  }

  #policyOf(name: string, annotations: ToolAnnotations | undefined): AdapterPolicy | undefined {
    const { policies, trust } = this.#options;
    const policy = policyOf(policies, name);
    if (trust !== true) return policy;
    if (policy !== undefined) return besideAnnotations(policy, this.#name);
    return annotations && policyFromAnnotations(annotations, this.#name);
  }

  #traits(): ToolTraits {
    return {
      identity: () => ['mcp-server', this.#name],
      isError: isErrorResult,
      isStorable: isAnswer,
    };
  }
}

function callOf(context: CallContext, session: AgentCacheSession | undefined): AdaptedCall {
  const { mcpReq } = context;
  const id = context.requestId ?? mcpReq?.id;
  return {
    session,
    callId: id === undefined ? undefined : String(id),
    signal: context.signal ?? mcpReq?.signal,
    context,
    hasContext: (context.authInfo ?? context.http?.authInfo) !== undefined,
    steered: errorResult,
    // The answer to a question: the same arguments, and another call.
    mustRun: mcpReq?.inputResponses !== undefined || mcpReq?.requestState?.() !== undefined,
  };
}

function contextWith(
  context: CallContext,
  run: { readonly signal: AbortSignal | undefined },
): CallContext {
  if (context.mcpReq === undefined) return withSignal(context, 'signal', run);
  return withMembers(context, { mcpReq: withSignal(context.mcpReq, 'signal', run) });
}

/** The annotations among the arguments of `tool()`: an object whose values are no schemas. */
function annotationsIn(rest: readonly unknown[]): ToolAnnotations | undefined {
  return rest.findLast(
    (given): given is ToolAnnotations =>
      typeof given === 'object' &&
      given !== null &&
      Object.keys(given).length > 0 &&
      Object.values(given).every((value) => typeof value !== 'object'),
  );
}
