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

/** @type {import('../lib/contestant.mjs').OpenTier} */
export const openTier = (options) => openTiered(options, {}, {});

/**
 * With its default of serializing every value in memory too: without, it fails on what came from Redis
 * (`Cannot read properties of undefined (reading 'deserialize')`). It reads many keys one by one.
 *
 * @param {import('../lib/contestant.mjs').OpenTierOptions} options
 * @param {import('ioredis').RedisOptions} client
 * @param {{ l2CircuitBreakerDuration?: string }} own
 * @returns {Promise<import('../lib/contestant.mjs').Contestant>}
 */
export async function openTiered({ port, maxSize, ttl, loader }, client, own) {
  const { redisDriver } = await import('bentocache/drivers/redis');
  const cache = new BentoCache({
    default: 'tiered',
    ttl,
    ...own,
    stores: {
      tiered: bentostore()
        .useL1Layer(memoryDriver({ maxItems: maxSize }))
        .useL2Layer(redisDriver({ connection: { host: '127.0.0.1', port, ...client } })),
    },
  });
  const get = (/** @type {string} */ key) => cache.getOrSet({ key, factory: () => loader(key) });
  return { get, getMany: (keys) => Promise.all(keys.map(get)) };
}

/**
 * `timeout` of its options is how long a stale value inside `grace` waits for the loader: 0, its default, is
 * stale-while-revalidate.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = (options) => {
  const { load, maxSize, ttl, staleWhileRevalidate, staleIfError, timeout, tag } = options;
  const cache = new BentoCache({
    default: 'memory',
    ttl,
    grace: staleWhileRevalidate ?? staleIfError ?? false,
    ...(staleIfError !== undefined && { timeout: '1m' }),
    ...(timeout !== undefined && { hardTimeout: timeout }),
    stores: {
      memory: bentostore().useL1Layer(memoryDriver({ maxItems: maxSize, serialize: false })),
    },
  });
  return {
    get: (key) =>
      cache.getOrSet({ key, factory: () => load(key), ...(tag !== undefined && { tags: [tag] }) }),
    set: (key, value) => cache.set({ key, value }),
    delete: (key) => cache.delete({ key }),
    invalidateTag: (name) => cache.deleteByTag({ tags: [name] }),
    has: ['staleWhileRevalidate', 'staleIfError', 'timeout'],
  };
};
