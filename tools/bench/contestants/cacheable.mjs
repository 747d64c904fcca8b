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
