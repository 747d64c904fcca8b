import { deferred, settle, stateOf } from '../test/deferred.js';
import { AsyncCache, LoadTimeoutError } from './index.js';
import { fakeClock } from './testing.js';
import type { AsyncCacheOptions } from './index.js';

function setUp(options: AsyncCacheOptions<string, string> = {}) {
  const clock = fakeClock();
  const cache = new AsyncCache<string, string>({ clock, ...options });
  let loads = 0;
  /** Makes `v1`, `v2` … */
  const loader = jest.fn(async () => `v${++loads}`);
  return { clock, cache, loader };
}

describe('ttl', () => {
  it('keeps a value fresh up to its last millisecond and not one longer', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000 });
    await cache.get('k', loader);

    await clock.advance(999);
    expect(cache.peek('k')).toBe('v1');
    expect(cache.has('k')).toBe(true);
    expect(await cache.get('k', loader)).toBe('v1');

    await clock.advance(1);
    expect(cache.peek('k')).toBeUndefined();
    expect(cache.has('k')).toBe(false);
    expect(await cache.get('k', loader)).toBe('v2');
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it('counts from the moment a value is stored, not from the start of its load', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000 });
    const load = deferred<string>();
    const first = cache.get('k', () => load.promise);
    await clock.advance(600);
    load.resolve('slow');
    await first;

    await clock.advance(999);
    expect(await cache.get('k', loader)).toBe('slow');
    await clock.advance(1);
    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('a hit does not prolong a value', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000 });
    await cache.get('k', loader);
    for (let at = 0; at < 9; at++) {
      await clock.advance(100);
      await cache.get('k', loader);
    }
    await clock.advance(100);

    expect(cache.has('k')).toBe(false);
  });

  it.each([null, undefined])('%p never ends', async (ttl) => {
    const { clock, cache, loader } = setUp({ ttl });
    await cache.get('k', loader);
    await clock.advance(50 * 365 * 86_400_000);

    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('a ttl of months does not overflow a timer', async () => {
    const { clock, cache, loader } = setUp({ ttl: '60d' });
    await cache.get('k', loader);
    await clock.advance(59 * 86_400_000);

    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('0 stores nothing, and callers still share a load', async () => {
    const { cache, loader } = setUp({ ttl: 0 });

    const both = await Promise.all([cache.get('k', loader), cache.get('k', loader)]);
    expect(both).toEqual(['v1', 'v1']);
    expect(cache.size).toBe(0);
    expect(await cache.get('k', loader)).toBe('v2');
  });

  it('0 is not stored even where stale windows are open', async () => {
    const { cache, loader } = setUp({
      ttl: 0,
      staleWhileRevalidate: '1h',
      staleIfError: '1h',
    });
    await cache.get('k', loader);

    expect(cache.size).toBe(0);
    expect(await cache.get('k', loader)).toBe('v2');
  });

  it.each(['get', 'set', 'context', 'function'])(
    'a ttl of 0 by %s removes what was there',
    async (way) => {
      const { cache } = setUp({
        ttl: way === 'function' ? (value) => (value === 'new' ? 0 : null) : null,
      });
      await cache.set('k', 'old');

      if (way === 'set') await cache.set('k', 'new', { ttl: 0 });
      else {
        await cache.get('k', {
          refresh: true,
          ...(way === 'get' ? { ttl: 0 } : {}),
          loader: (_key, context) => {
            if (way === 'context') context.ttl(0);
            return 'new';
          },
        });
      }

      expect(cache.has('k')).toBe(false);
      expect(cache.size).toBe(0);
      expect(await cache.get('k')).toBeUndefined();
    },
  );

  it('a function decides by value and key', async () => {
    const ttl = jest.fn((value: string, _key: string) => (value === 'short' ? '1s' : null));
    const { clock, cache } = setUp({ ttl });
    await cache.get('a', () => 'short');
    await cache.get('b', () => 'long');
    await cache.set('c', 'short');
    await clock.advance(1_000);

    expect(ttl.mock.calls).toEqual([
      ['short', 'a'],
      ['long', 'b'],
      ['short', 'c'],
    ]);
    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([false, true, false]);
  });

  it('a call decides before the cache, and the loader before the call', async () => {
    const { clock, cache } = setUp({ ttl: '1h' });
    await cache.get('call', { ttl: '2s', loader: () => 'v' });
    await cache.get('function', { ttl: () => '2s', loader: () => 'v' });
    await cache.get('loader', {
      ttl: '2s',
      loader: (_key, context) => {
        context.ttl('1s');
        return 'v';
      },
    });
    await cache.get('null', {
      ttl: '2s',
      loader: (_key, context) => {
        context.ttl(null);
        return 'v';
      },
    });
    await cache.set('set', 'v', { ttl: 500 });
    await cache.setMany([['setMany', 'v']], { ttl: 500 });

    const left = async (key: string): Promise<number | null> =>
      (await cache.getWithMeta(key)).ttlLeft;
    expect(await left('call')).toBe(2_000);
    expect(await left('function')).toBe(2_000);
    expect(await left('loader')).toBe(1_000);
    expect(await left('null')).toBeNull();
    expect(await left('set')).toBe(500);
    expect(await left('setMany')).toBe(500);
    await clock.advance(1_000);
    expect(cache.has('loader')).toBe(false);
    expect(cache.has('call')).toBe(true);
  });

  it('of two ttls that a loader decides, the later holds, also after an await', async () => {
    const { cache } = setUp();
    await cache.get('k', async (_key, context) => {
      context.ttl('1s');
      await Promise.resolve();
      context.ttl('2s');
      return 'v';
    });

    expect((await cache.getWithMeta('k')).ttlLeft).toBe(2_000);
  });

  it('a ttl that a loader decides too late changes nothing', async () => {
    const { cache } = setUp({ ttl: '1s' });
    let late: (() => void) | undefined;
    await cache.get('k', (_key, context) => {
      late = () => context.ttl('1h');
      return 'v';
    });
    expect(late).not.toThrow();

    expect((await cache.getWithMeta('k')).ttlLeft).toBe(1_000);
  });

  it('a value that is set anew starts a ttl anew', async () => {
    const { clock, cache } = setUp({ ttl: 1_000 });
    await cache.set('k', 'a');
    await clock.advance(900);
    await cache.set('k', 'b');
    await clock.advance(999);

    expect(cache.peek('k')).toBe('b');
  });

  it('an entry set anew forgets the windows of the one before', async () => {
    const { clock, cache } = setUp({ ttl: 1_000 });
    await cache.set('k', 'a', { staleWhileRevalidate: '1h' });
    await cache.set('k', 'b');
    await clock.advance(1_000);

    expect(await cache.get('k')).toBeUndefined();
  });

  it('a clock set back makes nothing older than its ttl fresh', async () => {
    let now = 1_000_000;
    const base = fakeClock();
    const clock = { ...base, now: () => now };
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000 });
    await cache.set('k', 'v');
    now -= 500_000;

    expect((await cache.getWithMeta('k')).age).toBeGreaterThanOrEqual(0);
  });
});

