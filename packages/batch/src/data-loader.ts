import {
  alignBatch,
  callBatch,
  type BatchResults,
  type BatchWaiter,
  type Cache,
  type GetOptions,
} from '@acache/core';
import { Batch, type Outcomes } from './batch.js';
import { Callers, untilAborted } from './callers.js';
import {
  noArray,
  noBatchFunction,
  noKey,
  noKeys,
  noPromise,
  noSignal,
  threwAtOnce,
  wrongLength,
} from './data-loader-errors.js';
import {
  resolveDataLoaderOptions,
  type BatchLoadFn,
  type CacheMap,
  type DataLoaderOptions,
  type ResolvedDataLoaderOptions,
} from './data-loader-options.js';

/** How one `load` behaves. */
export interface LoadOptions {
  /**
   * Lets this caller leave: it rejects with the signal's reason, others of the key wait on. A key that
   * every caller has left is not sent, or forgotten if it was.
   */
  signal?: AbortSignal;
}

/**
 * Loads single keys in batches, and each key once: a drop-in for graphql/dataloader 2.2.
 *
 * All loads of one turn of the event loop go together, those included that are made in its promise
 * callbacks. Promises are kept, failures of single keys too, until they are cleared: make a loader for each
 * request, or give it a `Cache`.
 *
 * ```ts
 * const users = new DataLoader(async (ids: readonly number[]) => database.findUsers(ids));
 * const [ann, bob] = await Promise.all([users.load(1), users.load(2)]); // one call
 * ```
 *
 * @see https://github.com/graphql/dataloader
 */
export class DataLoader<K, V, C = K> {
  /** The name that was given, for whoever looks at it from outside; else `null`. */
  name: string | null;

  readonly #load: BatchLoadFn<K, V>;
  readonly #options: ResolvedDataLoaderOptions<K, V, C>;
  readonly #ownMap: Map<C, Promise<V>> | undefined;
  readonly #cacheMap: CacheMap<C, Promise<V>> | undefined;
  #batch: Batch<K, V> | undefined = undefined;
  /** The batch that all promises in `#ownMap` are from, while there is such a one. */
  #onlyBatch: Batch<K, V> | undefined = undefined;
  #planned: unknown = undefined;
  /** Of the keys that are being loaded for callers who may leave; made when the first signal comes. */
  #callers: Map<C, Callers> | undefined = undefined;

  /** @throws TypeError for a batch function that is none, or an option that cannot be meant */
  constructor(batchLoadFn: BatchLoadFn<K, V>, options?: DataLoaderOptions<K, V, C>) {
    if (typeof batchLoadFn !== 'function') throw noBatchFunction(batchLoadFn);
    this.#load = batchLoadFn;
    this.#options = resolveDataLoaderOptions(options);
    const { cacheMap } = this.#options;
    this.#ownMap = cacheMap === 'own' ? new Map() : undefined;
    this.#cacheMap = cacheMap === 'own' ? this.#ownMap : cacheMap;
    this.name = this.#options.name;
  }

  /**
   * Loads a key with the next batch, or gives what was loaded before.
   *
   * @throws TypeError for a key that is `null` or `undefined`
   */
  load(key: K, options?: LoadOptions): Promise<V> {
    if (key === null || key === undefined) throw noKey(key);
    const signal = options?.signal;
    if (signal !== undefined) {
      checkSignal(signal);
      if (signal.aborted) return Promise.reject(signal.reason);
    }
    const { cache } = this.#options;
    if (cache !== undefined) return this.#loadThrough(cache, key, signal);
    const cacheMap = this.#cacheMap;
    if (cacheMap === undefined) return this.#loadUnkept(key, signal);
    const cacheKey = this.#cacheKeyOf(key);
    const cached = cacheMap.get(cacheKey);
    if (cached) return this.#follow(cached, cacheKey, signal);
    return signal === undefined
      ? this.#loadKept(key, cacheKey, cacheMap)
      : this.#loadWhileWanted(key, cacheKey, cacheMap, signal);
  }

  /**
   * Loads many keys. Never rejects: an error stands in the place of its key.
   *
   * @throws TypeError when `keys` is neither array nor array-like, or one of them `null` or `undefined`
   */
  loadMany(keys: ArrayLike<K>, options?: LoadOptions): Promise<(V | Error)[]> {
    if (!isArrayLike(keys)) throw noKeys(keys);
    const loads: Promise<V | Error>[] = [];
    for (const key of Array.from(keys)) {
      loads.push(this.load(key, options).catch((error: unknown) => error as Error));
    }
    return Promise.all(loads);
  }

