import { AsyncCache, makeKey, type CacheMetrics, type GetOptions } from '@acache/core';
import type { Call, CallCache } from './call-cache.js';
import { cacheOptions, type CachedOptions } from './cached-options.js';
import { tagsFor } from './call-list.js';
import { makeReachable } from './reachable-caches.js';

/** Results in a cache of their own. */
export class OwnCache implements CallCache {
  readonly #cache: AsyncCache;
  readonly #options: CachedOptions;
  readonly #name: string;
  readonly #skipArgs: number;

  /** @param name - of the function, for metrics and errors; with a tier it must be given in the options */
  constructor(options: CachedOptions, name: string) {
    const own = cacheOptions(options);
    // The name is the namespace in a tier, where a function's name, which a bundler shortens, is none.
    this.#cache = new AsyncCache(own.tier === undefined && name !== '' ? { name, ...own } : own);
    this.#options = options;
    this.#name = name;
    this.#skipArgs = options.skipArgs ?? 0;
    makeReachable(this.#cache, options);
  }

  get(args: readonly unknown[], call: Call): Promise<unknown> {
    try {
      const key = this.#keyOf(args);
      return this.#options.tags === undefined
        ? this.#cache.get(key, call)
        : this.#cache.get(key, this.#loading(args, call));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async refresh(args: readonly unknown[], call: Call): Promise<unknown> {
    return this.#cache.get(this.#keyOf(args), { ...this.#loading(args, call), refresh: true });
  }

  async invalidate(args: readonly unknown[]): Promise<boolean> {
    return this.#cache.delete(this.#keyOf(args));
  }

  clear(): Promise<void> {
    return this.#cache.clear();
  }

  getMetrics(): CacheMetrics {
    return this.#cache.getMetrics();
  }

  #loading(args: readonly unknown[], call: Call): GetOptions {
    const { tags } = this.#options;
    return tags === undefined ? { loader: call } : { loader: call, tags: tagsFor(tags, args) };
  }

  /** One number or text is its own key, which is the fastest; else the key is a text, which keeps no argument alive. */
  #keyOf(args: readonly unknown[]): unknown {
    const { key } = this.#options;
    if (key !== undefined) return key(...args);
    const skip = this.#skipArgs;
    if (args.length === skip + 1) {
      const arg = args[skip];
      // A cache takes -0 and 0 for one key, a function may not.
      if (typeof arg === 'number' && !Object.is(arg, -0)) return arg;
      // Those of `makeKey` have a bar.
      if (typeof arg === 'string' && !arg.includes('|')) return arg;
    }
    return makeKey(this.#name, args, skip);
  }
}