describe('skipStore', () => {
  it('hands the value to every caller and stores it nowhere', async () => {
    const { cache } = setUp();
    const load = deferred<string>();
    const callers = [1, 2].map(() =>
      cache.get('k', (_key, context) => {
        context.skipStore();
        return load.promise;
      }),
    );
    load.resolve('once');

    expect(await Promise.all(callers)).toEqual(['once', 'once']);
    expect(cache.has('k')).toBe(false);
  });

  it('removes what was there', async () => {
    const { cache } = setUp();
    await cache.set('k', 'old');
    await cache.get('k', {
      refresh: true,
      loader: (_key, context) => {
        context.skipStore();
        return 'new';
      },
    });

    expect(cache.size).toBe(0);
  });

  it('removes the stale value behind which it ran', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    expect(
      await cache.get('k', (_key, context) => {
        context.skipStore();
        return 'new';
      }),
    ).toBe('old');
    await settle();

    expect(cache.size).toBe(0);
  });
});

describe('staleWhileRevalidate', () => {
  it('serves the stale value at once while one refresh runs behind it', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_000);
    const load = deferred<string>();
    const loader = jest.fn((_key: string, context: { previous: unknown; background: boolean }) => {
      expect(context).toMatchObject({ previous: 'old', background: true });
      return load.promise;
    });

    for (let caller = 0; caller < 10; caller++) expect(await cache.get('k', loader)).toBe('old');
    expect(loader).toHaveBeenCalledTimes(1);

    load.resolve('new');
    await settle();
    expect(cache.peek('k')).toBe('new');
    expect(await cache.get('k', loader)).toBe('new');
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('is open from the end of ttl for its length, to the millisecond', async () => {
    for (const [age, status] of [
      [999, 'hit'],
      [1_000, 'stale'],
      [1_499, 'stale'],
      [1_500, 'miss'],
    ] as const) {
      const { clock, cache, loader } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
      await cache.set('k', 'old');
      await clock.advance(age);

      expect([age, (await cache.getWithMeta('k', loader)).status]).toEqual([age, status]);
    }
  });

  it('a refreshed value has a ttl from the end of the refresh', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(5_000);
    await cache.get('k', loader);
    await settle();
    await clock.advance(999);
    expect(cache.peek('k')).toBe('v1');
    await clock.advance(1);
    expect(cache.peek('k')).toBeUndefined();
  });

  it('serves a stale value to one who brings no loader', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_200);

    expect(await cache.get('k')).toBe('old');
    expect(await cache.getWithMeta('k')).toMatchObject({ value: 'old', status: 'stale' });
  });

  it('peek and has know fresh values only, and refresh nothing', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_000);

    expect(cache.peek('k')).toBeUndefined();
    expect(cache.has('k')).toBe(false);
    expect(cache.getMetrics().loads).toBe(0);
  });

  it('can differ for one entry', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000 });
    await cache.get('k', { loader: () => 'old', staleWhileRevalidate: '10s' });
    await cache.set('s', 'old', { staleWhileRevalidate: '10s' });
    await clock.advance(5_000);

    expect(await cache.get('k', loader)).toBe('old');
    expect(await cache.get('s', loader)).toBe('old');
  });

  it('after expire the windows begin at that moment', async () => {
    const { clock, cache, loader } = setUp({ ttl: '1h', staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await clock.advance(10_000);
    await cache.expire('k');
    expect(cache.has('k')).toBe(false);
    await clock.advance(499);
    expect((await cache.getWithMeta('k')).status).toBe('stale');
    await clock.advance(1);
    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('also begins at expire for a value that would never end', async () => {
    const { clock, cache } = setUp({ ttl: null, staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await cache.expire('k');
    await clock.advance(499);
    expect(await cache.get('k')).toBe('old');
    await clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('to expire a stale value again does not prolong it', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_400);
    await cache.expire('k');
    await clock.advance(99);
    expect(await cache.get('k')).toBe('old');
    await clock.advance(1);

    expect(await cache.get('k')).toBeUndefined();
  });
});

describe('staleIfError', () => {
  const down = (): Promise<string> => Promise.reject(new Error('down'));

  it('serves the stale value only when the loader fails', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_100);
    expect(await cache.getWithMeta('k', down)).toMatchObject({
      value: 'old',
      status: 'error-stale',
    });

    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('makes callers wait for the loader', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_100);
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);

    expect(await stateOf(get)).toBe('pending');
    load.resolve('new');
    expect(await get).toBe('new');
  });

  it('is open from the end of ttl for its length, to the millisecond', async () => {
    for (const [age, outcome] of [
      [1_000, 'old'],
      [1_499, 'old'],
      [1_500, 'down'],
    ] as const) {
      const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
      await cache.set('k', 'old');
      await clock.advance(age);

      const get = cache.get('k', down).catch((error: unknown) => (error as Error).message);
      expect([age, await get]).toEqual([age, outcome]);
    }
  });

  it.each([
    [99, 'old'],
    [100, 'down'],
  ])('is judged when the loader fails, not when it starts (after %p ms)', async (ms, outcome) => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_400);
    const load = deferred<string>();
    const get = cache
      .get('k', () => load.promise)
      .catch((error: unknown) => (error as Error).message);
    await clock.advance(ms);
    load.reject(new Error('down'));

    expect(await get).toBe(outcome);
  });

  it('serves everybody who waits', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_100);
    const load = deferred<string>();
    const gets = [1, 2, 3].map(() => cache.get('k', () => load.promise));
    load.reject(new Error('down'));

    expect(await Promise.all(gets)).toEqual(['old', 'old', 'old']);
  });

  it('gives a value to nobody without a loader', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_100);

    expect(await cache.get('k')).toBeUndefined();
  });

  it('overlaps staleWhileRevalidate: each counts from the end of ttl', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: 200, staleIfError: 500 });
    await cache.set('k', 'old');
    await clock.advance(1_199);
    expect((await cache.getWithMeta('k', down)).status).toBe('stale');
    await clock.advance(1);
    expect((await cache.getWithMeta('k', down)).status).toBe('error-stale');
    await clock.advance(299);
    expect((await cache.getWithMeta('k', down)).status).toBe('error-stale');
    await clock.advance(1);
    await expect(cache.get('k', down)).rejects.toThrow('down');
  });

  it.each([
    [200, 500, 500],
    [500, 200, 500],
    [0, 0, 0],
  ])('an entry lives ttl + the longer of %p and %p', async (swr, sie, longer) => {
    const { clock, cache } = setUp({
      ttl: 1_000,
      staleWhileRevalidate: swr,
      staleIfError: sie,
    });
    await cache.set('k', 'old');
    await clock.advance(1_000 + longer - 1);
    expect(cache.size).toBe(1);
    await clock.advance(1);
    expect(await cache.delete('k')).toBe(false);
  });

  it('applies to a refresh that fails where only staleIfError is still open', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 500 });
    await cache.set('k', 'fresh');
    await clock.advance(500);

    expect(await cache.get('k', { refresh: true, loader: down }).catch(() => 'failed')).toMatch(
      /^(fresh|failed)$/,
    );
    expect(cache.peek('k')).toBe('fresh');
  });
});

