/** The subject, used as anyone would; ACACHE_BENCH_SUBJECT names the module that exports it. */
const { AsyncCache, DataLoader, makeKey, redisTier } = await import(
  process.env.ACACHE_BENCH_SUBJECT ?? ''
);

/** @type {import('../lib/contestant.mjs').Open} */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new AsyncCache({ maxSize, ttl });
  return {
    get: (key) => cache.get(key, loader),
    peek: (key) => cache.peek(key),
    set: (key, value) => cache.set(key, value),
    size: () => cache.size,
  };
};

/** @type {import('../lib/contestant.mjs').OpenTier} */
export const openTier = async ({ port, maxSize, ttl, loader }) => {
  const tier = redisTier({ port });
  const cache = new AsyncCache({ name: 'bench', maxSize, ttl, tier });
  await cache.ready;
  const loadMany = (/** @type {readonly string[]} */ keys) => Promise.all(keys.map(loader));
  return {
    get: (key) => cache.get(key, loader),
    getMany: (keys) => cache.getMany(keys, loadMany),
    isWell: () => tier.getMetrics().coherent,
  };
};

/** @type {import('../lib/contestant.mjs').OpenLoader} */
export const openLoader = (loadMany, keep) =>
  new DataLoader(loadMany, keep ? undefined : { cache: false });

/** @param {unknown[]} args */
export const encode = (args) => makeKey('user', args);
