import { createCache } from 'async-cache-dedupe';

const FOREVER_SECONDS = 10 * 365 * 86_400;

/** @type {import('../lib/contestant.mjs').Open} */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = createCache({
    ttl: ttl === null ? FOREVER_SECONDS : Math.ceil(ttl / 1000), // without one it stores nothing
    storage: { type: 'memory', options: { size: maxSize } },
  }).define('load', loader);
  return { get: (key) => cache.load(key) };
};

/**
 * Its seconds are whole ones.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, maxSize, ttl, staleWhileRevalidate = 0, tag }) => {
  const cache = createCache({
    ttl: ttl / 1000,
    stale: staleWhileRevalidate / 1000,
    storage: { type: 'memory', options: { size: maxSize, invalidation: true } },
  }).define('load', { references: () => (tag === undefined ? [] : [tag]) }, (key) => load(key));
  return {
    get: (key) => cache.load(key),
    delete: (key) => cache.clear('load', key),
    invalidateTag: (name) => cache.invalidateAll(name),
    has: ['staleWhileRevalidate'],
  };
};
