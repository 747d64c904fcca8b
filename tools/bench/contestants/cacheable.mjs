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

/** @type {import('../lib/contestant.mjs').OpenTier} */
export const openTier = async (options) => {
  const { createKeyv: createRedis } = await import('@keyv/redis');
  return openTiered(options, createRedis(`redis://127.0.0.1:${options.port}`), {});
};

/**
 * Its `getMany` cannot load.
 *
 * @param {import('../lib/contestant.mjs').OpenTierOptions} options
 * @param {import('keyv').Keyv} secondary
 * @param {{ nonBlocking?: boolean }} own
 * @returns {import('../lib/contestant.mjs').Contestant}
 */
export function openTiered({ maxSize, ttl, loader }, secondary, own) {
  const primary = createKeyv({ lruSize: maxSize, useClone: false });
  const cache = new Cacheable({ primary, secondary, ...(ttl === null ? {} : { ttl }), ...own });
  // It would throw where nobody listens.
  for (const source of [cache, secondary]) source.on('error', () => undefined);
  return {
    get: (key) => cache.getOrSet(key, () => loader(key)),
    getMany: (keys) => cache.getMany(keys),
  };
}

/**
 * With what makes it throw a loader's error. Its `getOrSet` takes no tags, `set` does.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, maxSize, ttl, tag }) => {
  const primary = createKeyv({ lruSize: maxSize, useClone: false });
  const cache = new Cacheable({ primary, ttl, tags: tag !== undefined });
  cache.on('error', () => undefined); // it would throw where nobody listens
  const loadTagged = async (/** @type {string} */ key) => {
    const known = await cache.get(key);
    if (known !== undefined) return known;
    const value = await load(key);
    await cache.set(key, value, { tags: [tag ?? ''] });
    return value;
  };
  return {
    get: (key) =>
      tag === undefined
        ? cache.getOrSet(key, () => load(key), { throwErrors: 'function' })
        : loadTagged(key),
    set: (key, value) => cache.set(key, value),
    delete: (key) => cache.delete(key),
    invalidateTag: (name) => cache.tags.invalidateTag(name),
    has: [],
  };
};
