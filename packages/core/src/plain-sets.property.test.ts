import fc from 'fast-check';
import { AsyncCache, encodeKey, lru, type AsyncCacheOptions, type PolicyFactory } from './index.js';
import { fakeClock } from './testing.js';

/** The policy `'lru'` as one that might turn newcomers away: each comes in before room is made. */
const cautious: PolicyFactory = (limits) => {
  const policy = lru()(limits);
  return {
    add: (slot, key) => {
      policy.add(slot, key);
    },
    use: (slot) => {
      policy.use(slot);
    },
    remove: (slot) => {
      policy.remove(slot);
    },
    victim: () => policy.victim(),
    order: () => policy.order(),
    clear: () => {
      policy.clear();
    },
  };
};

type Key = string | number | { readonly a: number };

const key: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom<Key>('a', 'b', 'c', '\0a', '', 0, 1, -0),
  fc.constantFrom<Key>({ a: 1 }, { a: 2 }),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tagged' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('brief' as const), key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('load' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'invalidate' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(60) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays the steps, and tells everything that can be seen. */
async function played(steps: readonly Step[], options: AsyncCacheOptions<Key, number>) {
  const clock = fakeClock();
  const cache = new AsyncCache<Key, number>({ clock, ...options });
  const seen: unknown[] = [];
  for (const event of ['set', 'evict', 'delete'] as const) {
    cache.on(event, ({ key }) => seen.push([event, key]));
  }
  /** In the order of their slots, which is not promised. */
  const expired: string[] = [];
  cache.on('expire', ({ key }) => expired.push(encodeKey(key)));
  for (const [value, step] of steps.entries()) {
    if (step.kind === 'set') await cache.set(step.key, value);
    else if (step.kind === 'tagged') await cache.set(step.key, value, { tags: ['t'] });
    else if (step.kind === 'brief') await cache.set(step.key, value, { ttl: 20 });
    else if (step.kind === 'get') seen.push(await cache.getWithMeta(step.key));
    else if (step.kind === 'load') seen.push(await cache.get(step.key, () => value));
    else if (step.kind === 'delete') seen.push(await cache.delete(step.key));
    else if (step.kind === 'expire') seen.push(await cache.expire(step.key));
    else if (step.kind === 'invalidate') await cache.invalidateTags('t');
    else if (step.kind === 'clear') await cache.clear();
    else await clock.advance(step.ms);
    seen.push(cache.getMetrics());
    seen.push(expired.splice(0).sort());
    expect(cache.size).toBeLessThanOrEqual(options.maxSize as number);
  }
  await cache.close();
  return seen;
}

it.each([[100], [null]])(
  'what is set plainly is kept as anything else is, with ttl %p',
  async (ttl) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, maxSize) => {
          const options = { ttl, maxSize };
          expect(await played(steps, options)).toEqual(
            await played(steps, { ...options, policy: cautious }),
          );
        },
      ),
      { numRuns: Number(process.env.ACACHE_RUNS ?? 150) },
    );
  },
);

it('lets a listener set while it is told that an entry went', async () => {
  const cache = new AsyncCache<string, number>({ maxSize: 2, ttl: '1m' });
  const keys: string[] = [];
  const set = (key: string): void => {
    keys.push(key);
    void cache.set(key, keys.length);
  };
  cache.on('evict', ({ key }) => {
    if (keys.length < 20) set(`${key as string}'`);
  });
  for (const key of ['a', 'b', 'c', 'd']) {
    set(key);
    expect(cache.size).toBe(Math.min(2, keys.length));
    expect(keys.filter((key) => cache.has(key))).toHaveLength(cache.size);
  }
});
