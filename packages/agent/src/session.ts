import { describeValue, InvalidOptionError } from '@acache/core';
import type { AgentMetrics } from './agent-metrics.js';
import { likeOriginal } from './like-original.js';
import type { AgentLoopDetectedError } from './loop-error.js';
import { defaultParts, PARTS, type RuntimeParts } from './runtime-parts.js';
import { inSession } from './session-context.js';
import { checkSessionOptions, type AgentCacheSessionOptions } from './session-options.js';
import { SessionState, STATE } from './session-state.js';
import { stepsWithin } from './steps-within.js';

/**
 * One run of an agent, or one conversation: it has answers of its own, watches its calls for loops, and
 * counts them.
 *
 * ```ts
 * await using session = new AgentCacheSession({ maxToolRepeats: 3 });
 * await session.run(() => agent.run('…')); // every tool called inside belongs to the session
 * ```
 */
export class AgentCacheSession implements AsyncDisposable {
  /** @internal */
  readonly [STATE]: SessionState;

  /**
   * Begins a session.
   *
   * @throws InvalidOptionError for an option that cannot be meant
   */
  constructor(options: AgentCacheSessionOptions = {}) {
    checkSessionOptions(options);
    const { id = crypto.randomUUID(), parent, runtime } = options;
    const above = parent?.[STATE];
    const parts =
      runtime === undefined
        ? (above?.parts ?? defaultParts())
        : (runtime as unknown as { readonly [PARTS]: RuntimeParts })[PARTS];
    this[STATE] = new SessionState(id, parts, above, options);
  }

  get id(): string {
    return this[STATE].id;
  }

  /**
   * Fires when the session is halted, with the error as its reason, and when the signal or the parent it
   * was made with fires. Hand it to the agent's loop: it is what stops one that swallows errors of tools.
   */
  get signal(): AbortSignal {
    return this[STATE].signal;
  }

  /** The error of the loop that halted it, or its parent: every call in it is refused with it. */
  get halted(): AgentLoopDetectedError | undefined {
    return this[STATE].halted;
  }

  /**
   * Runs something in the session: every tool called inside belongs to it, however deep and however late.
   *
   * @throws (rejects) CacheError `ERR_ACACHE_SESSION_ENDED` after `end()`
   */
  async run<T>(fn: (session: this) => T | PromiseLike<T>): Promise<T> {
    this[STATE].checkNotEnded();
    return inSession(this, false, () => fn(this));
  }

  /** Begins a session, runs something in it, and ends it. */
  static async run<T>(
    options: AgentCacheSessionOptions,
    fn: (session: AgentCacheSession) => T | PromiseLike<T>,
  ): Promise<T> {
    const session = new AgentCacheSession(options);
    try {
      return await session.run(fn);
    } finally {
      await session.end();
    }
  }

  /**
   * A function that runs in this session, wherever it is called: it beats the session around the call,
   * and one that was given to a tool.
   */
  bind<F extends (...args: any[]) => any>(fn: F): F {
    if (typeof (fn as unknown) !== 'function') {
      throw new InvalidOptionError(`bind takes a function, got ${describeValue(fn)}`);
    }
    const isGenerator = Object.prototype.toString.call(fn) === '[object AsyncGeneratorFunction]';
    const within = <T>(work: () => T): T => inSession(this, true, work);
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      const result: unknown = within(() => fn.apply(this, args) as unknown);
      // The steps of a generator run where they are asked for.
      return isGenerator ? stepsWithin(within, result as AsyncIterable<unknown>) : result;
    };
    return likeOriginal(bound, fn) as F;
  }

  /** What was counted in it and its children. */
  getMetrics(): AgentMetrics {
    return this[STATE].counters.snapshot();
  }

  /** Forgets the calls so far, as far as loops are concerned, at a new turn of the user say. Depth is counted on. */
  resetLoops(): void {
    this[STATE].resetLoops();
  }

  /**
   * Ends it: what it held is gone, and later calls in it are refused. Calls that run go on, and what they
   * bring is not stored. Settles once its answers are gone from the cache.
   */
  end(): Promise<void> {
    return this[STATE].end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /** What it is among the arguments of a call, as in `session.run(tool)`. */
  toCacheKey(): string {
    return this.id;
  }
}
