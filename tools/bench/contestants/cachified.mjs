import { cachified, createBatch } from '@epic-web/cachified';
import { LRUCache } from 'lru-cache';

/**
 * On lru-cache, as its manual shows.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  /** @type {LRUCache<string, import('@epic-web/cachified').CacheEntry>} */
  const cache = new LRUCache({ max: maxSize });
  return {
    get: (key) => cachified({ key, cache, ttl: ttl ?? Infinity, getFreshValue: () => loader(key) }),
  };
};

/** @type {import('../lib/contestant.mjs').OpenSource} */

export const openSource = ({ load, loadMany, maxSize, ttl, staleWhileRevalidate = 0 }) => {
  /** @type {LRUCache<string, import('@epic-web/cachified').CacheEntry>} */
  const cache = new LRUCache({ max: maxSize });
  return {
    get: (key) =>
      cachified({ key, cache, ttl, staleWhileRevalidate, getFreshValue: () => load(key) }),
    ...(loadMany !== undefined && {
      getMany(keys) {
        const batch = createBatch((/** @type {string[]} */ missing) => loadMany(missing));
        return Promise.all(
          keys.map((key) => cachified({ key, cache, ttl, getFreshValue: batch.add(key) })),
        );
      },
    }),
    delete: (key) => cache.delete(key),
    has: ['staleWhileRevalidate'],
  };
};