describe('jitter', () => {
  it('shortens each ttl by up to its fraction, and never prolongs one', async () => {
    const { cache } = setUp({ ttl: 1_000, jitter: 0.2 });
    const left: number[] = [];
    for (let at = 0; at < 300; at++) {
      await cache.set(`k${at % 100}`, 'v');
      left.push((await cache.getWithMeta(`k${at % 100}`)).ttlLeft!);
    }

    expect(Math.min(...left)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...left)).toBeLessThanOrEqual(1_000);
    expect(Math.min(...left)).toBeLessThan(830);
    expect(Math.max(...left)).toBeGreaterThan(970);
  });

  it('holds in what is served, for loaded values too', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000, jitter: 0.5, maxSize: null });
    const keys = Array.from({ length: 100 }, (_, at) => `k${at}`);
    await Promise.all(keys.map((key) => cache.get(key, loader)));

    await clock.advance(499);
    expect(keys.filter((key) => cache.has(key))).toHaveLength(100);
    await clock.advance(251);
    const halfway = keys.filter((key) => cache.has(key)).length;
    expect(halfway).toBeGreaterThan(20);
    expect(halfway).toBeLessThan(80);
    await clock.advance(250);
    expect(keys.filter((key) => cache.has(key))).toHaveLength(0);
  });

  it('leaves a ttl of null alone', async () => {
    const { cache } = setUp({ ttl: null, jitter: 1 });
    await cache.set('k', 'v');

    expect((await cache.getWithMeta('k')).ttlLeft).toBeNull();
  });

  it('applies to a ttl of one call', async () => {
    const { cache } = setUp({ jitter: 0.5, maxSize: null });
    const left = new Set<number | null>();
    for (let at = 0; at < 20; at++) {
      await cache.set(`k${at}`, 'v', { ttl: 10_000 });
      left.add((await cache.getWithMeta(`k${at}`)).ttlLeft);
    }

    expect(left.size).toBeGreaterThan(5);
  });
});

