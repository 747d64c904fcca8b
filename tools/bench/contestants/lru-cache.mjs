import { LRUCache } from 'lru-cache';

/** @type {import('../lib/contestant.mjs').Open} */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new LRUCache({ max: maxSize, ttl: ttl ?? 0, fetchMethod: loader });
  return {
    get: (key) => cache.fetch(key),
    peek: (key) => cache.get(key), // which promotes; its own peek reports stale values too
    set: (key, value) => cache.set(key, value),
    size: () => cache.size,
  };
};
