import type { Clock } from './clock.js';
import type { Entry } from './entry.js';

/**
 * Lets a cache outlive its process. Every change of memory is told at once and may be written
 * later, in that order for each key; an evicted or expired entry is told as a `delete`.
 *
 * Keys are texts that the cache made: equal for equal keys in every process. `persistenceContract`
 * of `@acache/core/testing` checks an implementation.
 */
export interface Persistence {
  /**
   * Restores, by calling `host.restore` for every entry that is not dead, least recently used
   * first, each key once, and resolves when it is done. Called once, before everything else. Changes may be told
   * while it runs; they are newer than what it restores.
   *
   * @throws (rejects) when the cache must go on without it; it is then told of nothing any more
   */
  open(host: PersistenceHost): Promise<void>;
  /** Keeps an entry, later; what fails then is told by `host.fail` and by the next `flush`. */
  set(key: string, entry: Entry): void;
  delete(key: string): void;
  clear(): void;
  /** Resolves when all that was told so far is durable; rejects when it is not. */
  flush(): Promise<void>;
  /** Flushes and frees everything; may come while `open` runs. */
  close(): Promise<void>;
  /**
   * Grows while something is written or read: a close that takes long is waited for as long as it does.
   * Without it, and where it stands still, a close has 2.5 s.
   */
  readonly progress?: number;
}

/** What a persistence can ask and tell the cache it serves. None of these ever throws. */
export interface PersistenceHost {
  readonly clock: Clock;
  /**
   * Puts an entry back. Its `value` may be a getter that makes the value when it is first asked for;
   * one that throws is a miss.
   */
  restore(key: string, entry: Entry): void;
  /** The keys in memory as they are now, least recently used first, so that recency can be written. */
  order(): Iterable<string>;
  /** Becomes an `error` event. */
  fail(error: unknown): void;
}
