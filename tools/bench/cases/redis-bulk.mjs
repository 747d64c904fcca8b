import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';
import { openTiers } from '../lib/tiers.mjs';
import { inMicroseconds } from './redis-hit.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const redisBulk = {
  name: 'redis-bulk',
  about:
    'a bulk read of so many keys that are in Redis and have left memory; baseline ioredis MGET and JSON.parse',
  baseline: 'ioredis',
  needs: 'redisTier',
  redis: true,
  unit: 'µs',
  variants: (long) => [
    {
      label: '100 keys',
      entries: 100,
      peers: ['ioredis-pipelining', 'layered-loader', ...(long ? ['bentocache', 'cacheable'] : [])],
    },
  ],
  async measure(names, { entries = 0 }, seconds) {
    const { check, keys, opened } = await openTiers(names);
    const bulks = Array.from({ length: Math.floor(keys.length / entries) }, (_, nth) =>
      keys.slice(nth * entries, (nth + 1) * entries),
    );
    const runners = [];
    for (const { name, cache } of opened) {
      const { getMany } = cache;
      if (getMany === undefined) throw new Error(`${name} has no bulk read`);
      const { getBulks } = await loopsFor(name);
      runners.push({
        name,
        count: 4,
        batch: (/** @type {number} */ from, /** @type {number} */ count) =>
          getBulks(getMany, bulks, from, count),
      });
    }
    const samples = await interleave(runners, { seconds });
    check();
    return inMicroseconds(samples);
  },
};
