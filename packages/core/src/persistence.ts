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

/**
 * Entries as an earlier process left them, each at a position from 0 on. It must stay as it is: what
 * becomes of a key later is not its concern.
 */
export interface Archive<V = unknown> {
  readonly length: number;
  /** The position of a key; -1 where there is none. */
  find(key: string): number;
  keyAt(position: number): string;
  /** The entry, stored at no time to come; its `value` may be a getter, as for `restore`. */
  entryAt(position: number): Entry<V>;
  /** When nothing is left of the entry; asked often, so it should cost nothing worth naming. */
  diesAt(position: number): number;
  /** Whether the entry has tags. */
  isTagged(position: number): boolean;
}

/** What a persistence can ask and tell the cache it serves. None of these ever throws. */
export interface PersistenceHost {
  readonly clock: Clock;
  /**
   * Puts an entry back. Its `value` may be a getter that makes the value when it is first asked for;
   * one that throws is a miss.
   */
  restore(key: string, entry: Entry): void;
  /**
   * Puts back an entry that stays in an archive, and is read from there when it is first wanted: what a
   * start costs then hardly depends on how large the entries are. Every call must name the same archive,
   * and positions in ascending order. A host need not have this.
   */
  restoreFrom?(archive: Archive, position: number): void;
  /**
   * What is in memory now, least recently used first, so that recency can be written: the key, or the
   * position of an entry that still lies in the archive.
   */
  order(): Iterable<string | number>;
  /** Becomes an `error` event. */
  fail(error: unknown): void;
}
