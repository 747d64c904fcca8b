import { createCache } from 'cache-manager';
import { createKeyv } from 'cacheable';

/**
 * On the bounded store its manual recommends, without cloning.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = createCache({
    stores: [createKeyv({ lruSize: maxSize, useClone: false })],
    ...(ttl === null ? {} : { ttl }),
  });
  return {
    get: (key) => cache.wrap(key, () => loader(key)),
    set: (key, value) => cache.set(key, value),
  };
};

/**
 * What it refreshes behind a value is one whose ttl is nearly over: to serve stale values, its ttl is that of
 * both.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, maxSize, ttl, staleWhileRevalidate }) => {
  const cache = createCache({
    stores: [createKeyv({ lruSize: maxSize, useClone: false })],
    ttl: ttl + (staleWhileRevalidate ?? 0),
    ...(staleWhileRevalidate !== undefined && { refreshThreshold: staleWhileRevalidate }),
  });
  return {
    get: (key) => cache.wrap(key, () => load(key)),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.del(key),
    has: ['staleWhileRevalidate'],
  };
};
