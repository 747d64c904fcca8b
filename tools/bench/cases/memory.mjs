import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues } from '../lib/data.mjs';
import { fill } from '../lib/fill.mjs';
import { settledBytes } from '../lib/heap.mjs';

const few = ['lru-cache', 'layered-loader'];
const everyone = [
  ...few,
  'memoizee',
  'async-cache-dedupe',
  'cache-manager',
  'cacheable',
  'cachified',
  'bentocache',
];

/** @type {import('../lib/case.mjs').Case} */
export const memory = {
  name: 'memory',
  about:
    'bytes per entry beyond key and value, filled by loading, after garbage collection; baseline a Map',
  baseline: 'map',
  unit: 'B',
  alone: true,
  variants: (long) => [
    variant(100_000, TTL, everyone),
    ...(long ? [variant(100_000, null, everyone), variant(1_000_000, TTL, everyone)] : []),
  ],
  async measure([name], { entries = 0, ttl = null }) {
    const { open } = await contestant(name);
    const keys = makeKeys(entries);
    const values = makeValues(entries);
    const { loader } = countingLoader(keys, values);

    /** @param {number} count */
    const fillNew = async (count) => {
      const cache = open({ maxSize: count, ttl, loader });
      await fill(cache, count === entries ? keys : keys.slice(0, count), values);
      return cache;
    };
    (await fillNew(1000)).close?.(); // code and feedback are no part of an entry
    const before = await settledBytes();
    const cache = await fillNew(entries);
    const after = await settledBytes();
    if ((cache.size?.() ?? entries) !== entries)
      throw new Error(`${name} holds ${cache.size?.()} entries`);
    if ((await cache.get(keys[0])) !== values[0]) throw new Error(`${name} lost its first entry`);
    return { [name]: [(after - before) / entries] };
  },
};

/**
 * @param {number} entries
 * @param {number | null} ttl
 * @param {string[]} peers
 */
function variant(entries, ttl, peers) {
  return { label: `${short(entries)}, ${ttl === null ? 'no ttl' : 'ttl'}`, entries, ttl, peers };
}
