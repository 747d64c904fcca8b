import {
  describeValue,
  systemClock,
  type BatchContext,
  type Cache,
  type Clock,
  type ClockTimer,
  type Duration,
} from '@acache/core';
import { afterPromises } from './after-promises.js';
import { resolveWindow } from './batch-options.js';
import { invalidOption } from './data-loader-errors.js';

/**
 * Loads many keys for a `DataLoader`. Promises an array with one result per key in the order of the
 * keys, or a Map or a record by key, in which a key that is missing stands for `undefined`. An `Error`
 * as a result fails that key alone. The loader is its `this`; the keys are frozen; the context is given
 * to a function that names a second parameter.
 */
export type BatchLoadFn<K, V> = (
  keys: readonly K[],
  context: BatchContext,
) => PromiseLike<
  ArrayLike<V | Error> | ReadonlyMap<K, V | Error> | Readonly<Record<string, V | Error>>
>;

/** Where a `DataLoader` keeps its promises, when not in a `Map`. */
export interface CacheMap<K, V> {
  get(key: K): V | void;
  set(key: K, value: V): unknown;
  delete(key: K): unknown;
  clear(): unknown;
}

/** How a `DataLoader` behaves: the options of dataloader 2.2 with their defaults, `window`, and a `Cache`. */
export interface DataLoaderOptions<K, V, C = K> {
  /**
   * `false` loads each key by itself, as `maxBatchSize: 1` does.
   * @defaultValue `true`
   */
  batch?: boolean;
  /** @defaultValue `Infinity`: no bound */
  maxBatchSize?: number;
  /**
   * Calls its argument when the batch is to go.
   * @defaultValue once the promise callbacks of this turn of the event loop are through
   */
  batchScheduleFn?: (callback: () => void) => void;
  /**
   * How long a batch waits for more keys, from its first one on, instead of `batchScheduleFn`. A full
   * batch does not wait.
   * @defaultValue none: it goes with this turn of the event loop
   */
  window?: Duration;
  /**
   * `true` keeps every promise until it is cleared; `false` keeps none. A `Cache`, such as
   * `new AsyncCache({ ttl: '1m' })`, keeps values by its own rules and across loaders: bounds, ttl, stale
   * windows, tags, metrics. It remembers no failure, unless its `errorTtl` says so.
   * @defaultValue `true`
   */
  cache?: boolean | Cache<C, V> | Cache;
  /**
   * What a key is cached by; two keys of one cache key are one.
   * @defaultValue the key itself
   */
  cacheKeyFn?: (key: K) => C;
  /**
   * Where promises are kept; `null`: nowhere.
   * @defaultValue a new `Map`
   */
  cacheMap?: CacheMap<C, Promise<V>> | null;
  /**
   * For whoever looks at it from outside, such as a tracer.
   * @defaultValue `null`
   */
  name?: string | null;
  /** Where the time of `window` comes from; tests hand in `fakeClock()`. */
  clock?: Clock;
}

/** When the batches of a `DataLoader` go. */
export interface Schedule {
  /** Plans the dispatch of a batch. */
  readonly plan: (dispatch: () => void) => unknown;
  /** Calls off what `plan` answered with; only a window can be cut short. */
  readonly callOff?: (planned: unknown) => void;
}

const WITH_THE_TURN: Schedule = { plan: afterPromises };

/** Options of a `DataLoader`, checked. */
export interface ResolvedDataLoaderOptions<K, V, C> {
  readonly maxBatchSize: number;
  readonly schedule: Schedule;
  /** `undefined`: the key itself. */
  readonly cacheKeyFn: ((key: K) => C) | undefined;
  /** `'own'`: a `Map` of the loader's own; `undefined`: promises are kept nowhere. */
  readonly cacheMap: CacheMap<C, Promise<V>> | 'own' | undefined;
  readonly cache: Cache<C, V> | undefined;
  readonly name: string | null;
}

