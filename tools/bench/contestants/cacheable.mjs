import { Cacheable, createKeyv } from 'cacheable';

/**
 * Without its default of cloning every value, since the others share references too.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new Cacheable({
    primary: createKeyv({ lruSize: maxSize, useClone: false }),
    ...(ttl === null ? {} : { ttl }),
  });
  return {
    get: (key) => cache.getOrSet(key, () => loader(key)),
    set: (key, value) => cache.set(key, value),
  };
};
