import { describeValue, InvalidOptionError } from '@acache/core';
import { AdaptedTool, type ToolTraits } from '../adapter/adapted-tool.js';
import type { AdapterPolicy, WrapToolsOptions } from '../adapter/adapter-options.js';
import { policyOf, unknownNames } from '../adapter/policy-of.js';
import { warn } from '../adapter/warn.js';
import { withSignal } from '../adapter/with-members.js';
import { instanceId } from '../call-key.js';
import { besideAnnotations, policyFromAnnotations } from './annotations.js';
import { listenTo } from './incoming.js';
import { ServerTools, type ToolLister, type ToolPage } from './server-tools.js';
import { errorResult, isAnswer, isErrorResult } from './tool-result.js';

/** How a client's calls are cached. */
export interface CacheClientOptions extends WrapToolsOptions {
  /**
   * Which server this is: clients that name the same one share what is cached for everybody, and processes
   * that share a cache do.
   * @defaultValue the name and version that the server gives, for this client alone
   */
  readonly server?: string | undefined;
  /**
   * Takes the annotations of the server's tools as their policies, where `policies` has none. They are
   * what the server says of itself: a wrong `readOnlyHint` makes answers stale.
   * @defaultValue `false`
   */
  readonly trust?: boolean | undefined;
}

/** What is known of a client, of both versions of the SDK. */
interface McpClient extends ToolLister {
  callTool(params: CallParams, ...rest: unknown[]): Promise<unknown>;
  getServerVersion?(): { readonly name: string; readonly version: string } | undefined;
  readonly transport?: object | undefined;
}

interface CallParams {
  readonly name: string;
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  readonly task?: unknown;
  readonly inputResponses?: unknown;
  readonly requestState?: unknown;
}

interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly task?: unknown;
}

/** What `vary` is given of a call, after the tool's arguments. */
interface CallContext {
  readonly params: CallParams;
  readonly options: RequestOptions | undefined;
  /** Of version 1: what the result is read by. */
  readonly resultSchema: object | undefined;
}

/**
 * A client whose `callTool` is cached and watched for loops; all else is the client's own.
 *
 * ```ts
 * const client = cacheClient(new Client({ name: 'shop', version: '1.0.0' }), {
 *   policies: {
 *     get_cart: { effect: 'read', resource: 'cart:{userId}' },
 *     add_to_cart: { effect: 'mutate', resource: 'cart:{userId}' },
 *   },
 * });
 * ```
 *
 * Results that are errors, tasks or questions are not cached, nor what came of a question to the user, nor
 * what the server marks with `_meta.cache_hint: 'no-cache'`. When its tools change, what was cached of it
 * is not used any more.
 *
 * @throws InvalidOptionError for what is no client, or a policy that cannot be meant
 */
export function cacheClient<C extends object>(client: C, options: CacheClientOptions = {}): C {
  const { callTool, listTools } = Object(client) as Partial<McpClient>;
  if (typeof callTool !== 'function' || typeof listTools !== 'function') {
    throw new InvalidOptionError(`cacheClient takes a Client of MCP, got ${describeValue(client)}`);
  }
  const cached = new CachedClient(client as unknown as McpClient, options);
  const own: Record<string | symbol, unknown> = {
    callTool: (params: CallParams, ...rest: unknown[]) => cached.callTool(params, rest),
    listTools: (...given: [{ cursor?: string }?]) => cached.listTools(given),
  };
  const bound = new WeakMap<object, unknown>();
  return new Proxy(client, {
    get(target, member) {
      if (Object.hasOwn(own, member)) return own[member];
      const value: unknown = Reflect.get(target, member, target);
      if (typeof value !== 'function' || member === 'constructor') return value;
      // To the client itself, whose private fields are not those of a proxy.
      const method: unknown = bound.get(value) ?? (value.bind(target) as unknown);
      bound.set(value, method);
      return method;
    },
    set: (target, member, value) => Reflect.set(target, member, value, target),
  });
}

const MAX_TOOLS = 1024;

class CachedClient {
  readonly #client: McpClient;
  readonly #options: CacheClientOptions;
  readonly #tools: ServerTools;
  readonly #adapted = new Map<string, AdaptedTool>();
  /** Results that came of a question. */
  readonly #ofThisTime = new WeakSet();
  #transport: object | undefined = undefined;
  #questions = 0;
  #namesChecked = false;

  constructor(client: McpClient, options: CacheClientOptions) {
    this.#client = client;
    this.#options = options;
    this.#tools = new ServerTools(client);
    // What cannot be meant is told at once, not at the first call.
    for (const name of Object.keys(options.policies ?? {})) this.#declared(name);
  }

