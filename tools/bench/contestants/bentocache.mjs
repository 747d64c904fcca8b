import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';

/**
 * Without its default of serializing every value, since the others share references too.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new BentoCache({
    default: 'memory',
    ttl,
    stores: {
      memory: bentostore().useL1Layer(memoryDriver({ maxItems: maxSize, serialize: false })),
    },
  });
  return {
    get: (key) => cache.getOrSet({ key, factory: () => loader(key) }),
    set: (key, value) => cache.set({ key, value }),
  };
};
