import { TTL, short } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues, randomPicks } from '../lib/data.mjs';
import { fill } from '../lib/fill.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';
import { startServer } from '../lib/redis.mjs';

/** @type {import('../lib/case.mjs').Case} */
export const redisMemoryHit = {
  name: 'redis-memory-hit',
  about:
    'the same as `hit`, with a Redis behind memory that is not asked; baseline `await map.get(key)`',
  baseline: 'map',
  needs: 'redisTier',
  redis: true,
  unit: 'ns',
  variants: (long) =>
    [1_000].map((entries) => ({
      label: short(entries),
      entries,
      peers: ['layered-loader', ...(long ? ['bentocache', 'cacheable'] : [])],
    })),
  async measure(names, { entries = 0 }, seconds) {
    const { port } = await startServer();
    const keys = makeKeys(entries);
    const values = makeValues(entries);
    const lookups = randomPicks(keys);
    const runners = [];
    const counters = [];
    for (const name of names) {
      const { open, openTier } = await contestant(name);
      const counter = countingLoader(keys, values);
      const options = { maxSize: entries, ttl: TTL, loader: counter.loader };
      const cache = openTier === undefined ? open(options) : await openTier({ ...options, port });
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