describe('refreshAhead', () => {
  it('starts one refresh behind a hit past that fraction of ttl', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, refreshAhead: 0.8 });
    await cache.set('k', 'old');
    const load = deferred<string>();
    const loader = jest.fn((_key: string, context: { previous: unknown }) => {
      expect(context.previous).toBe('old');
      return load.promise;
    });

    await clock.advance(799);
    await cache.get('k', loader);
    expect(loader).not.toHaveBeenCalled();

    await clock.advance(2);
    for (let caller = 0; caller < 10; caller++) {
      expect(await cache.getWithMeta('k', loader)).toMatchObject({ value: 'old', status: 'hit' });
    }
    expect(loader).toHaveBeenCalledTimes(1);

    load.resolve('new');
    await settle();
    expect(cache.peek('k')).toBe('new');
    expect((await cache.getWithMeta('k')).ttlLeft).toBe(1_000);
  });

  it('keeps the value fresh to the end of its ttl when the refresh fails', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, refreshAhead: 0.5 });
    await cache.set('k', 'old');
    await clock.advance(600);
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    for (let caller = 0; caller < 10; caller++) {
      expect(await cache.get('k', failing)).toBe('old');
      await settle();
    }

    expect(failing).toHaveBeenCalledTimes(1);
    await clock.advance(399);
    expect(cache.peek('k')).toBe('old');
  });

  it('never refreshes what never ends', async () => {
    const { clock, cache, loader } = setUp({ ttl: null, refreshAhead: 0.1 });
    await cache.set('k', 'v');
    await clock.advance(86_400_000);
    await cache.get('k', loader);

    expect(loader).not.toHaveBeenCalled();
  });

  it('needs a loader', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, refreshAhead: 0.1 });
    await cache.set('k', 'v');
    await clock.advance(500);

    expect(await cache.get('k')).toBe('v');
    expect(cache.getMetrics().loads).toBe(0);
  });
});