  async callTool(params: CallParams, rest: readonly unknown[]): Promise<unknown> {
    this.#listen();
    const tool = await this.#toolFor(params.name);
    // The schema of version 1 comes before the options.
    const hasSchema = rest.length > 1 || isSchema(rest[0]);
    const resultSchema = hasSchema ? (rest[0] as object | undefined) : undefined;
    const options = (hasSchema ? rest[1] : rest[0]) as RequestOptions | undefined;
    const context: CallContext = { params, options, resultSchema };
    return tool.call(
      [params.arguments ?? {}],
      async (run) => {
        const questions = this.#questions;
        const ours = withSignal(options ?? {}, 'signal', run);
        const result = await (hasSchema
          ? this.#client.callTool(params, resultSchema, ours)
          : this.#callWithOptions(params, ours));
        if (this.#questions !== questions && typeof result === 'object' && result !== null) {
          this.#ofThisTime.add(result);
        }
        return result;
      },
      {
        signal: options?.signal,
        context,
        steered: errorResult,
        mustRun: [params.task, options?.task, params.inputResponses, params.requestState].some(
          (given) => given !== undefined,
        ),
      },
    );
  }

  async listTools(given: [{ cursor?: string }?]): Promise<ToolPage> {
    this.#listen();
    const { changes } = this.#tools;
    const page = await this.#client.listTools(...given);
    if (given[0]?.cursor === undefined && changes === this.#tools.changes) {
      this.#tools.told(page);
      if (page.nextCursor === undefined) this.#checkNames(page.tools.map(({ name }) => name));
    }
    return page;
  }

  /** Version 1 takes the options third, version 2 second. */
  #callWithOptions(params: CallParams, options: RequestOptions): Promise<unknown> {
    return isVersion1(this.#client)
      ? this.#client.callTool(params, undefined, options)
      : this.#client.callTool(params, options);
  }

  async #toolFor(name: string): Promise<AdaptedTool> {
    const declared = this.#declared(name);
    if (declared !== undefined) return declared;
    if (this.#options.trust !== true) return this.#adapt(name, undefined);
    const all = await this.#tools.all().catch(() => undefined);
    if (all === undefined) return this.#adapt(name, undefined);
    this.#checkNames(all.keys());
    const annotations = all.get(name);
    return this.#adapt(name, annotations && policyFromAnnotations(annotations, this.#server()));
  }

  #declared(name: string): AdaptedTool | undefined {
    const { policies, trust } = this.#options;
    const policy = policyOf(policies, name);
    if (policy === undefined) return undefined;
    const isUsable = trust === true && typeof policy === 'object' && (policy as unknown) !== null;
    return this.#adapt(name, isUsable ? besideAnnotations(policy, this.#server()) : policy);
  }

  #adapt(name: string, policy: AdapterPolicy | undefined): AdaptedTool {
    const id = `${policy?.effect ?? ''} ${this.#server()} ${name}`;
    const known = this.#adapted.get(id);
    if (known !== undefined) return known;
    const adapted = new AdaptedTool(name, policy, this.#traits(), this.#options);
    // A model may make up names without end.
    if (this.#adapted.size >= MAX_TOOLS) this.#adapted.clear();
    this.#adapted.set(id, adapted);
    return adapted;
  }

  #traits(): ToolTraits {
    return {
      identity: (context) => {
        const { resultSchema } = context as CallContext;
        return ['mcp', this.#identity(), resultSchema && instanceId(resultSchema)];
      },
      isError: isErrorResult,
      isStorable: (result) => isAnswer(result) && !this.#ofThisTime.has(result as object),
    };
  }

  /** Two servers may give the same name, so unless the user names it, it is told apart by its client. */
  #identity(): unknown {
    const { changes } = this.#tools;
    if (this.#options.server !== undefined) return [this.#options.server, changes];
    const version = this.#client.getServerVersion?.();
    return [version?.name, version?.version, instanceId(this.#client), changes];
  }

  #server(): string {
    return this.#options.server ?? instanceId(this.#client);
  }

  #checkNames(names: Iterable<string>): void {
    if (this.#namesChecked) return;
    this.#namesChecked = true;
    const unknown = unknownNames(this.#options.policies, names);
    // No error: a server may have its tools later.
    if (unknown !== undefined) warn('ACACHE_AGENT_POLICY', unknown);
  }

  /** Listens to the transport, anew after each connection. */
  #listen(): void {
    const { transport } = this.#client;
    if (transport === undefined || transport === this.#transport) return;
    if (this.#transport !== undefined) this.#tools.changed();
    this.#transport = transport;
    listenTo(transport, {
      toolsChanged: () => this.#tools.changed(),
      asked: () => {
        this.#questions++;
      },
    });
  }
}

/** A schema of zod, as against the options of a request. */
function isSchema(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'safeParse' in value || '_def' in value || '~standard' in value;
}

/** Only version 1 has `callTool(params, resultSchema?, options?)`. */
function isVersion1(client: McpClient): boolean {
  return !('getProtocolEra' in client);
}
