import { AsyncCache, type AsyncCacheOptions, type Tier } from './index.js';
import { fakeClock, memoryTier } from './testing.js';
import { deferred, settle } from '../test/deferred.js';

/** A tier that hears of nothing: memory may serve what came through it for `trust` milliseconds. */
function deafTier(trust: number) {
  const tier = memoryTier();
  const deaf: Tier = {
    attach(namespace, host) {
      const space = tier.attach(namespace, host);
      return Object.assign(Object.create(space) as typeof space, {
        ready: Promise.resolve(),
        trust,
        coherent: () => false,
        ...methodsOf(space),
      });
    },
  };
  return { deaf, tier };
}

/** Bound, since an object that inherits from another has none of its private fields. */
function methodsOf<T extends object>(of: T): object {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(of));
  const methods = names.filter((name) => !['constructor', 'coherent'].includes(name));
  return Object.fromEntries(
    methods.map((name) => {
      const method = (of as Record<string, (...args: unknown[]) => unknown>)[name];
      return [name, method?.bind(of)];
    }),
  );
}

const fail = () => Promise.reject(new Error('the source is down'));

function setUp(options: AsyncCacheOptions<string, string>, trust = 100) {
  const clock = fakeClock();
  const { deaf } = deafTier(trust);
  const cache = new AsyncCache<string, string>({ name: 'c', clock, tier: deaf, ...options });
  cache.on('error', () => undefined);
  return { cache, clock };
}

describe.each([100, 0])('memory that nobody vouches for, trusted for %d ms', (trust) => {
  it('falls back on what the tier had, however long the load took to fail', async () => {
    const { cache, clock } = setUp({ ttl: '1m', staleIfError: '1h' }, trust);
    await cache.set('k', 'first');
    await cache.expire('k');
    await clock.advance(1000);
    const load = deferred<string>();
    const get = cache.getWithMeta('k', () => load.promise);
    await settle();
    await clock.advance(5000);
    load.reject(new Error('the source is down'));
    expect(await get).toMatchObject({ value: 'first', status: 'error-stale', source: 'tier' });
  });

  it('falls back on it when the load is too slow', async () => {
    const { cache, clock } = setUp({ ttl: '1m', staleIfError: '1h' }, trust);
    await cache.set('k', 'first');
    await cache.expire('k');
    await clock.advance(1000);
    const never = deferred<string>();
    const get = cache.getWithMeta('k', { loader: () => never.promise, timeout: 500 });
    await clock.advance(0);
    await clock.advance(500);
    expect(await get).toMatchObject({ value: 'first', status: 'error-stale' });
  });

  it('falls back on nothing that was removed meanwhile, by key, by tag, or altogether', async () => {
    for (const remove of ['delete', 'invalidateTags', 'clear', 'set'] as const) {
      const { cache, clock } = setUp({ ttl: '1m', staleIfError: '1h' }, trust);
      await cache.set('k', 'first', { tags: ['t'] });
      await cache.expire('k');
      await clock.advance(1000);
      const load = deferred<string>();
      const get = cache.get('k', () => load.promise);
      await settle();
      if (remove === 'delete') await cache.delete('k');
      else if (remove === 'invalidateTags') await cache.invalidateTags('t');
      else if (remove === 'set') await cache.set('k', 'second');
      else await cache.clear();
      await clock.advance(1000);
      load.reject(new Error('the source is down'));
      await expect(get).rejects.toThrow('the source is down');
    }
  });

  it('holds a refresh back that has failed', async () => {
    const { cache, clock } = setUp({ ttl: '1m', staleWhileRevalidate: '1h' }, trust);
    await cache.set('k', 'first');
    await cache.expire('k');
    let loads = 0;
    for (let time = 0; time < 400; time += 20) {
      await clock.advance(20);
      expect(await cache.get('k', () => ((loads += 1), fail()))).toBe('first');
      await settle();
    }
    expect(loads).toBe(1);
  });

  it('serves what is stale for as long as its refresh runs', async () => {
    const { cache, clock } = setUp({ ttl: '1m', staleWhileRevalidate: '1h' }, trust);
    await cache.set('k', 'first');
    await cache.expire('k');
    const load = deferred<string>();
    let loads = 0;
    const slow = () => ((loads += 1), load.promise);
    for (let time = 0; time < 1000; time += 200) {
      await clock.advance(200);
      expect(await cache.getWithMeta('k', slow)).toMatchObject({ value: 'first', status: 'stale' });
    }
    load.resolve('second');
    await settle();
    await clock.advance(200);
    expect(await cache.get('k', slow)).toBe('second');
    expect(loads).toBe(1);
    expect(cache.getMetrics()).toMatchObject({ hits: 6, misses: 0 });
  });

  it('waits for the refresh where nothing may be served before, and gets its error', async () => {
    const { cache, clock } = setUp({ ttl: '1m', staleWhileRevalidate: 300 }, trust);
    await cache.set('k', 'first');
    await cache.expire('k');
    await clock.advance(200);
    const load = deferred<string>();
    expect(await cache.get('k', () => load.promise)).toBe('first');
    await clock.advance(200);
    const late = cache.get('k', () => load.promise);
    await settle();
    load.reject(new Error('the source is down'));
    await expect(late).rejects.toThrow('the source is down');
  });
});

describe('a memory that is smaller than what is asked for, behind a tier', () => {
  it.each([0, 1, 10])('holds refreshes back that have failed: maxSize %d', async (maxSize) => {
    const clock = fakeClock();
    const options = { name: 'c', clock, tier: memoryTier(), maxSize } as const;
    const cache = new AsyncCache<number, string>({ ...options, staleWhileRevalidate: '1h' });
    cache.on('error', () => undefined);
    const keys = Array.from({ length: 20 }, (_, key) => key);
    for (const key of keys) {
      await cache.set(key, 'v', { ttl: 1 });
    }
    await clock.advance(10);
    let loads = 0;
    for (let round = 0; round < 5; round++) {
      for (const key of keys) expect(await cache.get(key, () => ((loads += 1), fail()))).toBe('v');
      await settle();
    }
    expect(loads).toBe(keys.length);
  });
});