describe('a refresh that fails', () => {
  /** Reads every 10 ms and notes when each refresh ran, from the one before. */
  async function intervals(count: number): Promise<number[]> {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '10d' });
    await cache.set('k', 'old');
    await clock.advance(1_000);
    const at: number[] = [];
    const failing = (): Promise<string> => {
      at.push(clock.now());
      return Promise.reject(new Error('down'));
    };
    for (let read = 0; at.length <= count && read < 100_000; read++) {
      expect(await cache.get('k', failing)).toBe('old');
      await settle();
      clock.advance(10).catch(() => undefined);
    }
    return at.slice(1).map((time, index) => time - at[index]!);
  }

  it('backs off, at first for 100 ms to 5 s, then for longer', async () => {
    const waits = await intervals(4);

    expect(waits).toHaveLength(4);
    expect(waits[0]).toBeGreaterThanOrEqual(100);
    expect(waits[0]).toBeLessThanOrEqual(5_010);
    expect(waits[3]).toBeGreaterThan(waits[0]!);
  });

  it('is not tried again by any caller meanwhile', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(1_000);
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    for (let caller = 0; caller < 20; caller++) {
      expect(await cache.get('k', failing)).toBe('old');
      await settle();
    }
    await clock.advance(99);
    await cache.get('k', failing);
    await settle();
    expect(failing).toHaveBeenCalledTimes(1);

    await clock.advance(5_000);
    await cache.get('k', failing);
    await settle();
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it('is reported once through the error event', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    const errors: unknown[] = [];
    cache.on('error', (event) => errors.push(event));
    await cache.set('k', 'old');
    await clock.advance(1_000);
    const down = new Error('down');
    await Promise.all([1, 2, 3].map(() => cache.get('k', () => Promise.reject(down))));
    await settle();

    expect(errors).toEqual([{ error: down, key: 'k', source: expect.any(String) }]);
  });

  it('starts backing off anew after one that succeeds', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    for (let round = 0; round < 6; round++) {
      await clock.advance(60_000);
      await cache.get('k', failing);
      await settle();
    }
    await clock.advance(600_000);
    await cache.get('k', () => 'new');
    await settle();
    expect(cache.peek('k')).toBe('new');
    failing.mockClear();

    await clock.advance(1_000);
    await cache.get('k', failing);
    await settle();
    await clock.advance(5_001);
    await cache.get('k', failing);
    await settle();
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it('is forgotten when the value is set', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    for (let round = 0; round < 6; round++) {
      await clock.advance(60_000);
      await cache.get('k', failing);
      await settle();
    }
    await cache.set('k', 'new');
    await clock.advance(1_000);
    failing.mockClear();
    await cache.get('k', failing);
    await settle();

    expect(failing).toHaveBeenCalledTimes(1);
  });

  it('does not hold up a caller of refresh: true', async () => {
    const { clock, cache, loader } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(1_000);
    await cache.get('k', () => Promise.reject(new Error('down')));
    await settle();

    expect(await cache.get('k', { refresh: true, loader })).toBe('v1');
  });
});

