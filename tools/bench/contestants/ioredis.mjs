import { Redis } from 'ioredis';

/**
 * The limit of a read from Redis: the client alone, and JSON. It neither loads nor keeps anything in
 * memory.
 *
 * @type {import('../lib/contestant.mjs').OpenTier}
 */
export const openTier = (options) => openClient(options, {});

/**
 * @param {import('../lib/contestant.mjs').OpenTierOptions} options
 * @param {import('ioredis').RedisOptions} own
 * @returns {import('../lib/contestant.mjs').Contestant}
 */
export function openClient({ port, ttl }, own) {
  const redis = new Redis({ port, ...own });
  return {
    get: (key) => redis.get(key).then(parse),
    getMany: (keys) => redis.mget(keys).then((texts) => texts.map(parse)),
    set: (key, value) => redis.set(key, JSON.stringify(value), 'PX', ttl ?? 2 ** 40),
  };
}

/** @param {string | null} text @returns {import('../lib/data.mjs').Value | undefined} */
const parse = (text) => (text === null ? undefined : JSON.parse(text));
