import { encodeKey, makeKey, type CacheMetrics, type GetOptions } from '@acache/core';
import type { AnyCache } from './any-cache.js';
import type { Call, CallCache } from './call-cache.js';
import { tagsFor } from './call-list.js';
import { CallMetrics } from './call-metrics.js';
import type { CachedOptions } from './cached-options.js';

/** Whose results these are, in a cache that holds others too. */
export interface Owner {
  /** Of the function, unique in the cache. */
  readonly name: string;
  /** Of the instance, where results are for one instance alone. */
  readonly instance?: string;
}

/** Results in a cache that was given, beside those of others. */
export class SharedCache implements CallCache {
  readonly #cache: AnyCache;
  readonly #options: CachedOptions;
  readonly #owner: Owner;
  /** On all its entries, so that they can be cleared without the others. */
  readonly #tag: string;
  readonly #metrics = new CallMetrics();

  constructor(cache: AnyCache, options: CachedOptions, owner: Owner) {
    this.#cache = cache;
    this.#options = options;
    this.#owner = owner;
    this.#tag = makeKey('acache:calls', [owner.name, owner.instance]);
  }

  async get(args: readonly unknown[], call: Call): Promise<unknown> {
    return this.#read(args, call, false);
  }

  async refresh(args: readonly unknown[], call: Call): Promise<unknown> {
    return this.#read(args, call, true);
  }

  async invalidate(args: readonly unknown[]): Promise<boolean> {
    return this.#cache.delete(this.#keyOf(args, this.#options.key?.(...args)));
  }

  async clear(): Promise<void> {
    this.#metrics.reset();
    await this.#cache.invalidateTags(this.#tag);
  }

  getMetrics(): CacheMetrics {
    return this.#metrics.snapshot(this.#cache.getMetrics());
  }

  async #read(args: readonly unknown[], call: Call, refresh: boolean): Promise<unknown> {
    const { ttl, staleWhileRevalidate, staleIfError, timeout, softTimeout } = this.#options;
    const given = this.#options.key?.(...args);
    const key = this.#keyOf(args, given);
    const count = this.#metrics.begin(key);
    const options: GetOptions = {
      loader: () => count.load(call),
      tags: this.#tagsOf(args, given),
      refresh,
      ...(ttl !== undefined && { ttl }),
      ...(staleWhileRevalidate !== undefined && { staleWhileRevalidate }),
      ...(staleIfError !== undefined && { staleIfError }),
      ...(timeout !== undefined && { timeout }),
      ...(softTimeout !== undefined && { softTimeout }),
    };
    return count.outcome(this.#cache.getWithMeta(key, options));
  }

  /** @param given - what the `key` option gives */
  #tagsOf(args: readonly unknown[], given: unknown): string[] {
    const { key, tags } = this.#options;
    const own = [this.#tag, ...tagsFor(tags, args)];
    // The key of the entry names the instance too: by this tag it can be found by the given key alone.
    return key !== undefined && this.#owner.instance !== undefined
      ? [...own, ...keyTags(given)]
      : own;
  }

  /** @param given - what the `key` option gives */
  #keyOf(args: readonly unknown[], given: unknown): unknown {
    const { key, skipArgs } = this.#options;
    const { name, instance } = this.#owner;
    if (key !== undefined) return instance === undefined ? given : makeKey(name, [instance, given]);
    return instance === undefined
      ? makeKey(name, args, skipArgs)
      : makeKey(name, [instance, ...args.slice(skipArgs)]);
  }
}

/** On the entries that instances keep apart under this key; a symbol names none. */
export function keyTags(key: unknown): string[] {
  return typeof key === 'symbol' ? [] : [`acache:key:${encodeKey(key)}`];
}
