import { LRUCache } from 'lru-cache';

/**
 * lru-cache and a timer of one's own that calls `purgeStale()`.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new LRUCache({ max: maxSize, ttl: ttl ?? 0 });
  setInterval(() => cache.purgeStale(), (ttl ?? 0) + 2000).unref();
  return {
    get: loader,
    set: (key, value) => cache.set(key, value),
    size: () => cache.size,
  };
};
