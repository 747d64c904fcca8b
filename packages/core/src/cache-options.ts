import type { BatchFunction } from './batch-function.js';
import type { Batcher } from './batcher.js';
import type { Clock } from './clock.js';
import { describeValue } from './describe-value.js';
import { toMilliseconds, ttlToMilliseconds, type Duration, type Ttl } from './duration.js';
import { InvalidOptionError } from './errors.js';
import type { Loader } from './loader.js';
import { lru } from './lru-policy.js';
import type { Persistence } from './persistence.js';
import type { PolicyFactory } from './policy.js';
import { tinyLfu } from './tiny-lfu-policy.js';
import type { Tier } from './tier.js';

/** How a cache behaves. Durations are milliseconds or a string with its unit, such as `'5s'`. */
export interface AsyncCacheOptions<K = unknown, V = any> {
  /**
   * Names the cache in a tier, in metrics and in errors.
   * @defaultValue `'default'`; required with a tier, where it is the namespace
   */
  name?: string;
  /**
   * Entries held in memory at most. `null` or `Infinity`: unbounded, up to the 33 million that arrays
   * take well; `0`: nothing is stored, and callers still share loads.
   * @defaultValue `128`
   */
  maxSize?: number | null;
  /**
   * Sum of what `weigh` says of the entries at most, besides `maxSize`. An entry over it is returned
   * and not stored. Needs `weigh`.
   * @defaultValue no bound
   */
  maxWeight?: number;
  /** The weight of an entry, 0 or more; asked whenever memory takes one in. */
  weigh?: (value: V, key: K) => number;
  /**
   * Which entry goes when there is no room. `'lru'`: the least recently used. `'tinylfu'`: a newcomer
   * stays only if it is asked for more often than what it would replace, which keeps scans from emptying
   * the cache; below 16 entries that is `'lru'`.
   * @defaultValue `'lru'`
   */
  policy?: 'lru' | 'tinylfu' | PolicyFactory;
  /**
   * How long a value is fresh, from the moment it was stored. `null` never expires, `0` is not
   * stored; a function decides by the value.
   * @defaultValue `null`
   */
  ttl?: Ttl | ((value: V, key: K) => Ttl);
  /**
   * How long after `ttl` the value is still served at once while one refresh runs behind it.
   * @defaultValue `0`: a caller waits for the loader as soon as `ttl` has passed
   */
  staleWhileRevalidate?: Duration;
  /**
   * How long after `ttl` the value is still served when the loader fails or is too slow.
   * @defaultValue `0`: callers see the loader's error
   */
  staleIfError?: Duration;
  /**
   * Shortens each ttl by a random part of up to this fraction, 0 to 1, so that what was stored
   * together does not expire together.
   * @defaultValue `0`
   */
  jitter?: number;
  /**
   * A hit past this fraction of the ttl, 0 to 1, starts a refresh behind it.
   * @defaultValue none: only a stale value is refreshed
   */
  refreshAhead?: number;
  /**
   * How long a caller waits for a load, from its arrival. Then it gets a stale value inside
   * `staleIfError`, else `LoadTimeoutError`; the load goes on for those who come later.
   * @defaultValue no limit
   */
  timeout?: Duration;
  /**
   * How long a caller waits before a stale value inside `staleIfError` is served instead, while the
   * load goes on.
   * @defaultValue no limit
   */
  softTimeout?: Duration;
  /**
   * How long a failure is remembered: callers get the same error without a load.
   * @defaultValue `0`: the next caller loads again
   */
  errorTtl?: Duration | ((error: unknown, key: K) => Duration);
  /**
   * Copies values on set, on every hit and for each caller who joined, so that nobody sees what
   * another changes in place; `structuredClone`, say.
   * @defaultValue `false`: callers share one reference
   */
  clone?: false | ((value: V) => V);
  /** The shared level behind memory, such as `redisTier()` of `@acache/redis-tier`. */
  tier?: Tier;
  /** What lets the cache survive a restart, such as `filePersistence()` of `@acache/persist-file`. */
  persistence?: Persistence;
  /** What gathers `batchLoader` loads, such as `createBatcher()` of `@acache/batch`. */
  batcher?: Batcher;
  /** Where time comes from; tests hand in `fakeClock()`. */
  clock?: Clock;
}

