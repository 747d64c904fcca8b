import { contestant } from './contestant.mjs';
import { countingLoader, makeKeys, makeValues } from './data.mjs';
import { keysFound, startServer } from './redis.mjs';
import { TTL } from './case.mjs';

/** A power of two, so that a loop goes around the keys with a mask. */
const KEYS = 8192;
/**
 * Every contestant has its memory in front of Redis, as its user would. It holds an eighth of the keys,
 * which are read one after the other: whatever is asked for has left it long ago.
 */
const IN_MEMORY = 1000;
const AT_ONCE = 256;
const PROBED = 1024;

/**
 * Opens contestants on one Redis of their own and fills it, each in its own way and under its own
 * prefix.
 *
 * @param {string[]} names
 */
export async function openTiers(names) {
  const server = await startServer();
  const keys = makeKeys(KEYS);
  const values = makeValues(KEYS);
  const counters = [];
  const opened = [];
  for (const name of names) {
    const { openTier } = await contestant(name);
    const counter = countingLoader(keys, values);
    const { port } = server;
    const cache = await openTier({ port, maxSize: IN_MEMORY, ttl: TTL, loader: counter.loader });
    await fillTogether(cache, keys, values);
    counters.push({ name, counter, filled: counter.calls });
    await probe(name, server, cache, keys, values);
    opened.push({ name, cache });
  }
  return {
    keys,
    opened,
    /** @throws when somebody loaded what Redis had */
    check() {
      for (const { name, counter, filled } of counters) {
        if (counter.calls > filled)
          throw new Error(`${name} missed ${counter.calls - filled} times`);
      }
    },
  };
}

/**
 * Fills a cache as its user would, by loading; a client, which cannot load, is set.
 *
 * @param {import('./contestant.mjs').Contestant} cache
 * @param {string[]} keys
 * @param {import('./data.mjs').Value[]} values
 */
export async function fillTogether({ get, set }, keys, values) {
  for (let from = 0; from < keys.length; from += AT_ONCE) {
    await Promise.all(
      keys.slice(from, from + AT_ONCE).map(async (key, i) => {
        if (((await get(key)) ?? undefined) === undefined) await set?.(key, values[from + i]);
      }),
    );
  }
}

/**
 * Makes sure that what is measured are reads of Redis, with the right values.
 *
 * @param {string} name
 * @param {import('../../redis/redis-server.js').RedisServer} server
 * @param {import('./contestant.mjs').Contestant} cache
 * @param {string[]} keys
 * @param {import('./data.mjs').Value[]} values
 */
async function probe(name, server, { get, getMany }, keys, values) {
  const from = (KEYS - PROBED) / 2;
  const asked = keys.slice(from, from + PROBED);
  const before = await keysFound(server);
  for (const [i, key] of asked.entries()) expect(name, await get(key), values[from + i]);
  const found = (await keysFound(server)) - before;
  if (found < PROBED) throw new Error(`${name} read ${PROBED} keys, ${found} of them from Redis`);
  if (getMany === undefined) return;
  const many = await getMany(keys.slice(0, 100));
  const list = [...(many instanceof Map ? many.values() : many)];
  for (let i = 0; i < 100; i++) expect(name, list[i], values[i]);
}

/**
 * @param {string} name
 * @param {import('./data.mjs').Value | undefined} got
 * @param {import('./data.mjs').Value} expected
 */
function expect(name, got, expected) {
  if (got?.id === expected.id && got.name === expected.name) return;
  throw new Error(`${name} read ${JSON.stringify(got)} instead of ${JSON.stringify(expected)}`);
}