describe('refresh: true', () => {
  it('loads anew now and stores it, whatever is cached', async () => {
    const { cache, loader } = setUp();
    await cache.set('k', 'old');

    expect(await cache.get('k', { refresh: true, loader })).toBe('v1');
    expect(cache.peek('k')).toBe('v1');
  });

  it('leaves the older value where it fails', async () => {
    const { cache } = setUp();
    await cache.set('k', 'old');
    const down = new Error('down');

    await expect(
      cache.get('k', { refresh: true, loader: () => Promise.reject(down) }),
    ).rejects.toBe(down);
    expect(cache.peek('k')).toBe('old');
  });

  it('gives the older value to others while it runs', async () => {
    const { cache, loader } = setUp();
    await cache.set('k', 'old');
    const load = deferred<string>();
    const refreshed = cache.get('k', { refresh: true, loader: () => load.promise });

    expect(await cache.get('k', loader)).toBe('old');
    load.resolve('new');
    expect(await refreshed).toBe('new');
    expect(loader).not.toHaveBeenCalled();
  });

  it('tells the loader what it refreshes', async () => {
    const { cache } = setUp();
    await cache.set('k', 'old');
    const seen: unknown[] = [];
    await cache.get('k', {
      refresh: true,
      loader: (_key, { previous, background }) => {
        seen.push(previous, background);
        return 'new';
      },
    });

    expect(seen).toEqual(['old', false]);
  });
});

describe('softTimeout', () => {
  it('serves the stale value after it while the load goes on', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: '10s', softTimeout: 100 });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const load = deferred<string>();
    let signal: AbortSignal | undefined;
    const get = cache.getWithMeta('k', (_key, context) => {
      signal = context.signal;
      return load.promise;
    });

    await clock.advance(99);
    expect(await stateOf(get)).toBe('pending');
    await clock.advance(1);
    expect(await get).toMatchObject({ value: 'old', status: 'error-stale', source: 'memory' });
    expect(signal?.aborted).toBe(false);

    load.resolve('new');
    await settle();
    expect(cache.peek('k')).toBe('new');
  });

  it('changes nothing where there is no stale value', async () => {
    const { clock, cache } = setUp({ staleIfError: '10s', softTimeout: 100 });
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);
    await clock.advance(10_000);
    expect(await stateOf(get)).toBe('pending');
    load.resolve('new');

    expect(await get).toBe('new');
  });

  it('changes nothing for a stale value outside staleIfError', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: 1_000, softTimeout: 100 });
    await cache.set('k', 'old');
    await clock.advance(1_950);
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);
    await clock.advance(150);
    expect(await stateOf(get)).toBe('pending');
    load.resolve('new');

    expect(await get).toBe('new');
  });

  it('counts from the arrival of each caller, and can differ for one call', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: '10s', softTimeout: 100 });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const first = cache.get('k', loader);
    await clock.advance(60);
    const second = cache.get('k', { loader, softTimeout: 20 });
    await clock.advance(20);

    expect(await stateOf(second)).toBe('done');
    expect(await stateOf(first)).toBe('pending');
    await clock.advance(20);
    expect(await stateOf(first)).toBe('done');
    expect(loader).toHaveBeenCalledTimes(1);
    load.resolve('new');
  });

  it('a load that fails after it is no unhandled rejection and leaves the stale value', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: '10s', softTimeout: 100 });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);
    await clock.advance(100);
    expect(await get).toBe('old');
    const down = new Error('down');
    load.reject(down);
    await settle();

    expect(errors).toEqual([down]);
    expect(await cache.get('k', () => Promise.reject(down))).toBe('old');
  });
});

