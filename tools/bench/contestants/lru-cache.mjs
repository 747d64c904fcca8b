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

/**
 * It serves a stale value however old it is. A timeout is a signal. Without `ignoreFetchAbort` a `delete` fails
 * those who wait; with it, no caller can leave.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = (options) => {
  const { load, maxSize, ttl, staleWhileRevalidate, staleIfError, timeout, leaving } = options;
  const stale = staleWhileRevalidate !== undefined || staleIfError !== undefined;
  const cache = new LRUCache({
    max: maxSize,
    ttl,
    allowStale: staleWhileRevalidate !== undefined,
    noDeleteOnFetchRejection: stale,
    allowStaleOnFetchRejection: stale,
    ignoreFetchAbort: timeout === undefined && leaving !== true,
    fetchMethod: (/** @type {string} */ key, _stale, { signal }) => load(key, signal),
  });
  return {
    get: (key, signal) =>
      cache.fetch(key, { signal: timeout === undefined ? signal : AbortSignal.timeout(timeout) }),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    has: ['staleWhileRevalidate', 'staleIfError', 'timeout', 'signal'],
  };
};
