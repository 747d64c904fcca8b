import fc from 'fast-check';
import { AsyncCache, type AsyncCacheOptions, type PolicyFactory } from './index.js';
import { fakeClock } from './testing.js';

/** First in, first out; throws when it is told what cannot be. */
const strict: PolicyFactory = (limits) => {
  const slots = new Set<number>();
  const demand = (holds: boolean, what: string): void => {
    if (!holds) throw new Error(what);
  };
  return {
    add(slot, key) {
      demand(Number.isInteger(slot) && slot >= 1, `slot ${slot}`);
      demand(!slots.has(slot), `slot ${slot} added twice`);
      demand(limits.weightOf(slot) >= 0, `slot ${slot} without a weight`);
      demand(typeof key !== 'object', 'a key that is not as it is indexed');
      slots.add(slot);
    },
    use: (slot) => demand(slots.has(slot), `slot ${slot} used, which has no entry`),
    remove: (slot) => demand(slots.delete(slot), `slot ${slot} removed, which has no entry`),
    victim() {
      const [oldest] = slots;
      demand(oldest !== undefined, 'a victim of nothing');
      return oldest as number;
    },
    order: () => slots,
    clear: () => slots.clear(),
  };
};

const key = fc.oneof(fc.nat(20), fc.record({ id: fc.nat(20) }));
const step = fc.record({
  what: fc.constantFrom(
    'get',
    'get',
    'set',
    'set',
    'tagged',
    'delete',
    'expire',
    'invalidate',
    'clear',
  ),
  key,
  value: fc.nat(12),
  wait: fc.nat(20),
});

describe('a policy', () => {
  it.each<[string, AsyncCacheOptions]>([
    ['entries', { maxSize: 10 }],
    ['weight', { maxSize: null, maxWeight: 30, weigh: (value) => value as number }],
    ['both', { maxSize: 5, maxWeight: 30, weigh: (value) => value as number }],
  ])('is told of every entry that comes, is used and goes, bounded by %s', async (_, bounds) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200, size: 'max' }), async (steps) => {
        const clock = fakeClock();
        const times = { ttl: 30, staleWhileRevalidate: 20 };
        const cache = new AsyncCache({ ...bounds, ...times, clock, policy: strict });
        const errors: unknown[] = [];
        cache.on('error', ({ error }) => errors.push(error));
        for (const { key, value, wait, what } of steps) {
          if (what === 'get') await cache.get(key, () => value);
          else if (what === 'set') await cache.set(key, value);
          else if (what === 'tagged') await cache.set(key, value, { tags: ['t'] });
          else if (what === 'delete') await cache.delete(key);
          else if (what === 'expire') await cache.expire(key);
          else if (what === 'invalidate') await cache.invalidateTags('t');
          else await cache.clear();
          await clock.advance(wait);
        }
        expect(errors).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it.each(['lru', 'tinylfu'] as const)(
    "'%s' stands listeners that change the cache while it makes room",
    async (policy) => {
      const cache = new AsyncCache<number, number>({ maxSize: 20, policy });
      let depth = 0;
      let other = 1000;
      cache.on('evict', ({ key }) => {
        if (depth > 3) return;
        depth++;
        void cache.set(other++, 1);
        void cache.delete(key as number);
        void cache.set(key as number, 7);
        if (other % 50 === 0) void cache.clear();
        depth--;
      });
      for (let key = 0; key < 500; key++) {
        await cache.set(key, key);
        expect(cache.size).toBeLessThanOrEqual(20);
        expect([undefined, key, 7]).toContain(cache.peek(key));
      }
    },
  );
});
