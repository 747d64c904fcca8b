import { LRUCache } from 'lru-cache';
import pMemoize from 'p-memoize';

/**
 * On its default `Map`: neither bound nor ttl.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ loader }) => ({ get: pMemoize(loader) });

/**
 * On lru-cache, which gives it a bound and a ttl.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, maxSize, ttl }) => {
  /** @type {LRUCache<string, any>} */
  const cache = new LRUCache({ max: maxSize, ttl });
  return {
    get: pMemoize((/** @type {string} */ key) => load(key), { cache }),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    has: [],
  };
};