/** What one entry may have differently from the cache it is stored in. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- the type of the value is part of the name's contract
export interface EntryOptions<V = unknown> {
  /** @defaultValue the cache's */
  ttl?: Ttl;
  /** @defaultValue the cache's */
  staleWhileRevalidate?: Duration;
  /** @defaultValue the cache's */
  staleIfError?: Duration;
  /** By which it can be invalidated together with others. */
  tags?: readonly string[];
}

/** How one `get` behaves. */
export interface GetOptions<K = unknown, V = any> extends Omit<EntryOptions<V>, 'ttl' | 'tags'> {
  ttl?: AsyncCacheOptions<K, V>['ttl'];
  /**
   * By which what is loaded can be invalidated together with others; a function decides by the
   * value. Those of the call that begins the load count, as its `ttl` does; not those of one who joins.
   */
  tags?: readonly string[] | ((value: V, key: K) => readonly string[]);
  /**
   * How long a failure of this load is remembered. That of the call that begins the load counts.
   * @defaultValue the cache's
   */
  errorTtl?: AsyncCacheOptions<K, V>['errorTtl'];
  /** Makes the value on a miss. */
  loader?: Loader<K, V>;
  /** Makes the value on a miss, together with others; needs a `batcher` in the cache's options. */
  batchLoader?: BatchFunction<K, V>;
  /**
   * Loads anew now and stores it, whatever is cached; a load that already runs is not waited for
   * and not stored. Refreshes that are asked for at once, with no await between, share one load.
   * @defaultValue `false`
   */
  refresh?: boolean;
  /** @defaultValue the cache's */
  timeout?: Duration;
  /** @defaultValue the cache's */
  softTimeout?: Duration;
  /** Lets this caller leave: it rejects with the signal's reason, the others wait on. */
  signal?: AbortSignal;
}

/** Loads the keys that are missing, each once. */
export type LoadMany<K, V> = BatchFunction<K, V>;

/** How one `getMany` behaves. */
export interface GetManyOptions<K = unknown, V = any> extends GetOptions<K, V> {
  /** Loads the keys that are missing, all in one call. */
  loadMany?: LoadMany<K, V>;
}

/** Options of a cache, checked and in milliseconds. `Infinity` stands for "no bound". */
export interface ResolvedOptions<K, V> {
  readonly name: string;
  readonly maxSize: number;
  readonly maxWeight: number;
  readonly weigh: ((value: V, key: K) => number) | undefined;
  readonly policy: PolicyFactory;
  readonly ttl: number | ((value: V, key: K) => Ttl);
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly jitter: number;
  readonly refreshAhead: number;
  readonly timeout: number;
  readonly softTimeout: number;
  readonly errorTtl: number | ((error: unknown, key: K) => Duration);
  readonly clone: ((value: V) => V) | undefined;
  readonly batcher: Batcher | undefined;
}

/**
 * Checks the options of a cache.
 *
 * @throws InvalidOptionError for one that cannot be meant
 */
