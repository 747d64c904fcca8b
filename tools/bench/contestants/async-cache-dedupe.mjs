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
