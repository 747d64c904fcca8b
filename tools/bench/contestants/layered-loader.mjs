import { GroupLoader, Loader } from 'layered-loader/core';

const FOREVER = 10 * 365 * 86_400_000;

/** @typedef {import('../lib/data.mjs').Value} Value */

/** @type {import('../lib/contestant.mjs').Open} */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new Loader({
    inMemoryCache: { maxItems: maxSize, ttlInMsecs: ttl ?? FOREVER },
    dataSourceGetOneFn: loader,
  });
  return {
    get: (key) => /** @type {Promise<Value>} */ (cache.get(key)),
    peek: (key) => cache.getInMemoryOnly(key) ?? undefined,
  };
};

/** @type {import('../lib/contestant.mjs').OpenTier} */
export const openTier = (options) => openTiered(options, {}, {});

/**
 * @param {import('../lib/contestant.mjs').OpenTierOptions} options
 * @param {import('ioredis').RedisOptions} client
 * @param {{ timeoutInMsecs?: number }} own
 * @returns {Promise<import('../lib/contestant.mjs').Contestant>}
 */
export async function openTiered({ port, maxSize, ttl, loader }, client, own) {
  const [{ Redis }, { RedisCache }] = await Promise.all([
    import('ioredis'),
    import('layered-loader/redis'),
  ]);
  const redis = new Redis({ port, ...client });
  redis.on('error', () => undefined); // it would print each
  const ttlInMsecs = ttl ?? FOREVER;
  /** @type {Loader<Value | null>} */
  const cache = new Loader({
    inMemoryCache: { maxItems: maxSize, ttlInMsecs },
    asyncCache: new RedisCache(redis, { json: true, ttlInMsecs, ...own }),
    dataSourceGetOneFn: loader,
    dataSourceGetManyFn: (keys) => Promise.all(keys.map(loader)),
    cacheKeyFromValueResolver: (value) => `user:${value?.id}`,
    logger: { error: () => undefined },
  });
  return {
    get: (key) => /** @type {Promise<Value>} */ (cache.get(key)),
    getMany: (keys) => /** @type {Promise<Value[]>} */ (cache.getMany(keys)),
  };
}

/**
 * What it refreshes behind a value is one whose ttl is nearly over: to serve stale values, its ttl is that of
 * both. Tags are its groups, of which a key has one.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = (options) => {
  const { load, loadMany, maxSize, ttl, staleWhileRevalidate: stale, tag } = options;
  const times = {
    ttlInMsecs: ttl + (stale ?? 0),
    ...(stale !== undefined && { ttlLeftBeforeRefreshInMsecs: stale }),
  };
  if (tag !== undefined) {
    const groups = new GroupLoader({
      inMemoryCache: { ...times, maxGroups: maxSize, maxItemsPerGroup: maxSize },
      dataSources: [
        {
          name: 'source',
          getFromGroup: (/** @type {string} */ key) => load(key),
          getManyFromGroup: async () => [],
        },
      ],
    });
    return {
      get: (key) => groups.get(key, tag),
      invalidateTag: (name) => groups.invalidateCacheForGroup(name),
      has: [],
    };
  }
  /** @type {Loader<any>} */
  const cache = new Loader({
    inMemoryCache: { ...times, maxItems: maxSize },
    dataSourceGetOneFn: (key) => load(key),
    ...(loadMany !== undefined && { dataSourceGetManyFn: loadMany }),
    cacheKeyFromValueResolver: (value) => value.key,
    logger: { error: () => undefined },
  });
  return {
    get: (key) => cache.get(key),
    getMany: (keys) => cache.getMany(keys),
    set: (key, value) => cache.forceSetValue(key, value),
    delete: (key) => cache.invalidateCacheFor(key),
    has: ['staleWhileRevalidate'],
  };
};
