import {
  callBatch,
  idOf,
  snapshotKey,
  type BatchWaiter,
  type Cache,
  type GetOptions,
} from '@acache/core';
import { Batch } from './batch.js';
import { Callers, untilAborted } from './callers.js';
import {
  noBatchFunction,
  noKey,
  noKeys,
  noPromise,
  noSignal,
  threwAtOnce,
} from './data-loader-errors.js';
import {
  resolveDataLoaderOptions,
  type BatchLoadFn as LoadFn,
  type CacheMap as PromiseMap,
  type DataLoaderOptions,
  type ResolvedDataLoaderOptions,
} from './data-loader-options.js';
import { isArrayLike, readResults } from './data-loader-results.js';
import { primeCache, primed } from './prime.js';

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
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- `C` is part of the name, as in dataloader
export interface DataLoader<K, V, C = K> {
  /** The name that was given, for whoever looks at it from outside; else `null`. */
  name: string | null;

  /**
   * Loads a key with the next batch, or gives what was loaded before.
   *
   * @throws TypeError for a key that is `null` or `undefined`
   */
  load(key: K, options: LoadOptions | undefined): Promise<V>;
  load(key: K): Promise<V>;

  /**
   * Loads many keys. Never rejects: in the place of a key that failed stands what it failed with, an
   * `Error` as a rule.
   *
   * @throws TypeError when `keys` is neither array nor array-like, or one of them `null` or `undefined`
   */
  loadMany(keys: ArrayLike<K>, options?: LoadOptions): Promise<(V | Error)[]>;

  /** Forgets a key, so that it is loaded anew. */
  clear(key: K): this;

  /** Forgets all keys; of a `Cache`, **everything** that is in it. */
  clearAll(): this;

  /**
   * Keeps a value, or a failure, for a key that is not kept yet.
   *
   * @param value - a `Cache` keeps no error, unless its `errorTtl` says so
   */
  prime(key: K, value: V | PromiseLike<V> | Error): this;
}

/** The types of dataloader by their names there. */
// eslint-disable-next-line @typescript-eslint/no-namespace -- so that `DataLoader.Options` of a program that moves here still compiles
export declare namespace DataLoader {
  export type BatchLoadFn<K, V> = LoadFn<K, V>;
  export type CacheMap<K, V> = PromiseMap<K, V>;
  export type Options<K, V, C = K> = DataLoaderOptions<K, V, C>;
}

/** Makes a `DataLoader`. The type of one has public members only, so that another of the same shape fits. */
export interface DataLoaderConstructor {
  /** @throws TypeError for a batch function that is none, or an option that cannot be meant */
  new <K, V, C = K>(
    batchLoadFn: LoadFn<K, V>,
    options?: DataLoaderOptions<K, V, C>,
  ): DataLoader<K, V, C>;
  readonly prototype: DataLoader<unknown, unknown>;
}

// No #private members: what wraps a loader in a Proxy, as tracers do, or derives one from it, finds them as its own.
export const DataLoader: DataLoaderConstructor = class DataLoader<
  K,
  V,
  C = K,
