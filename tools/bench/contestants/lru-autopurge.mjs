import { LRUCache } from 'lru-cache';

/**
 * lru-cache with `ttlAutopurge`: a timer for each entry.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new LRUCache({ max: maxSize, ttl: ttl ?? 0, ttlAutopurge: true });
  return {
    get: loader,
    set: (key, value) => cache.set(key, value),
    size: () => cache.size,
  };
};
