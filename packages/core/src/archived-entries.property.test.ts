import fc from 'fast-check';
import {
  AsyncCache,
  tinyLfu,
  type AsyncCacheOptions,
  type CacheEvents,
  type Persistence,
} from '@acache/core';
import { fakeClock, memoryPersistence, memoryTier, type MemoryFile } from '@acache/core/testing';
import { wireKeyOf } from './cache-key.js';
import { EVENT_NAMES } from './events.js';

/*
 * An entry that lies in an archive must be one like any other, to whoever looks: the same program runs
 * on a cache that was given its entries one by one, and on one that reads them where they lie.
 */

const KEYS = ['a', 'b', 1, '\0c', null, undefined, { d: [1] }, 'e', 'f', 'g'];
const TAGS = ['t', 'u'];

const key = fc.nat(KEYS.length - 1);
const tag = fc.nat(TAGS.length - 1);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('load' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('peek' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('has' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate' as const), tag }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
);
const kept = fc.record({
  key,
  ttl: fc.constantFrom(null, 20, 60, 1000),
  window: fc.constantFrom(0, 30),
  tags: fc.subarray(TAGS),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Kept = typeof kept extends fc.Arbitrary<infer T> ? T : never;

/** What a program does to a cache, step by step. */
async function run(
  entries: readonly Kept[],
  steps: readonly Step[],
  archive: boolean,
  options: AsyncCacheOptions<unknown, unknown>,
): Promise<unknown[]> {
  const clock = fakeClock();
  const file: MemoryFile = new Map();
  for (const [at, { key, ttl, window, tags }] of entries.entries()) {
    const createdAt = clock.now();
    const freshUntil = ttl === null ? Infinity : createdAt + ttl;
    const windows = { staleWhileRevalidate: window, staleIfError: 2 * window };
    const id = wireKeyOf(KEYS[key] as string);
    file.delete(id);
    file.set(id, { value: `kept ${at}`, createdAt, freshUntil, ...windows, tags });
  }
  const persistence = told(memoryPersistence(file, { archive }));
  const cache = new AsyncCache<unknown, unknown>({ clock, persistence, ...options });
  const seen: unknown[] = persistence.told;
  for (const name of EVENT_NAMES) {
    cache.on(name, (event: CacheEvents[typeof name]) => seen.push([name, event]));
  }
  await cache.ready;
  for (const [at, done] of steps.entries()) {
    const of = 'key' in done ? KEYS[done.key] : undefined;
    const load = () => `loaded ${at}`;
    if (done.do === 'get') seen.push(await cache.getWithMeta(of));
    else if (done.do === 'load') seen.push(await cache.getWithMeta(of, load));
    else if (done.do === 'refresh') seen.push(await cache.get(of, { loader: load, refresh: true }));
    else if (done.do === 'set') await cache.set(of, `set ${at}`, { ttl: 50, tags: ['t'] });
    else if (done.do === 'delete') seen.push(await cache.delete(of));
    else if (done.do === 'expire') seen.push(await cache.expire(of));
    else if (done.do === 'peek') seen.push(cache.peek(of));
    else if (done.do === 'has') seen.push(cache.has(of));
    else if (done.do === 'invalidate') await cache.invalidateTags(TAGS[done.tag] as string);
    else if (done.do === 'advance') await clock.advance(done.ms);
    else await cache.flush();
    seen.push([cache.size, cache.getMetrics()]);
  }
  await cache.close();
  seen.push([...file].map(([id, { value, tags }]) => [id, value, tags]));
  return seen;
}

/** A persistence, and what it was told. */
function told(persistence: Persistence): Persistence & { readonly told: unknown[] } {
  const calls: unknown[] = [];
  return {
    ...persistence,
    told: calls,
    set(id, entry) {
      calls.push(['set', id, entry.value]);
      persistence.set(id, entry);
    },
    delete(id) {
      calls.push(['delete', id]);
      persistence.delete(id);
    },
  };
}

describe('an entry that lies in an archive', () => {
  it.each([
    { what: 'a large memory', options: () => ({}) },
    { what: 'a small memory', options: () => ({ maxSize: 3 }) },
    { what: 'tinylfu', options: () => ({ maxSize: 16, policy: tinyLfu({ seed: 1 }) }) },
    { what: 'weights', options: () => ({ maxWeight: 9, weigh: () => 2 }) },
    { what: 'a clone', options: () => ({ clone: (value: unknown) => structuredClone(value) }) },
    { what: 'a tier', options: () => ({ name: 'tiered', tier: memoryTier() }) },
  ])('is like any other, with $what', async ({ options }) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(kept, { maxLength: 8 }),
        fc.array(step, { maxLength: 30 }),
        async (entries, steps) => {
          const plain = await run(entries, steps, false, options());
          expect(await run(entries, steps, true, options())).toEqual(plain);
        },
      ),
      { numRuns: Number(process.env.ACACHE_RUNS ?? 150) },
    );
  });
});
