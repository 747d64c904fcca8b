import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues, randomPicks } from '../lib/data.mjs';
import { fill } from '../lib/fill.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

const everyone = [
  'lru-cache',
  'layered-loader',
  'memoizee',
  'async-cache-dedupe',
  'cache-manager',
  'cacheable',
  'cachified',
  'bentocache',
];
const fast = ['lru-cache', 'layered-loader', 'memoizee'];

/** @type {import('../lib/case.mjs').Case} */
export const hit = {
  name: 'hit',
  about: 'awaited get of an entry in memory, keys at random; baseline `await map.get(key)`',
  baseline: 'map',
  unit: 'ns',
  variants: (long) => [
    variant(1_000, TTL, everyone),
    variant(10_000, TTL, long ? everyone : fast),
    variant(100_000, TTL, long ? everyone : fast),
    ...(long ? [1_000, 10_000, 100_000] : []).map((entries) => variant(entries, null, everyone)),
  ],
  async measure(names, { entries = 0, ttl = null }, seconds) {
    const keys = makeKeys(entries);
    const values = makeValues(entries);
    const lookups = randomPicks(keys);
    const runners = [];
    const counters = [];
    for (const name of names) {
      const { open } = await contestant(name);
      const counter = countingLoader(keys, values);
      const cache = open({ maxSize: entries, ttl, loader: counter.loader });
      await fill(cache, keys, values);
      counters.push({ name, counter, filled: counter.calls });
      const { get } = cache;
      const { getAwaited } = await loopsFor(name);
      runners.push({
        name,
        batch: (/** @type {number} */ from, /** @type {number} */ count) =>
          getAwaited(get, lookups, from, count),
      });
    }
    const samples = await interleave(runners, { seconds });
    for (const { name, counter, filled } of counters) {
      if (counter.calls > filled) throw new Error(`${name} missed ${counter.calls - filled} times`);
    }
    return samples;
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
