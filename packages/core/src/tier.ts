import type { Clock } from './clock.js';
import type { Duration } from './duration.js';
import type { Entry } from './entry.js';

/**
 * The shared level behind the memory of several processes. A cache attaches under its name, which is
 * its namespace there.
 *
 * Keys are texts that the cache made: equal for equal keys in every process. `tierContract` of
 * `@acache/core/testing` checks an implementation.
 */
export interface Tier {
  /** Joins a cache to a namespace; several may join one, and join again after a close. */
  attach(namespace: string, host: TierHost): TierNamespace;
}

/**
 * What a tier can tell the cache that attached to it. None of these ever throws. `invalidate…` is for
 * what others did: never for this namespace's own changes, commits and leases.
 */
export interface TierHost {
  readonly clock: Clock;
  /**
   * Somebody else changed these keys: memory forgets them, and what is loading is not stored. With
   * `lookups: 'go on'`, a lookup that runs is not revoked: the tier answers it with what is there
   * after this change, or says so again before it answers. With `loads: 'go on'`, nothing is revoked:
   * only memory may be out of date.
   */
  invalidate(keys: readonly string[], options?: InvalidateOptions): void;
  /** Somebody else invalidated these tags. */
  invalidateTags(tags: readonly string[]): void;
  /** Anything may have changed: after a lost link, a failover, a flush. Memory forgets all. */
  invalidateAll(): void;
  /** Becomes a `tier` event. */
  report(state: string, detail?: unknown): void;
  /** Becomes an `error` event, and counts as a tier error. */
  fail(error: unknown, key?: string): void;
}

/** What goes on though keys were changed. */
export interface InvalidateOptions {
  readonly lookups?: 'go on';
  readonly loads?: 'go on';
}

/** One cache's part of a tier. */
export interface TierNamespace {
  /** Settles when it is connected, or given up on for now. */
  readonly ready: Promise<void>;

  /**
   * How long the cache waits for an answer before it goes on without the tier; for a bulk, so long for
   * every hundred keys begun.
   * @defaultValue `1000` milliseconds
   */
  readonly deadline?: Duration;

  /**
   * How long the cache waits for the load of another process before it goes on without the tier.
   * @defaultValue `60_000` milliseconds
   */
  readonly busyDeadline?: Duration;

  /**
   * How long memory may keep what was loaded while the tier was away.
   * @defaultValue `2000` milliseconds
   */
  readonly degradedTtl?: Duration;

  /**
   * How long memory may serve what came through the tier while it is not coherent: for a tier that
   * never hears of changes elsewhere, and says how old what it is good for may be.
   * @defaultValue `0`: only what the tier vouches for is served from memory
   */
  readonly trust?: Duration;

  /** True while the tier vouches that it would have told of every change. Asked at every hit. */
  coherent(): boolean;

  /**
   * Looks keys up, all in one round trip, one answer per request in their order; a key may be there
   * twice. What was told by
   * `set`, `delete`, `expire`, `invalidateTags` and `clear` before counts, even while it is on its
   * way or could not be sent.
   */
  lookup(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]>;

  set(key: string, entry: Entry): Promise<void>;
  /** Many sets in one round trip. Without it each goes by itself. */
  setMany?(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void>;
  delete(key: string): Promise<void>;
  /** Ends the freshness of a key now; its stale windows begin. */
  expire(key: string): Promise<void>;
  invalidateTags(tags: readonly string[]): Promise<void>;
  /** Forgets every key of the namespace, and no other. */
  clear(): Promise<void>;

  /** Resolves when all that was told so far has taken effect; rejects when it has not. */
  flush(): Promise<void>;
  /** Gives leases back and sends what it can, within 2.5 s; other namespaces stay usable. */
  close(): Promise<void>;
}

export type TierIntent = 'read' | 'load' | 'renew' | 'refresh';

export interface TierRequest {
  readonly key: string;
  /**
   * - `read` only looks.
   * - `load` wants to load what is missing or not fresh, unless another process does.
   * - `renew` wants to load even what is fresh, unless another process does.
   * - `refresh` wants to load in any case: it takes the lease over, so that a load which another
   *   process began before is not stored.
   */
  readonly intent: TierIntent;
  /** Tags known before the load, whose state may be read along. */
  readonly tags: readonly string[];
}

/**
 * - `found`: an entry that is not dead; with a lease where the request wants to load it anew and no
 *   other process does.
 * - `missing`: nothing is there; with a lease where the request wants to load.
 * - `busy`: nothing is there that may be served before a load, and another process is loading it;
 *   `entry` may be served should that fail. `settled` answers when that load has ended, in bounded
 *   time, and never with `busy` for good.
 * - `unavailable`: the tier cannot say. The cache loads for itself.
 */
export type TierAnswer =
  | { readonly kind: 'found'; readonly entry: Entry; readonly lease?: TierLease }
  | { readonly kind: 'missing'; readonly lease?: TierLease }
  | { readonly kind: 'busy'; readonly entry?: Entry; settled(): Promise<TierAnswer> }
  | { readonly kind: 'unavailable' };

/**
 * The right to load one key for all processes. It holds, renewed by the tier, until it is given back
 * or something invalidates the key; from then on `commit` stores nothing. A tier that cannot
 * coordinate grants one to everyone who asks, since only `commit` stores what was loaded.
 */
export interface TierLease {
  /**
   * Stores what was loaded if nothing invalidated it meanwhile, its tags included. Gives the lease
   * back however it ends.
   */
  commit(entry: Entry): Promise<'stored' | 'refused' | 'unavailable'>;
  /** Gives the lease back with nothing to store. Counts as told before every later lookup. */
  release(): Promise<void>;
}