> implements DataLoader<K, V, C> {
  name: string | null;

  private readonly _load: LoadFn<K, V>;
  private readonly _options: ResolvedDataLoaderOptions<K, V, C>;
  private readonly _ownMap: Map<C, Promise<V>> | undefined;
  private readonly _cacheMap: PromiseMap<C, Promise<V>> | undefined;
  private _batch: Batch<K, V> | undefined = undefined;
  /** Whether all promises in `_ownMap` are from the open batch. */
  private _keepsOnlyOpen = false;
  private _planned: unknown = undefined;
  /** Of the keys that are being loaded for callers who may leave; made when the first signal comes. */
  private _callers: Map<C, Callers> | undefined = undefined;

  constructor(batchLoadFn: LoadFn<K, V>, options?: DataLoaderOptions<K, V, C>) {
    if (typeof batchLoadFn !== 'function') throw noBatchFunction(batchLoadFn);
    this._load = batchLoadFn;
    this._options = resolveDataLoaderOptions(options);
    const { cacheMap } = this._options;
    this._ownMap = cacheMap === 'own' ? new Map() : undefined;
    this._cacheMap = cacheMap === 'own' ? this._ownMap : cacheMap;
    this.name = this._options.name;
  }

  load(key: K, options?: LoadOptions): Promise<V> {
    if (key === null || key === undefined) throw noKey(key);
    const signal = options?.signal;
    if (signal !== undefined) {
      checkSignal(signal);
      if (signal.aborted) return Promise.reject(signal.reason);
    }
    const { cache } = this._options;
    if (cache !== undefined) return this._loadThrough(cache, key, signal);
    const cacheMap = this._cacheMap;
    if (cacheMap === undefined) return this._loadUnkept(key, signal);
    const cacheKey = this._cacheKeyOf(key);
    const cached = cacheMap.get(cacheKey);
    if (cached) return this._follow(cached, cacheKey, signal);
    return signal === undefined
      ? this._loadKept(key, cacheKey, cacheMap)
      : this._loadWhileWanted(key, cacheKey, cacheMap, signal);
  }

  loadMany(keys: ArrayLike<K>, options?: LoadOptions): Promise<(V | Error)[]> {
    if (!isArrayLike(keys)) throw noKeys(keys);
    const loads: Promise<V | Error>[] = [];
    for (const key of Array.from(keys)) {
      loads.push(this.load(key, options).catch((error: unknown) => error as Error));
    }
    return Promise.all(loads);
  }

  clear(key: K): this {
    const { cache } = this._options;
    if (cache !== undefined) {
      // It rejects when the cache is closed, and then there is nothing to forget.
      cache.delete(this._cacheKeyOf(key)).catch(ignore);
    } else if (this._cacheMap !== undefined) this._forget(key, this._cacheMap);
    return this;
  }

  clearAll(): this {
    this._options.cache?.clear().catch(ignore);
    this._cacheMap?.clear();
    this._callers?.clear();
    return this;
  }

  prime(key: K, value: V | PromiseLike<V> | Error): this {
    const { cache } = this._options;
    const cacheMap = this._cacheMap;
    if (cache !== undefined) primeCache(cache, this._cacheKeyOf(key), value);
    else if (cacheMap !== undefined) {
      const cacheKey = this._cacheKeyOf(key);
      if (cacheMap.get(cacheKey) !== undefined) return this;
      cacheMap.set(cacheKey, primed(value));
      this._keepsOnlyOpen = false;
    }
    return this;
  }

  private _cacheKeyOf(key: K): C {
    const { cacheKeyFn } = this._options;
    return cacheKeyFn === undefined ? (key as unknown as C) : cacheKeyFn(key);
  }

  private _loadThrough(cache: Cache<C, V>, key: K, signal: AbortSignal | undefined): Promise<V> {
    const { cacheKeyFn } = this._options;
    const cacheKey = this._cacheKeyOf(key);
    let joined = undefined as Batch<K, V> | undefined;
    const loader = (_: C, waiter: BatchWaiter): Promise<V> => {
      joined = this._openBatch();
      // As the cache has it, a key is what it was when it was asked for.
      const sent = () => (cacheKeyFn === undefined ? snapshotKey(key) : key);
      const promise = joined.addOnce(idOf(cacheKey), sent, waiter);
      this._dispatchIfFull(joined);
      return promise;
    };
    const options: GetOptions<C, V> = signal === undefined ? { loader } : { loader, signal };
    const promise = cache.get(cacheKey, options) as Promise<V>;
    if (this._options.schedule.callOff !== undefined) return promise;
    if (joined !== undefined) {
      joined.addAnswer(promise);
      return promise;
    }
    // It may fail before the batch has ended, and its caller is told after that.
    promise.catch(ignore);
    const answer = this._openBatch().afterAnswers(promise);
    return signal === undefined ? answer : untilAborted(answer, signal);
  }

  private _loadUnkept(key: K, signal: AbortSignal | undefined): Promise<V> {
    const batch = this._openBatch();
    if (signal === undefined) return this._addTo(batch, key);
    const callers = new Callers(ignore);
    return callers.wait(this._addTo(batch, key, callers), signal);
  }

  private _loadKept(
    key: K,
    cacheKey: C,
    cacheMap: PromiseMap<C, Promise<V>>,
    waiter?: Callers,
  ): Promise<V> {
    const batch = this._openBatch();
    const promise = batch.add(key, waiter);
    // Before it goes: the batch function may ask for the key, too.
    cacheMap.set(cacheKey, promise);
    if (waiter !== undefined) (this._callers ??= new Map()).set(cacheKey, waiter);
    // Those of an earlier load that the map has dropped.
    else this._callers?.delete(cacheKey);
    this._dispatchIfFull(batch);
    return promise;
  }

  /** Loads for a caller who may leave, and forgets the key when all its callers have left. */
  private _loadWhileWanted(
    key: K,
    cacheKey: C,
    cacheMap: PromiseMap<C, Promise<V>>,
    signal: AbortSignal,
  ): Promise<V> {
    const isOurs = (): boolean => this._callers?.get(cacheKey) === callers;
    const callers: Callers = new Callers(() => {
      if (isOurs()) this._forget(key, cacheMap);
    });
    const promise = this._loadKept(key, cacheKey, cacheMap, callers);
    const forgetCallers = (): void => {
      if (isOurs()) this._callers?.delete(cacheKey);
    };
    promise.then(forgetCallers, forgetCallers);
    return callers.wait(promise, signal);
  }

  private _follow(cached: Promise<V>, cacheKey: C, signal: AbortSignal | undefined): Promise<V> {
    const promise = this._withBatch(cached);
    const callers = this._callers?.get(cacheKey);
    if (callers !== undefined) return callers.wait(promise, signal);
    return signal === undefined ? promise : untilAborted(promise, signal);
  }

  /** What need not be loaded is given with the batch, so that what its callers load next goes together, too. */
  private _withBatch(promise: Promise<V>): Promise<V> {
    // A window is longer than what it could bring together.
    if (this._options.schedule.callOff !== undefined) return promise;
    const batch = this._openBatch();
    return this._keepsOnlyOpen ? promise : batch.after(promise);
  }

  private _addTo(batch: Batch<K, V>, key: K, waiter?: BatchWaiter): Promise<V> {
    const promise = batch.add(key, waiter);
    this._dispatchIfFull(batch);
    return promise;
  }

  /** The batch that takes the next key, planned when it is new. */
  private _openBatch(): Batch<K, V> {
    const open = this._batch;
    return open !== undefined && open.keys.length < this._options.maxBatchSize
      ? open
      : this._beginBatch();
  }

  // Apart, since a function that makes closures makes room for what they share whenever it is called.
  private _beginBatch(): Batch<K, V> {
    const batch = new Batch<K, V>();
    const dispatch = (): void => {
      if (batch.dispatched) return;
      // A schedule that calls at once would send the batch before its first key is in it.
      if (this._batch === batch || batch.keys.length > 0) this._dispatch(batch);
      else void Promise.resolve().then(dispatch);
    };
    this._planned = this._options.schedule.plan(dispatch);
    this._batch = batch;
    this._keepsOnlyOpen = this._ownMap?.size === 0;
    return batch;
  }

  /** A window is for those who may still come; without one, a full batch goes with the others of its turn. */
  private _dispatchIfFull(batch: Batch<K, V>): void {
    if (this._options.schedule.callOff && batch.keys.length >= this._options.maxBatchSize)
      this._dispatch(batch);
  }

  private _dispatch(batch: Batch<K, V>): void {
    if (batch.dispatched) return;
    if (this._batch === batch) {
      this._batch = undefined;
      this._options.schedule.callOff?.(this._planned);
    }
    batch.dispatch({
      send: (keys) => this._call(keys, batch),
      read: readResults<K, V>,
      onFailure: (keys) => {
        this._forgetAll(keys);
      },
    });
  }

  private _call(keys: readonly K[], batch: Batch<K, V>): ReturnType<LoadFn<K, V>> {
    let results: ReturnType<LoadFn<K, V>>;
    try {
      results = callBatch(this._load, keys, () => batch.context(), this);
    } catch (error) {
      throw threwAtOnce(error);
    }
    if (isThenable(results)) return results;
    throw noPromise(results);
  }

  /** What failed as a whole is loaded anew by the next who asks. */
  private _forgetAll(keys: readonly K[]): void {
    const cacheMap = this._cacheMap;
    if (cacheMap !== undefined) for (const key of keys) this._forget(key, cacheMap);
  }

  private _forget(key: K, cacheMap: PromiseMap<C, Promise<V>>): void {
    const cacheKey = this._cacheKeyOf(key);
    cacheMap.delete(cacheKey);
    this._callers?.delete(cacheKey);
  }
};

function checkSignal(signal: unknown): void {
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown };
  if (typeof addEventListener !== 'function') throw noSignal(signal);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}

function ignore(): void {
  // Whoever waits is told by their own promise.
}
