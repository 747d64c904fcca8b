import { TTL } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues } from '../lib/data.mjs';
import { allocatedBytes, ROOMY } from '../lib/heap.mjs';

const ENTRIES = 4096;

/** @type {import('../lib/case.mjs').Case} */
export const missBytes = {
  name: 'miss-bytes',
  about: 'bytes allocated by a miss, garbage included; baseline a naive Map + loader',
  baseline: 'naive',
  unit: 'B',
  alone: true,
  nodeFlags: ROOMY,
  variants: (long) => [
    {
      label: 'ttl',
      peers: [
        'lru-cache',
        'layered-loader',
        'p-memoize',
        ...(long
          ? [
              'memoizee',
              'async-cache-dedupe',
              'cache-manager',
              'cacheable',
              'cachified',
              'bentocache',
            ]
          : []),
      ],
    },
  ],
  async measure([name]) {
    const { open } = await contestant(name);
    const keys = makeKeys(ENTRIES);
    const { loader } = countingLoader(keys, makeValues(ENTRIES));
    const samples = await allocatedBytes({
      prepare: () => open({ maxSize: ENTRIES, ttl: TTL, loader }),
      async run({ get }) {
        for (const key of keys) await get(key);
      },
      dispose: (cache) => cache.close?.(),
    });
    return { [name]: samples.map((bytes) => bytes / ENTRIES) };
  },
};
