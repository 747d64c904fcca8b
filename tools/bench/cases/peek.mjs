import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues, randomPicks } from '../lib/data.mjs';
import { fill } from '../lib/fill.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const peek = {
  name: 'peek',
  about:
    'synchronous read with ttl: peek, lru-cache get, layered-loader getInMemoryOnly; baseline `await map.get(key)`',
  baseline: 'map',
  unit: 'ns',
  variants: (long) =>
    [1_000, 10_000, ...(long ? [100_000, 1_000_000] : [])].map((entries) => ({
      label: short(entries),
      entries,
      peers: ['lru-cache', 'layered-loader'],
    })),
  async measure(names, { entries = 0 }, seconds) {
    const keys = makeKeys(entries);
    const values = makeValues(entries);
    const lookups = randomPicks(keys);
    const runners = [];
    for (const name of names) {
      const { open } = await contestant(name);
      const cache = open({
        maxSize: entries,
        ttl: TTL,
        loader: countingLoader(keys, values).loader,
      });
      await fill(cache, keys, values);
      const { get, peek } = cache;
      if (peek === undefined) throw new Error(`${name} has no synchronous read`);
      const { getAwaited, getAtOnce } = await loopsFor(name);
      runners.push({
        name,
        batch:
          name === 'map'
            ? (/** @type {number} */ from, /** @type {number} */ count) =>
                getAwaited(get, lookups, from, count)
            : (/** @type {number} */ from, /** @type {number} */ count) =>
                getAtOnce(peek, lookups, from, count),
      });
    }
    return interleave(runners, { seconds });
  },
};
