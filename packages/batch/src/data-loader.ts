import { alignBatch, callBatch, type BatchWaiter, type Cache, type GetOptions } from '@acache/core';
import { Batch, type Outcomes } from './batch.js';
import { Callers, untilAborted } from './callers.js';
import {
  noArray,
  noBatchFunction,
  noKey,
  noKeys,
  noPromise,
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
  readonly #cacheMap: CacheMap<C, Promise<V>> | undefined;
  #batch: Batch<K, V> | undefined = undefined;
  #planned: unknown = undefined;
  /** Of the promises whose callers may leave; made when the first signal comes. */
  #callers: WeakMap<Promise<V>, Callers> | undefined = undefined;

  /** @throws TypeError for a batch function that is none, or an option that cannot be meant */
  constructor(batchLoadFn: BatchLoadFn<K, V>, options?: DataLoaderOptions<K, V, C>) {
    if (typeof batchLoadFn !== 'function') throw noBatchFunction(batchLoadFn);
    this.#load = batchLoadFn;
    this.#options = resolveDataLoaderOptions(options);
    this.#cacheMap = this.#options.cacheMap;
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
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const { cache } = this.#options;
    if (cache !== undefined) return this.#loadThrough(cache, key, signal);
    const cacheKey = this.#cacheKeyOf(key);
    const cached = this.#cacheMap?.get(cacheKey);
    if (cached) return this.#follow(cached, signal);
    return signal === undefined
      ? this.#enqueue(key, cacheKey)
      : this.#enqueueWhileWanted(key, cacheKey, signal);
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
    const cacheKey = this.#cacheKeyOf(key);
    this.#cacheMap?.delete(cacheKey);
    // It rejects when the cache is closed, and then there is nothing to forget.
    this.#options.cache?.delete(cacheKey).catch(ignore);
    return this;
  }

  /** Forgets all keys; of a `Cache`, everything that is in it. */
  clearAll(): this {
    this.#cacheMap?.clear();
    this.#options.cache?.clear().catch(ignore);
    return this;
  }

  /**
   * Keeps a value, or a failure, for a key that is not kept yet.
   *
   * @param value - a `Cache` keeps no error, unless its `errorTtl` says so
   */
  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const cacheKey = this.#cacheKeyOf(key);
    const { cache } = this.#options;
    if (cache !== undefined) primeCache(cache, cacheKey, value);
    else if (this.#cacheMap?.get(cacheKey) === undefined) {
      const promise = value instanceof Error ? Promise.reject<V>(value) : Promise.resolve<V>(value);
      // Whoever primes a failure does not wait for it.
      promise.catch(ignore);
      this.#cacheMap?.set(cacheKey, promise);
    }
    return this;
  }

  #cacheKeyOf(key: K): C {
    const { cacheKeyFn } = this.#options;
    return cacheKeyFn === undefined ? (key as unknown as C) : cacheKeyFn(key);
  }

  #loadThrough(cache: Cache<C, V>, key: K, signal: AbortSignal | undefined): Promise<V> {
    const loader = (_: C, waiter: BatchWaiter): Promise<V> => {
      const batch = this.#openBatch();
      const promise = batch.add(key, waiter);
      this.#dispatchIfFull(batch);
      return promise;
    };
    const options: GetOptions<C, V> = signal === undefined ? { loader } : { loader, signal };
    return cache.get(this.#cacheKeyOf(key), options) as Promise<V>;
  }

  /** What is kept is given with the batch, so that what its callers load next goes together, too. */
  #follow(cached: Promise<V>, signal: AbortSignal | undefined): Promise<V> {
    const promise = this.#options.schedule.callOff ? cached : this.#openBatch().after(cached);
    const callers = this.#callers?.get(cached);
    if (callers !== undefined) return callers.wait(promise, signal);
    return signal === undefined ? promise : untilAborted(promise, signal);
  }

  #enqueue(key: K, cacheKey: C, waiter?: BatchWaiter): Promise<V> {
    const batch = this.#openBatch();
    const promise = batch.add(key, waiter);
    this.#cacheMap?.set(cacheKey, promise);
    this.#dispatchIfFull(batch);
    return promise;
  }

  /** Loads for a caller who may leave, and forgets the key when all its callers have left. */
  #enqueueWhileWanted(key: K, cacheKey: C, signal: AbortSignal): Promise<V> {
    const callers = new Callers(() => {
      if (this.#cacheMap?.get(cacheKey) === promise) this.#cacheMap.delete(cacheKey);
    });
    const promise = this.#enqueue(key, cacheKey, callers);
    promise.catch(ignore);
    (this.#callers ??= new WeakMap()).set(promise, callers);
    return callers.wait(promise, signal);
  }

  /** The batch that takes the next key, planned when it is new. */
  #openBatch(): Batch<K, V> {
    const open = this.#batch;
    if (open !== undefined && open.keys.length < this.#options.maxBatchSize) return open;
    const batch = new Batch<K, V>();
    this.#batch = batch;
    try {
      this.#planned = this.#options.schedule.plan(() => {
        this.#dispatch(batch);
      });
    } catch (error) {
      this.#batch = undefined;
      throw error;
    }
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
    batch.dispatch((keys) => this.#send(keys, batch));
  }

  async #send(keys: readonly K[], batch: Batch<K, V>): Promise<Outcomes<V>> {
    try {
      const results = await this.#call(keys, batch);
      if (isArrayLike<V | Error>(results)) {
        if (results.length === keys.length) return results;
        throw wrongLength(keys, results);
      }
      if (typeof results !== 'object' || (results as unknown) === null) throw noArray(results);
      return alignBatch(keys, results);
    } catch (error) {
      this.#forget(keys);
      throw error;
    }
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
  #forget(keys: readonly K[]): void {
    if (this.#cacheMap === undefined) return;
    for (const key of keys) this.#cacheMap.delete(this.#cacheKeyOf(key));
  }
}

/** The types of dataloader by their names there. */
// eslint-disable-next-line @typescript-eslint/no-namespace -- so that `DataLoader.Options` of a program that moves here still compiles
export declare namespace DataLoader {
  export type { BatchLoadFn, CacheMap, DataLoaderOptions as Options };
}

function primeCache<C, V>(cache: Cache<C, V>, key: C, value: V | PromiseLike<V> | Error): void {
  if (!(value instanceof Error) && !isThenable(value)) {
    // It rejects when the cache is closed, and then it keeps nothing.
    if (!cache.has(key)) cache.set(key, value).catch(ignore);
    return;
  }
  const load = async (): Promise<V> => {
    if (value instanceof Error) throw value;
    return value;
  };
  const options: GetOptions<C, V> = { loader: load };
  cache.get(key, options).catch(ignore);
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
