import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues, powerOfTwo } from '../lib/data.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const set = {
  name: 'set',
  about:
    'set of a new key in a full cache with ttl, which evicts one, not awaited; baseline lru-cache',
  baseline: 'lru-cache',
  unit: 'ns',
  variants: (long) =>
    [1_000, 10_000, 100_000, ...(long ? [1_000_000] : [])].map((entries) => ({
      label: short(entries),
      entries,
      peers: ['hand-lru'],
    })),
  async measure(names, { entries = 0 }, seconds) {
    const keys = makeKeys(powerOfTwo(entries * 4));
    const values = makeValues(keys.length);
    const runners = [];
    for (const name of names) {
      const { open } = await contestant(name);
      const cache = open({ maxSize: entries, ttl: TTL, loader: countingLoader([], []).loader });
      const { set } = cache;
      if (set === undefined) throw new Error(`${name} has no set`);
      for (let i = 0; i < entries; i++) set(keys.at(i - entries) ?? '', values[i]);
      if (cache.size?.() !== entries) throw new Error(`${name} holds ${cache.size?.()} entries`);
      const { setAtOnce } = await loopsFor(name);
      runners.push({
        name,
        batch: (/** @type {number} */ from, /** @type {number} */ count) =>
          setAtOnce(set, keys, values, from, count),
      });
    }
    return interleave(runners, { seconds });
  },
};
