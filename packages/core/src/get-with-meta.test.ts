import { deferred, settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';
import type { AsyncCacheOptions } from './index.js';

function setUp(options: AsyncCacheOptions<string, string> = {}) {
  const clock = fakeClock();
  return { clock, cache: new AsyncCache<string, string>({ clock, ttl: 1_000, ...options }) };
}

const down = (): Promise<string> => Promise.reject(new Error('down'));

describe('getWithMeta', () => {
  it('tells a miss that was loaded', async () => {
    const { cache } = setUp();

    expect(await cache.getWithMeta('k', () => 'v')).toEqual({
      value: 'v',
      status: 'miss',
      source: 'loader',
      age: 0,
      ttlLeft: 1_000,
    });
  });

  it('tells a miss where nobody could load', async () => {
    const { cache } = setUp();

    expect(await cache.getWithMeta('k')).toMatchObject({
      value: undefined,
      status: 'miss',
      source: undefined,
      age: 0,
    });
  });

  it('tells a hit, its age and what is left of it', async () => {
    const { clock, cache } = setUp();
    await cache.set('k', 'v');
    await clock.advance(300);

    expect(await cache.getWithMeta('k')).toEqual({
      value: 'v',
      status: 'hit',
      source: 'memory',
      age: 300,
      ttlLeft: 700,
    });
  });

  it('tells null for what never ends', async () => {
    const { clock, cache } = setUp({ ttl: null });
    expect((await cache.getWithMeta('k', () => 'v')).ttlLeft).toBeNull();
    await clock.advance(5_000);

    expect(await cache.getWithMeta('k')).toMatchObject({ age: 5_000, ttlLeft: null });
  });

  it('tells who loaded from who joined', async () => {
    const { clock, cache } = setUp();
    const load = deferred<string>();
    const gets = [1, 2, 3].map(() => cache.getWithMeta('k', () => load.promise));
    await clock.advance(50);
    load.resolve('v');

    expect((await Promise.all(gets)).map(({ status }) => status)).toEqual([
      'miss',
      'joined',
      'joined',
    ]);
    for (const get of gets) {
      expect(await get).toMatchObject({ value: 'v', source: 'loader', age: 0, ttlLeft: 1_000 });
    }
  });

  it('tells a stale value and its age since it was stored', async () => {
    const { clock, cache } = setUp({ staleWhileRevalidate: '1h' });
    await cache.set('k', 'v');
    await clock.advance(1_500);

    expect(await cache.getWithMeta('k', () => 'new')).toEqual({
      value: 'v',
      status: 'stale',
      source: 'memory',
      age: 1_500,
      ttlLeft: 0,
    });
  });

  it('tells a stale value that stands in for a loader that failed, to those who joined too', async () => {
    const { clock, cache } = setUp({ staleIfError: '1h' });
    await cache.set('k', 'v');
    await clock.advance(1_500);
    const gets = await Promise.all([1, 2].map(() => cache.getWithMeta('k', down)));

    for (const got of gets) {
      expect(got).toEqual({
        value: 'v',
        status: 'error-stale',
        source: 'memory',
        age: 1_500,
        ttlLeft: 0,
      });
    }
  });

  it('counts the age of an expired entry since it was stored', async () => {
    const { clock, cache } = setUp({ ttl: null, staleWhileRevalidate: '1h' });
    await cache.set('k', 'v');
    await clock.advance(200);
    await cache.expire('k');
    await clock.advance(300);

    expect(await cache.getWithMeta('k')).toMatchObject({ status: 'stale', age: 500, ttlLeft: 0 });
  });

  it('tells a cached undefined from nothing', async () => {
    const cache = new AsyncCache<string, undefined>();
    await cache.set('k', undefined);

    expect(await cache.getWithMeta('k')).toMatchObject({ status: 'hit', source: 'memory' });
    expect(await cache.getWithMeta('x')).toMatchObject({ status: 'miss', source: undefined });
  });

  it('tells a miss for refresh: true', async () => {
    const { cache } = setUp();
    await cache.set('k', 'old');

    expect(await cache.getWithMeta('k', { refresh: true, loader: () => 'new' })).toMatchObject({
      value: 'new',
      status: 'miss',
      source: 'loader',
    });
  });

  it('tells a value that is not stored from the loader', async () => {
    const { cache } = setUp({ ttl: 0 });

    expect(await cache.getWithMeta('k', () => 'v')).toMatchObject({
      value: 'v',
      status: 'miss',
      source: 'loader',
      age: 0,
      ttlLeft: 0,
    });
  });

  it('tells the ttl that the loader decided', async () => {
    const { cache } = setUp();
    const got = await cache.getWithMeta('k', (_key, context) => {
      context.ttl('5m');
      return 'v';
    });

    expect(got.ttlLeft).toBe(300_000);
  });

  it('rejects as get does', async () => {
    const { cache } = setUp();
    const error = new Error('down');

    await expect(cache.getWithMeta('k', () => Promise.reject(error))).rejects.toBe(error);
  });

  it('shares loads with get', async () => {
    const { cache } = setUp();
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const get = cache.get('k', loader);
    const meta = cache.getWithMeta('k', loader);
    await settle();
    load.resolve('v');

    expect(await get).toBe('v');
    expect((await meta).status).toBe('joined');
    expect(loader).toHaveBeenCalledTimes(1);
  });
});
