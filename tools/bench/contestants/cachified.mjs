import { cachified } from '@epic-web/cachified';
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
