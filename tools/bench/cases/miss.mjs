import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues, powerOfTwo } from '../lib/data.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

const MISSES = 10_000;

/** @type {import('../lib/case.mjs').Case} */
export const miss = {
  name: 'miss',
  about: 'awaited get that loads, filling an empty cache with ttl; baseline a naive Map + loader',
  baseline: 'naive',
  unit: 'ns',
  variants: (long) =>
    [1_000, ...(long ? [10_000] : [])].map((entries) => ({
      label: short(entries),
      entries,
      peers: [
        'lru-cache',
        'layered-loader',
        'p-memoize',
        'memoizee',
        'async-cache-dedupe',
        'bentocache',
        ...(long ? ['cache-manager', 'cacheable', 'cachified'] : []),
      ],
    })),
  async measure(names, { entries = 0 }, seconds) {
    const keys = makeKeys(powerOfTwo(entries));
    const fills = MISSES / entries;
    const values = makeValues(keys.length);
    const runners = [];
    for (const name of names) {
      const { open } = await contestant(name);
      const counter = countingLoader(keys, values);
      const { getAwaited } = await loopsFor(name);
      const make = () => open({ maxSize: entries, ttl: TTL, loader: counter.loader });
      /** @typedef {ReturnType<typeof make>[]} Caches */
      runners.push({
        name,
        count: MISSES,
        prepare: () => Array.from({ length: fills }, make),
        async batch(
          /** @type {number} */ _from,
          /** @type {number} */ count,
          /** @type {Caches} */ caches,
        ) {
          const before = counter.calls;
          for (const { get } of caches) await getAwaited(get, keys, 0, entries);
          if (counter.calls - before !== count)
            throw new Error(`${name} did not load each key once`);
        },
        dispose: (/** @type {Caches} */ caches) => caches.forEach((cache) => cache.close?.()),
      });
    }
    return interleave(runners, { seconds, emptyNursery: true });
  },
};