export function resolveOptions<K, V>(options: AsyncCacheOptions<K, V>): ResolvedOptions<K, V> {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of a cache must be an object, got ${describeValue(options)}`,
    );
  }
  const { ttl = null, errorTtl = 0, clone = false, jitter = 0, refreshAhead = 1 } = options;
  const { staleWhileRevalidate = 0, staleIfError = 0 } = options;
  const { timeout = Infinity, softTimeout = Infinity } = options;
  checkFunction(options.weigh, 'weigh');
  checkPort(options.tier, 'tier', 'attach');
  checkPort(options.persistence, 'persistence', 'open');
  checkPort(options.batcher, 'batcher', 'load');
  checkPort(options.clock, 'clock', 'now');
  if (clone !== false) checkFunction(clone, 'clone', 'false or a function');
  return {
    name: resolveName(options),
    maxSize: resolveMaxSize(options.maxSize),
    maxWeight: resolveMaxWeight(options),
    weigh: options.weigh,
    policy: resolvePolicy(options.policy),
    ttl: typeof ttl === 'function' ? ttl : ttlToMilliseconds(ttl),
    staleWhileRevalidate: toMilliseconds(staleWhileRevalidate, 'staleWhileRevalidate'),
    staleIfError: toMilliseconds(staleIfError, 'staleIfError'),
    jitter: resolveFraction(jitter, 'jitter'),
    refreshAhead: resolveFraction(refreshAhead, 'refreshAhead'),
    timeout: toMilliseconds(timeout, 'timeout'),
    softTimeout: toMilliseconds(softTimeout, 'softTimeout'),
    errorTtl: typeof errorTtl === 'function' ? errorTtl : toMilliseconds(errorTtl, 'errorTtl'),
    clone: clone === false ? undefined : clone,
    batcher: options.batcher,
  };
}

function resolveName(options: { name?: unknown; tier?: unknown }): string {
  const { name } = options;
  if (name === undefined) {
    if (options.tier === undefined) return 'default';
    throw new InvalidOptionError('name is required with a tier: it is the namespace there');
  }
  if (typeof name === 'string' && name !== '') return name;
  throw new InvalidOptionError(`name must be a text that is not empty, got ${describeValue(name)}`);
}

function resolveMaxSize(maxSize: number | null = 128): number {
  if (maxSize === null || maxSize === Infinity) return Infinity;
  if (Number.isInteger(maxSize) && maxSize >= 0) return maxSize;
  throw new InvalidOptionError(
    `maxSize must be a whole number of entries, null or Infinity, got ${describeValue(maxSize)}`,
  );
}

function resolveMaxWeight(options: { maxWeight?: unknown; weigh?: unknown }): number {
  const { maxWeight, weigh } = options;
  if (maxWeight === undefined) return Infinity;
  if (typeof maxWeight !== 'number' || !(maxWeight >= 0)) {
    throw new InvalidOptionError(
      `maxWeight must be a number of at least 0, got ${describeValue(maxWeight)}`,
    );
  }
  if (weigh !== undefined) return maxWeight;
  throw new InvalidOptionError('maxWeight needs weigh, which says what an entry weighs');
}

function resolvePolicy(policy: AsyncCacheOptions['policy'] = 'lru'): PolicyFactory {
  if (typeof policy === 'function') return policy;
  if (policy === 'lru') return lru();
  if ((policy as unknown) === 'tinylfu') return tinyLfu();
  throw new InvalidOptionError(
    `policy must be 'lru', 'tinylfu' or a function that makes a policy, got ${describeValue(policy)}`,
  );
}

function resolveFraction(fraction: number, name: string): number {
  if (typeof fraction === 'number' && fraction >= 0 && fraction <= 1) return fraction;
  throw new InvalidOptionError(
    `${name} must be a fraction from 0 to 1, got ${describeValue(fraction)}`,
  );
}

function checkFunction(value: unknown, name: string, expected = 'a function'): void {
  if (value === undefined || typeof value === 'function') return;
  throw new InvalidOptionError(`${name} must be ${expected}, got ${describeValue(value)}`);
}

function checkPort(value: unknown, name: string, method: string): void {
  if (value === undefined) return;
  const port = value as Record<string, unknown> | null;
  if (typeof port === 'object' && port !== null && typeof port[method] === 'function') return;
  throw new InvalidOptionError(
    `${name} must be an object with a method ${method}(), got ${describeValue(value)}`,
  );
}
