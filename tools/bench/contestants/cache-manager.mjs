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
