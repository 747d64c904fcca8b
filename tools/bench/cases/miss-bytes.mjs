import { setTimeout as sleep } from 'node:timers/promises';
import { PerformanceObserver } from 'node:perf_hooks';
import { TTL } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues } from '../lib/data.mjs';
import { usedBytes } from '../lib/heap.mjs';
import { collectGarbage } from '../lib/interleave.mjs';

const ENTRIES = 4096;
const WARM_UPS = 10;

/**
 * Garbage and what stays: bytes in use before and after, with a young generation that none of them
 * fills.
 *
 * @type {import('../lib/case.mjs').Case}
 */
export const missBytes = {
  name: 'miss-bytes',
  about: 'bytes allocated by a miss, garbage included; baseline a naive Map + loader',
  baseline: 'naive',
  unit: 'B',
  alone: true,
  nodeFlags: ['--min-semi-space-size=256', '--max-semi-space-size=256'],
  variants: (long) => [
    {
      label: 'ttl',
      peers: [
        'lru-cache',
        'layered-loader',
        'p-memoize',
        'memoizee',
        ...(long
          ? ['async-cache-dedupe', 'cache-manager', 'cacheable', 'cachified', 'bentocache']
          : []),
      ],
    },
  ],
  async measure([name]) {
    const { open } = await contestant(name);
    const keys = makeKeys(ENTRIES);
    const { loader } = countingLoader(keys, makeValues(ENTRIES));
    let collections = 0;
    new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({
      type: 'gc',
    });

    const samples = [];
    for (let i = 0; i < WARM_UPS + 5; i++) {
      const cache = open({ maxSize: ENTRIES, ttl: TTL, loader });
      collectGarbage();
      await sleep(1);
      collections = 0;
      const before = usedBytes();
      for (const key of keys) await cache.get(key);
      const after = usedBytes();
      await sleep(1);
      if (collections === 0 && i >= WARM_UPS) samples.push((after - before) / ENTRIES);
      cache.close?.();
    }
    if (samples.length === 0) throw new Error(`${name}: garbage was collected in every round`);
    return { [name]: samples };
  },
};