describe('timeout', () => {
  it('rejects each caller with LoadTimeoutError at its own limit, from its arrival', async () => {
    const { clock, cache } = setUp({ timeout: 200 });
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const first = cache.get('k', loader);
    await clock.advance(100);
    const second = cache.get('k', loader);
    const hasty = cache.get('k', { loader, timeout: '50ms' });
    const outcomes = [first, second, hasty].map((get) =>
      get.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );

    await clock.advance(49);
    expect(await Promise.all([first, second, hasty].map(stateOf))).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
    await clock.advance(1);
    expect(await stateOf(hasty)).toBe('failed');
    await clock.advance(49);
    expect(await stateOf(first)).toBe('pending');
    await clock.advance(1);
    expect(await stateOf(first)).toBe('failed');
    expect(await stateOf(second)).toBe('pending');
    await clock.advance(100);
    expect(await stateOf(second)).toBe('failed');
    for (const error of await Promise.all(outcomes)) {
      expect(error).toBeInstanceOf(LoadTimeoutError);
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_ACACHE_/), key: 'k' });
    }
    expect(loader).toHaveBeenCalledTimes(1);
    load.resolve('late');
  });

  it('serves a stale value inside staleIfError instead', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: '10s', timeout: 200 });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const get = cache.getWithMeta('k', () => new Promise<string>(() => {}));
    await clock.advance(200);

    expect(await get).toMatchObject({ value: 'old', status: 'error-stale' });
  });

  it('never starts a second load beside the one that still runs, and stores its late value', async () => {
    const { clock, cache } = setUp({ timeout: 50 });
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const failures: unknown[] = [];
    for (let caller = 0; caller < 6; caller++) {
      cache.get('k', loader).catch((error: unknown) => failures.push(error));
      await clock.advance(30);
    }
    await clock.advance(50);
    expect(failures).toHaveLength(6);
    expect(loader).toHaveBeenCalledTimes(1);

    load.resolve('late');
    await settle();
    expect(cache.peek('k')).toBe('late');
  });

  it('fires the signal of the load once the last waiting caller has left', async () => {
    const { clock, cache } = setUp({ timeout: 50 });
    let signal: AbortSignal | undefined;
    const loader = (_key: string, context: { signal: AbortSignal }): Promise<string> => {
      signal = context.signal;
      return new Promise(() => {});
    };
    const gets = [cache.get('k', loader), cache.get('k', { loader, timeout: 80 })];
    const all = Promise.allSettled(gets);
    await clock.advance(50);
    expect(signal?.aborted).toBe(false);
    await clock.advance(30);
    expect(signal?.aborted).toBe(true);

    await all;
  });

  it('leaves no timer behind once the load has settled', async () => {
    const { clock, cache, loader } = setUp({ timeout: 5_000, softTimeout: 1_000 });
    await cache.get('k', loader);

    expect(clock.pending).toBe(0);
  });

  it('limits no hit and no loader that answers in time', async () => {
    const { clock, cache } = setUp({ timeout: 50 });
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);
    await clock.advance(49);
    load.resolve('v');
    expect(await get).toBe('v');
    await clock.advance(1_000);

    expect(await cache.get('k')).toBe('v');
  });
});

