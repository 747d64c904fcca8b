import { describeValue, InvalidOptionError } from '@acache/core';
import { runtimeFor } from '../default-runtime.js';
import type { CallOptions, GuardedTool, RunContext } from '../guarded-tool.js';
import type { ToolPolicy } from '../tool-policy.js';
import type { AdapterScope } from './adapter-options.js';
import { warn } from './warn.js';

/** What an SDK adds to the policies of its tools. */
export interface ToolTraits {
  /** What tells answers apart from those of another SDK or server; asked at each call, with its context. */
  readonly identity: (context: unknown) => unknown;
  /** Whether a result is an error in the SDK's own form. */
  readonly isError?: (result: unknown) => boolean;
  /** Whether a result may be kept and given to another call. */
  readonly isStorable?: (result: unknown) => boolean;
  /** What the tool declares to read besides its arguments, such as its `contextSchema`. */
  readonly reads?: string | undefined;
}

/** How an adapter makes a call. */
export interface AdaptedCall extends Omit<CallOptions, 'session'> {
  /** What the call belongs to, where it is not the session of the adapter. */
  readonly session?: CallOptions['session'];
  /** Whether the SDK hands the tool something that an answer for everybody may depend on. */
  readonly hasContext?: boolean;
  /** Whether the call is one that must run, such as the second half of one that asked for something. */
  readonly mustRun?: boolean;
}

/** A tool of an SDK: cached by its policy, or only watched where there is none. */
export class AdaptedTool {
  readonly name: string;
  readonly #scope: AdapterScope;
  readonly #isShared: boolean;
  readonly #guard: GuardedTool;
  readonly #watchOnly: GuardedTool;
  #warned = false;

  /**
   * @param name - the SDK's, which the policy may replace
   * @throws InvalidOptionError for a policy that cannot be meant
   */
  constructor(
    name: string,
    policy: ToolPolicy | undefined,
    traits: ToolTraits,
    scope: AdapterScope = {},
  ) {
    if (policy !== undefined) checkPolicy(name, policy, traits);
    const full = withTraits({ name, effect: 'unknown', ...policy }, traits);
    const runtime = runtimeFor(scope);
    this.name = full.name ?? name;
    this.#scope = scope;
    this.#isShared =
      policy?.effect === 'read' && policy.scope === 'global' && policy.vary === undefined;
    this.#guard = runtime.tool(full);
    this.#watchOnly =
      full.effect === 'read' ? runtime.tool({ ...full, effect: 'unknown' }) : this.#guard;
  }

  /** Answers a call: see `GuardedTool.call`. */
  call<T>(
    args: readonly unknown[],
    run: (context: RunContext) => T | PromiseLike<T>,
    call: AdaptedCall,
  ): Promise<T> {
    return this.#for(call).call(args, run, this.#options(call));
  }

  /** Answers a call of a tool that yields: see `GuardedTool.stream`. */
  stream<T>(
    args: readonly unknown[],
    run: (context: RunContext) => AsyncIterable<T> | PromiseLike<AsyncIterable<T>>,
    call: AdaptedCall,
  ): AsyncGenerator<T> {
    return this.#for(call).stream(args, run, this.#options(call));
  }

  #for({ hasContext, mustRun }: AdaptedCall): GuardedTool {
    if (mustRun === true) return this.#watchOnly;
    if (!this.#isShared || hasContext !== true) return this.#guard;
    if (!this.#warned) {
      this.#warned = true;
      warn(
        'ACACHE_AGENT_CONTEXT',
        `${this.name} is handed a context and is not cached for everybody: say what of it an answer depends on, vary: (input, context) => …, or nothing, vary: () => null`,
      );
    }
    return this.#watchOnly;
  }

  #options({ hasContext: _, mustRun: __, session, ...call }: AdaptedCall): CallOptions {
    return { ...call, session: session ?? this.#scope.session };
  }
}

function checkPolicy(name: string, policy: unknown, { reads }: ToolTraits): void {
  if (typeof policy !== 'object' || policy === null) {
    throw new InvalidOptionError(
      `the policy of ${name} must be an object, got ${describeValue(policy)}`,
    );
  }
  const { effect, scope, vary } = policy as Partial<ToolPolicy>;
  if (effect !== 'read' && effect !== 'mutate' && effect !== 'unknown') {
    throw new InvalidOptionError(
      `the policy of ${name} must say its effect, 'read' or 'mutate', got ${describeValue(effect)}`,
    );
  }
  if (effect === 'read' && scope === 'global' && vary === undefined && reads !== undefined) {
    throw new InvalidOptionError(
      `${name} reads its ${reads}, so that an answer for everybody needs vary: say what of it an answer depends on, vary: (input, context) => …`,
    );
  }
}

/** The policy of the user and what the SDK knows, together. */
function withTraits(
  policy: ToolPolicy,
  { identity, isError, isStorable }: ToolTraits,
): ToolPolicy & { name?: string } {
  const { vary } = policy;
  return {
    ...policy,
    vary(...given: unknown[]) {
      // The context comes last, where there is one: adapters always give it.
      return [identity(given.at(-1)), vary?.apply(this, given)];
    },
    isError: (result) => isError?.(result) === true || policy.isError?.(result) === true,
    shouldCache: (result, ...args: unknown[]) =>
      isStorable?.(result) !== false && (policy.shouldCache?.(result, ...args) ?? true),
  };
}
