import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';
import { openTiers } from '../lib/tiers.mjs';

const peers = ['ioredis-pipelining', 'bentocache', 'cacheable', 'layered-loader'];

/** @type {import('../lib/case.mjs').Case} */
export const redisHit = {
  name: 'redis-hit',
  about:
    'one of so many gets made at once, of keys that are in Redis and have left memory; baseline ioredis GET and JSON.parse',
  baseline: 'ioredis',
  needs: 'redisTier',
  redis: true,
  unit: 'µs',
  runs: (long) => (long ? 5 : 1),
  variants: (long) => [
    ...(long ? [{ label: '1 at once', entries: 1, peers }] : []),
    {
      label: '50 at once',
      entries: 50,
      peers: long ? peers : ['ioredis-pipelining', 'bentocache', 'layered-loader'],
    },
    { label: '500 at once', entries: 500, peers: long ? peers : ['ioredis-pipelining'] },
  ],
  async measure(names, { entries: together = 1 }, seconds) {
    const { check, keys, opened } = await openTiers(names);
    const runners = [];
    for (const { name, cache } of opened) {
      const { getTogether } = await loopsFor(name);
      runners.push({
        name,
        count: together * Math.max(1, Math.round(50 / together)),
        batch: (/** @type {number} */ from, /** @type {number} */ count) =>
          getTogether(cache.get, keys, from, count, together),
      });
    }
    const samples = await interleave(runners, { seconds });
    check();
    return inMicroseconds(samples);
  },
};

/** @param {import('../lib/case.mjs').Samples} samples */
export function inMicroseconds(samples) {
  return Object.fromEntries(
    Object.entries(samples).map(([name, times]) => [name, times.map((time) => time / 1000)]),
  );
}