describe('errorTtl', () => {
  it('remembers a failure: the same error without a load, until its last millisecond', async () => {
    const { clock, cache } = setUp({ errorTtl: 1_000 });
    const down = new Error('down');
    const failing = jest.fn(() => Promise.reject(down));
    await expect(cache.get('k', failing)).rejects.toBe(down);
    await clock.advance(999);
    await expect(cache.get('k', failing)).rejects.toBe(down);
    expect(failing).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await expect(cache.get('k', failing)).rejects.toBe(down);
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it('is 0 by default: the next caller loads again', async () => {
    const { cache, loader } = setUp();
    await expect(cache.get('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');

    expect(await cache.get('k', loader)).toBe('v1');
  });

  it('a function decides by error and key', async () => {
    const errorTtl = jest.fn((error: unknown, _key: string) =>
      (error as Error).message === 'not found' ? ('1s' as const) : 0,
    );
    const { clock, cache } = setUp({ errorTtl });
    const missing = jest.fn(() => Promise.reject(new Error('not found')));
    const broken = jest.fn(() => Promise.reject(new Error('broken')));
    for (let at = 0; at < 2; at++) {
      await expect(cache.get('a', missing)).rejects.toThrow('not found');
      await expect(cache.get('b', broken)).rejects.toThrow('broken');
    }
    expect(missing).toHaveBeenCalledTimes(1);
    expect(broken).toHaveBeenCalledTimes(2);
    expect(errorTtl.mock.calls[0]).toEqual([expect.any(Error), 'a']);
    await clock.advance(1_000);
    await expect(cache.get('a', missing)).rejects.toThrow('not found');
    expect(missing).toHaveBeenCalledTimes(2);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no errorTtl');
      },
    ],
    ['gives a bad duration', () => '5 minutes' as never],
  ])('a function that %s leaves the caller the error of the loader', async (_what, errorTtl) => {
    const { cache } = setUp({ errorTtl });
    const down = new Error('down');

    await expect(cache.get('k', () => Promise.reject(down))).rejects.toBe(down);
  });

  it.each(['set', 'delete', 'clear', 'refresh'])('%s forgets it', async (way) => {
    const { cache, loader } = setUp({ errorTtl: '1h' });
    await expect(cache.get('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');

    if (way === 'set') await cache.set('k', 'v1');
    else if (way === 'delete') await cache.delete('k');
    else if (way === 'clear') await cache.clear();
    else await cache.get('k', { refresh: true, loader });

    expect(await cache.get('k', loader)).toBe('v1');
  });

  it.each(['set', 'delete', 'clear'])('%s forgets it before the call returns', async (way) => {
    const { cache, loader } = setUp({ errorTtl: '1h' });
    await expect(cache.get('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');

    const changed: Promise<unknown> =
      way === 'set' ? cache.set('k', 'v1') : way === 'delete' ? cache.delete('k') : cache.clear();
    expect(await cache.get('k', loader)).toBe('v1');
    await changed;
  });

  it('is neither a value nor an entry', async () => {
    const { cache } = setUp({ errorTtl: '1h' });
    await expect(cache.get('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down');

    expect(cache.has('k')).toBe(false);
    expect(cache.peek('k')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('leaves a stale value inside staleIfError to be served', async () => {
    const { clock, cache } = setUp({ ttl: 1_000, staleIfError: '1h', errorTtl: '1m' });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    expect(await cache.get('k', failing)).toBe('old');
    expect(await cache.get('k', failing)).toBe('old');
    expect(failing).toHaveBeenCalledTimes(1);
  });

  it('remembers a failure that is no Error, undefined included', async () => {
    const { cache } = setUp({ errorTtl: '1h' });
    for (const reason of [undefined, null, 0, 'down']) {
      const failing = jest.fn(() => Promise.reject(reason));
      for (let at = 0; at < 2; at++) {
        await expect(cache.get(String(reason), failing)).rejects.toBe(reason);
      }
      expect(failing).toHaveBeenCalledTimes(1);
    }
  });
});
