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