  /** Forgets a key, so that it is loaded anew. */
  clear(key: K): this {
    const { cache } = this.#options;
    if (cache !== undefined) {
      // It rejects when the cache is closed, and then there is nothing to forget.
      cache.delete(this.#cacheKeyOf(key)).catch(ignore);
    } else if (this.#cacheMap !== undefined) this.#forget(key, this.#cacheMap);
    return this;
  }

  /** Forgets all keys; of a `Cache`, **everything** that is in it. */
  clearAll(): this {
    this.#options.cache?.clear().catch(ignore);
    this.#cacheMap?.clear();
    this.#callers?.clear();
    return this;
  }

  /**
   * Keeps a value, or a failure, for a key that is not kept yet.
   *
   * @param value - a `Cache` keeps no error, unless its `errorTtl` says so
   */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const { cache } = this.#options;
    const cacheMap = this.#cacheMap;
    if (cache !== undefined) primeCache(cache, this.#cacheKeyOf(key), value);
    else if (cacheMap !== undefined) {
      const cacheKey = this.#cacheKeyOf(key);
      if (cacheMap.get(cacheKey) !== undefined) return this;
      cacheMap.set(cacheKey, primed(value));
      this.#onlyBatch = undefined;
    }
    return this;
  }

  #cacheKeyOf(key: K): C {
    const { cacheKeyFn } = this.#options;
    return cacheKeyFn === undefined ? (key as unknown as C) : cacheKeyFn(key);
  }

  #loadThrough(cache: Cache<C, V>, key: K, signal: AbortSignal | undefined): Promise<V> {
    let joined = undefined as Batch<K, V> | undefined;
    const loader = (_: C, waiter: BatchWaiter): Promise<V> => {
      joined = this.#openBatch();
      return this.#addTo(joined, key, waiter);
    };
    const options: GetOptions<C, V> = signal === undefined ? { loader } : { loader, signal };
    const promise = cache.get(this.#cacheKeyOf(key), options) as Promise<V>;
    if (this.#options.schedule.callOff !== undefined) return promise;
    if (joined !== undefined) {
      joined.addAnswer(promise);
      return promise;
    }
    // It may fail before the batch has ended, and its caller is told after that.
    promise.catch(ignore);
    const answer = this.#openBatch().afterAnswers(promise);
    return signal === undefined ? answer : untilAborted(answer, signal);
  }

  #loadUnkept(key: K, signal: AbortSignal | undefined): Promise<V> {
    const batch = this.#openBatch();
    if (signal === undefined) return this.#addTo(batch, key);
    const callers = new Callers(ignore);
    return callers.wait(this.#addTo(batch, key, callers), signal);
  }

  #loadKept(key: K, cacheKey: C, cacheMap: CacheMap<C, Promise<V>>, waiter?: Callers): Promise<V> {
    const batch = this.#openBatch();
    const promise = batch.add(key, waiter);
    // Before it goes: the batch function may ask for the key, too.
    cacheMap.set(cacheKey, promise);
    if (waiter !== undefined) (this.#callers ??= new Map()).set(cacheKey, waiter);
    // Those of an earlier load that the map has dropped.
    else this.#callers?.delete(cacheKey);
    this.#dispatchIfFull(batch);
    return promise;
  }

  /** Loads for a caller who may leave, and forgets the key when all its callers have left. */
  #loadWhileWanted(
    key: K,
    cacheKey: C,
    cacheMap: CacheMap<C, Promise<V>>,
    signal: AbortSignal,
  ): Promise<V> {
    const isOurs = (): boolean => this.#callers?.get(cacheKey) === callers;
    const callers: Callers = new Callers(() => {
      if (isOurs()) this.#forget(key, cacheMap);
    });
    const promise = this.#loadKept(key, cacheKey, cacheMap, callers);
    const settled = (): void => {
      if (isOurs()) this.#callers?.delete(cacheKey);
    };
    promise.then(settled, settled);
    return callers.wait(promise, signal);
  }

  #follow(cached: Promise<V>, cacheKey: C, signal: AbortSignal | undefined): Promise<V> {
    const promise = this.#withBatch(cached);
    const callers = this.#callers?.get(cacheKey);
    if (callers !== undefined) return callers.wait(promise, signal);
    return signal === undefined ? promise : untilAborted(promise, signal);
  }

  /** What need not be loaded is given with the batch, so that what its callers load next goes together, too. */
  #withBatch(promise: Promise<V>): Promise<V> {
    // A window is longer than what it could bring together.
    if (this.#options.schedule.callOff !== undefined) return promise;
    const batch = this.#openBatch();
    return batch === this.#onlyBatch ? promise : batch.after(promise);
  }