/** What most loaders are made with, one for each request. */
const DEFAULTS = {
  maxBatchSize: Infinity,
  schedule: WITH_THE_TURN,
  cacheKeyFn: undefined,
  cacheMap: 'own',
  cache: undefined,
  name: null,
} as const;

/**
 * Checks the options of a `DataLoader`.
 *
 * @throws TypeError with the code `ERR_ACACHE_INVALID_OPTION` for one that cannot be meant
 */
export function resolveDataLoaderOptions<K, V, C>(
  options: DataLoaderOptions<K, V, C> | null | undefined,
): ResolvedDataLoaderOptions<K, V, C> {
  if (options === undefined || options === null) return DEFAULTS;
  const { batch, cacheKeyFn, name } = options;
  checkFunction(cacheKeyFn, 'cacheKeyFn');
  const cache = resolveCache(options);
  return {
    maxBatchSize: batch === false ? 1 : resolveSize(options.maxBatchSize),
    schedule: resolveSchedule(options),
    cacheKeyFn,
    cacheMap: cache === undefined ? resolveCacheMap(options) : undefined,
    cache,
    name: name === undefined || name === '' ? null : name,
  };
}

function resolveSize(maxBatchSize: unknown = Infinity): number {
  if (typeof maxBatchSize === 'number' && maxBatchSize >= 1) return maxBatchSize;
  throw invalidOption(
    `maxBatchSize must be a positive number, but got: ${describeValue(maxBatchSize)}`,
  );
}

function resolveSchedule<K, V, C>(options: DataLoaderOptions<K, V, C>): Schedule {
  const { batchScheduleFn, window } = options;
  checkFunction(batchScheduleFn, 'batchScheduleFn');
  if (window === undefined) {
    return batchScheduleFn === undefined ? WITH_THE_TURN : { plan: batchScheduleFn };
  }
  if (batchScheduleFn !== undefined) {
    throw invalidOption('window and batchScheduleFn exclude each other, but got both');
  }
  const ms = windowOf(window);
  if (ms === 0) return WITH_THE_TURN;
  const { clock = systemClock() } = options;
  if (!hasMethod(clock, 'setTimeout')) {
    throw invalidOption(`clock must be a Clock, but got: ${describeValue(clock)}`);
  }
  return {
    plan: (dispatch) => clock.setTimeout(dispatch, ms),
    callOff: (timer) => {
      clock.clearTimeout(timer as ClockTimer);
    },
  };
}

function windowOf(window: Duration): number {
  try {
    return resolveWindow(window);
  } catch (error) {
    throw invalidOption((error as Error).message);
  }
}

function resolveCache<K, V, C>(options: DataLoaderOptions<K, V, C>): Cache<C, V> | undefined {
  const { cache } = options;
  if (typeof cache !== 'object' || (cache as unknown) === null) return undefined;
  if (!['get', 'has', 'peek', 'expire'].every((name) => hasMethod(cache, name))) {
    throw invalidOption(
      'cache must be a boolean or a Cache such as new AsyncCache(); a map of promises is a cacheMap',
    );
  }
  if (options.cacheMap === undefined || options.cacheMap === null) return cache as Cache<C, V>;
  throw invalidOption('cache and cacheMap exclude each other, but got both');
}

function resolveCacheMap<K, V, C>(
  options: DataLoaderOptions<K, V, C>,
): CacheMap<C, Promise<V>> | 'own' | undefined {
  if (options.cache === false) return undefined;
  const { cacheMap } = options;
  if (cacheMap === undefined) return 'own';
  if (cacheMap === null) return undefined;
  const missing = ['get', 'set', 'delete', 'clear'].filter((name) => !hasMethod(cacheMap, name));
  if (missing.length === 0) return cacheMap;
  throw invalidOption(
    `a custom cacheMap must have the methods that are missing: ${missing.join(', ')}`,
  );
}

function checkFunction(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'function') return;
  throw invalidOption(`${name} must be a function, but got: ${describeValue(value)}`);
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | undefined)?.[name] === 'function';
}
