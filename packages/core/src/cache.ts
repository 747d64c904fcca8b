import type { CacheEventName, CacheEvents } from './events.js';
import type { EntryOptions, GetManyOptions, GetOptions, LoadMany } from './cache-options.js';
import type { BatchFunction } from './batch-function.js';
import type { LoadContext } from './loader.js';
import type { CacheMetrics } from './metrics.js';
import type { ReadResult } from './read-result.js';
import type { WarmupEntries, WarmupOptions, WarmupReport } from './warmup.js';

/** The type of a key that was given: the cache's, unless that takes any key. */
export type GivenKey<K, Key extends K> = unknown extends K ? Key : K;

/** The type of a value that was asked for: the cache's, unless that holds any value. */
export type LoadedValue<V, T extends V> = 0 extends 1 & V ? T : V;

/** A loader whose result has a type of its own, within what the cache holds. */
export type LoaderReturning<K, V, T extends V> = (
  key: K,
  context: LoadContext<V>,
) => T | PromiseLike<T>;

/** `GetOptions` that name a loader, so that there is a value in the end. */
export type LoadingOptions<K, V, T extends V> = Omit<GetOptions<K, V>, 'loader' | 'batchLoader'> &
  (
    | { loader: LoaderReturning<K, V, T>; batchLoader?: never }
    | { batchLoader: BatchFunction<K, T>; loader?: never }
  );

/**
 * A cache, as the other packages know it.
 *
 * Keys are primitives, as in a `Map`, or plain objects and arrays, compared by value.
 */
export interface Cache<K = unknown, V = any> {
  readonly name: string;
  /** Live entries in memory. */
  readonly size: number;

  /** The value that is cached, or that a running load brings; `undefined` where there is none. */
  get(key: K): Promise<V | undefined>;
  /** The value that is cached, else what the loader brings. Callers of one key share one load. */
  get<T extends V = V, Key extends K = K>(
    key: Key,
    load: LoaderReturning<GivenKey<K, Key>, V, T> | LoadingOptions<GivenKey<K, Key>, V, T>,
  ): Promise<LoadedValue<V, T>>;
  get(key: K, options: GetOptions<K, V>): Promise<V | undefined>;

  /** A `get` that also tells where the value came from and how old it is. */
  getWithMeta(key: K): Promise<ReadResult<V | undefined>>;
  getWithMeta<T extends V = V, Key extends K = K>(
    key: Key,
    load: LoaderReturning<GivenKey<K, Key>, V, T> | LoadingOptions<GivenKey<K, Key>, V, T>,
  ): Promise<ReadResult<LoadedValue<V, T>>>;
  getWithMeta(key: K, options?: GetOptions<K, V>): Promise<ReadResult<V | undefined>>;

  /**
   * Reads many keys. `loadMany` is called once, with the missing keys only; loads are shared with `get`.
   *
   * @returns in key order, what was found or loaded
   * @throws (rejects) with the first error among the results, after the others are stored
   */
  getMany<T extends V = V, Key extends K = K>(
    keys: Iterable<Key>,
    options?: LoadMany<GivenKey<K, Key>, T> | GetManyOptions<GivenKey<K, Key>, V>,
  ): Promise<Map<GivenKey<K, Key>, LoadedValue<V, T>>>;

  /** The fresh value in this memory, at once; counts for neither metrics nor policy. */
  peek(key: K): V | undefined;
  /** Whether this memory holds a fresh value; counts for neither metrics nor policy. */
  has(key: K): boolean;

  /** Stores a value. Memory changes before the call returns; loads of the key are not stored. */
  set(key: K, value: V, options?: EntryOptions<V>): Promise<void>;
  /** Stores many values; either all are valid or none is stored. */
  setMany(entries: Iterable<readonly [K, V]>, options?: EntryOptions<V>): Promise<void>;
  /** Removes a key at every level; a load that runs is not stored. True if memory held it. */
  delete(key: K): Promise<boolean>;
  /** Makes a key stale now; its stale windows begin. True if memory held it. */
  expire(key: K): Promise<boolean>;
  /** Removes every entry that carries one of the tags, at every level. */
  invalidateTags(...tags: string[]): Promise<void>;
  /** Removes every entry of this cache, at every level; metrics start again at 0. */
  clear(): Promise<void>;

  /** Loads what is not cached yet, a few keys at a time; counts for no hit and no miss. */
  warmup(entries: WarmupEntries<K, V>, options?: WarmupOptions<K>): Promise<WarmupReport<K>>;

  getMetrics(): CacheMetrics;
  /**
   * Listens. Costs nothing while nobody does.
   *
   * @returns what ends it
   */
  on<E extends CacheEventName>(event: E, listener: (event: CacheEvents<K>[E]) => void): () => void;

  /** Settles when persistence is restored and the tier is connected or given up on. */
  readonly ready: Promise<void>;
  /** Resolves when what was set and deleted so far is durable and sent; rejects when it is not. */
  flush(): Promise<void>;
  /** Settles who waits, flushes, and frees files, connections and timers. */
  close(): Promise<void>;
}