  #addTo(batch: Batch<K, V>, key: K, waiter?: BatchWaiter): Promise<V> {
    const promise = batch.add(key, waiter);
    this.#dispatchIfFull(batch);
    return promise;
  }

  /** The batch that takes the next key, planned when it is new. */
  #openBatch(): Batch<K, V> {
    const open = this.#batch;
    return open !== undefined && open.keys.length < this.#options.maxBatchSize
      ? open
      : this.#beginBatch();
  }

  // Apart, since a function that makes closures makes room for what they share whenever it is called.
  #beginBatch(): Batch<K, V> {
    const batch = new Batch<K, V>();
    const dispatch = (): void => {
      if (batch.dispatched) return;
      // A schedule that calls at once would send the batch before its first key is in it.
      if (this.#batch === batch || batch.keys.length > 0) this.#dispatch(batch);
      else void Promise.resolve().then(dispatch);
    };
    this.#planned = this.#options.schedule.plan(dispatch);
    this.#batch = batch;
    this.#onlyBatch = this.#ownMap?.size === 0 ? batch : undefined;
    return batch;
  }

  /** A window is for those who may still come; without one, a full batch goes with the others of its turn. */
  #dispatchIfFull(batch: Batch<K, V>): void {
    if (this.#options.schedule.callOff && batch.keys.length >= this.#options.maxBatchSize)
      this.#dispatch(batch);
  }

  #dispatch(batch: Batch<K, V>): void {
    if (batch.dispatched) return;
    if (this.#batch === batch) {
      this.#batch = undefined;
      this.#options.schedule.callOff?.(this.#planned);
    }
    batch.dispatch({
      send: (keys) => this.#call(keys, batch),
      read: readResults<K, V>,
      onFailure: (keys) => {
        this.#forgetAll(keys);
      },
    });
  }

  #call(keys: readonly K[], batch: Batch<K, V>): ReturnType<BatchLoadFn<K, V>> {
    let results: ReturnType<BatchLoadFn<K, V>>;
    try {
      results = callBatch(this.#load, keys, () => batch.context(), this);
    } catch (error) {
      throw threwAtOnce(error);
    }
    if (isThenable(results)) return results;
    throw noPromise(results);
  }

  /** What failed as a whole is loaded anew by the next who asks. */
  #forgetAll(keys: readonly K[]): void {
    const cacheMap = this.#cacheMap;
    if (cacheMap !== undefined) for (const key of keys) this.#forget(key, cacheMap);
  }

  #forget(key: K, cacheMap: CacheMap<C, Promise<V>>): void {
    const cacheKey = this.#cacheKeyOf(key);
    cacheMap.delete(cacheKey);
    this.#callers?.delete(cacheKey);
  }
}

/** The types of dataloader by their names there. */
// eslint-disable-next-line @typescript-eslint/no-namespace -- so that `DataLoader.Options` of a program that moves here still compiles
export declare namespace DataLoader {
  export type { BatchLoadFn, CacheMap, DataLoaderOptions as Options };
}

function primeCache<C, V>(cache: Cache<C, V>, key: C, value: V | PromiseLike<V> | Error): void {
  const load = (): V | PromiseLike<V> => {
    if (value instanceof Error) throw value;
    return value;
  };
  // Keeps what is there or being loaded, and counts for no hit and no miss. It rejects when the cache is
  // closed, and then it keeps nothing.
  cache.warmup([[key, load]]).catch(ignore);
}

/** Whoever primes a failure does not wait for it. */
function primed<V>(value: V | PromiseLike<V> | Error): Promise<V> {
  const promise = value instanceof Error ? Promise.reject<V>(value) : Promise.resolve<V>(value);
  promise.catch(ignore);
  return promise;
}

function checkSignal(signal: unknown): void {
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown };
  if (typeof addEventListener !== 'function') throw noSignal(signal);
}

function readResults<K, V>(keys: readonly K[], results: unknown): Outcomes<V> {
  if (isArrayLike<V | Error>(results)) {
    if (results.length === keys.length) return results;
    throw wrongLength(keys, results);
  }
  if (typeof results !== 'object' || results === null) throw noArray(results);
  return alignBatch(keys, results as BatchResults<K, V>);
}

function isArrayLike<T>(value: unknown): value is ArrayLike<T> {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const { length } = value as { length?: unknown };
  return (
    typeof length === 'number' && (length === 0 || (length > 0 && Object.hasOwn(value, length - 1)))
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

function ignore(): void {
  // Whoever waits is told by their own promise.
}
