import memoizee from 'memoizee';

/**
 * In its primitive mode, which its manual calls the fast one.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const get = memoizee(loader, {
    promise: true,
    primitive: true,
    length: 1,
    max: maxSize,
    ...(ttl === null ? {} : { maxAge: ttl }),
  });
  return { get, close: () => get.clear() };
};

/**
 * What it refreshes behind a value is one whose age is nearly over: to serve stale values, its age is that of
 * both.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, maxSize, ttl, staleWhileRevalidate: stale }) => {
  const maxAge = ttl + (stale ?? 0);
  const get = memoizee((/** @type {string} */ key) => load(key), {
    promise: true,
    primitive: true,
    length: 1,
    max: maxSize,
    maxAge,
    ...(stale !== undefined && { preFetch: stale / maxAge }),
  });
  return { get, delete: (key) => get.delete(key), has: ['staleWhileRevalidate'] };
};
