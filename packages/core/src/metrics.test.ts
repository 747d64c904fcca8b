import { deferred, settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';
import type { AsyncCacheOptions } from './index.js';

function setUp(options: AsyncCacheOptions<string, string> = {}) {
  const clock = fakeClock();
  return { clock, cache: new AsyncCache<string, string>({ clock, ...options }) };
}

const down = (): Promise<string> => Promise.reject(new Error('down'));

describe('getMetrics', () => {
  it('starts at 0, all numbers', () => {
    const { cache } = setUp();

    expect(cache.getMetrics()).toEqual({
      hits: 0,
      misses: 0,
      size: 0,
      hitRate: 0,
      staleHits: 0,
      joined: 0,
      loads: 0,
      loadErrors: 0,
      evictions: 0,
      expirations: 0,
      tierHits: 0,
      tierErrors: 0,
      loadTimeMs: 0,
    });
  });

  it('counts per caller: 100 on a cold key are 100 misses, 99 joined, 1 load', async () => {
    const { cache } = setUp();
    const load = deferred<string>();
    const gets = Array.from({ length: 100 }, () => cache.get('k', () => load.promise));
    load.resolve('v');
    await Promise.all(gets);

    expect(cache.getMetrics()).toMatchObject({
      hits: 0,
      misses: 100,
      joined: 99,
      loads: 1,
      loadErrors: 0,
      size: 1,
      hitRate: 0,
    });
  });

  it('counts per caller when the load fails: 100 misses, 99 joined, 1 load, 1 error', async () => {
    const { cache } = setUp();
    await Promise.allSettled(Array.from({ length: 100 }, () => cache.get('k', down)));

    expect(cache.getMetrics()).toMatchObject({ misses: 100, joined: 99, loads: 1, loadErrors: 1 });
  });

  it('hits + misses are the gets, of every kind; the hit rate follows', async () => {
    const { cache } = setUp();
    await cache.get('k', () => 'v');
    await cache.get('k');
    await cache.get('none');
    await cache.getWithMeta('k');
    await cache.getMany(['k', 'x']);
    await cache.get('fails', down).catch(() => 0);

    expect(cache.getMetrics()).toMatchObject({ hits: 3, misses: 4, hitRate: 3 / 7 });
  });

  it('counts a stale value served as a hit and a stale hit', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500, staleIfError: '1h' });
    await cache.set('k', 'v');
    await clock.advance(1_200);
    await cache.get('k', down);
    await settle();
    expect(cache.getMetrics()).toMatchObject({ hits: 1, staleHits: 1, misses: 0, loads: 1 });
    await clock.advance(60_000);
    expect(await cache.get('k', down)).toBe('v');

    expect(cache.getMetrics()).toMatchObject({ hits: 2, staleHits: 2, misses: 0, loads: 2 });
  });

  it('counts a refresh as a miss of its caller, and one behind a stale value as nobody`s', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'v');
    await cache.get('k', { refresh: true, loader: () => 'w' });
    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 1, loads: 1 });
    await clock.advance(1_500);
    await cache.get('k', () => 'x');
    await settle();

    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 1, loads: 2, joined: 0 });
  });

  it('counts a remembered failure as a miss without a load', async () => {
    const { cache } = setUp({ errorTtl: '1h' });
    await cache.get('k', down).catch(() => 0);
    await cache.get('k', down).catch(() => 0);

    expect(cache.getMetrics()).toMatchObject({ misses: 2, loads: 1, loadErrors: 1, joined: 0 });
  });

  it('counts one who joins at its own timeout as a miss still', async () => {
    const { clock, cache } = setUp({ timeout: 50 });
    const gets = [1, 2].map(() => cache.get('k', () => new Promise<string>(() => {})));
    const all = Promise.allSettled(gets);
    await clock.advance(50);
    await all;

    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 2, joined: 1, loads: 1 });
  });

  it('peek, has, set, delete and warmup are no gets', async () => {
    const { cache } = setUp();
    await cache.set('k', 'v');
    cache.peek('k');
    cache.has('k');
    cache.peek('x');
    await cache.delete('k');

    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 0, evictions: 0, expirations: 0 });
  });

  it('counts evictions', async () => {
    const { cache } = setUp({ maxSize: 2 });
    for (const key of ['a', 'b', 'c', 'd']) await cache.set(key, 'v');
    await cache.delete('d');

    expect(cache.getMetrics()).toMatchObject({ evictions: 2, size: 1 });
  });

  it('counts expirations, without any call', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 1_000 });
    for (const key of ['a', 'b', 'c']) await cache.set(key, 'v');
    await clock.advance(1_500);
    expect(cache.getMetrics().expirations).toBe(0);
    await clock.advance(120_000);

    expect(cache.getMetrics()).toMatchObject({ expirations: 3, size: 0, evictions: 0 });
  });

  it('counts an expiration once when a read finds it', async () => {
    const { clock, cache } = setUp({ ttl: 1_000 });
    await cache.set('a', 'v');
    await clock.advance(1_000);
    await cache.get('a', () => 'w');
    await clock.advance(500);

    expect(cache.getMetrics().expirations).toBe(1);
  });

  it('counts the time of every settled load', async () => {
    const { clock, cache } = setUp();
    const good = deferred<string>();
    const bad = deferred<string>();
    const gets = [
      cache.get('a', () => good.promise),
      cache.get('a', () => good.promise),
      cache.get('b', () => bad.promise),
    ];
    const all = Promise.allSettled(gets);
    await clock.advance(30);
    good.resolve('v');
    await settle();
    await clock.advance(20);
    bad.reject(new Error('down'));
    await all;

    expect(cache.getMetrics().loadTimeMs).toBe(80);
  });

  it('counts one load for a loadMany, or one for each key of it, and its time once', async () => {
    const { clock, cache } = setUp();
    const many = deferred<string[]>();
    const found = cache.getMany(['a', 'b'], () => many.promise);
    await clock.advance(10);
    many.resolve(['A', 'B']);
    await found;

    expect(cache.getMetrics()).toMatchObject({ misses: 2, joined: 0 });
    expect([1, 2]).toContain(cache.getMetrics().loads);
  });

  it('starts again at 0 with clear', async () => {
    const { cache } = setUp({ maxSize: 1 });
    await cache.get('a', () => 'v');
    await cache.get('b', () => 'v');
    await cache.get('b');
    await cache.get('c', down).catch(() => 0);
    const cleared = cache.clear();

    for (const count of Object.values(cache.getMetrics())) expect(count).toBe(0);
    await cleared;
    for (const count of Object.values(cache.getMetrics())) expect(count).toBe(0);
  });

  it('is what it was when it was asked for', async () => {
    const { cache } = setUp();
    const before = cache.getMetrics();
    await cache.get('k', () => 'v');

    expect(before.misses).toBe(0);
  });

  it('size is that of the cache: live entries', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
    await cache.set('a', 'v');
    await cache.set('a', 'w');
    await cache.set('b', 'v', { ttl: null });
    expect(cache.size).toBe(2);
    expect(cache.getMetrics().size).toBe(2);
    await clock.advance(1_499);
    expect(cache.size).toBe(2);
    await clock.advance(60_000);

    expect(cache.size).toBe(1);
  });
});
