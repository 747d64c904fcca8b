import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';
import type { Clock, ClockTimer } from './index.js';

describe('timers', () => {
  it('none runs while nothing can expire', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock });
    for (let key = 0; key < 100; key++) await cache.set(key, key);
    await cache.get(1);

    expect(clock.pending).toBe(0);
  });

  it('one runs however many entries expire, and it lets the process end', async () => {
    const clock = fakeClock();
    let held = 0;
    const watched = {
      ...clock,
      setTimeout: (callback: () => void, ms: number) => {
        held++;
        const timer = clock.setTimeout(callback, ms);
        return {
          ...(timer as object),
          unref: () => {
            held--;
            return timer;
          },
        };
      },
      clearTimeout: (timer: ClockTimer) => {
        clock.clearTimeout(timer);
      },
    };
    const cache = new AsyncCache<number, number>({ clock: watched, maxSize: null });
    for (let key = 0; key < 1_000; key++) await cache.set(key, key, { ttl: 1_000 + key * 7 });
    for (let key = 0; key < 1_000; key += 3) await cache.get(key, { ttl: '1m', loader: () => 1 });

    expect(clock.pending).toBeLessThanOrEqual(1);
    expect(held).toBe(0);
  });

  it('an idle cache gives expired entries back, long and short ones, and then sleeps', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock, maxSize: null });
    for (let key = 0; key < 1_000; key++) {
      await cache.set(key, key, { ttl: key % 2 === 0 ? 1_000 : '2h' });
    }
    await clock.advance(120_000);
    expect(cache.getMetrics()).toMatchObject({ size: 500, expirations: 500 });
    await clock.advance(3 * 3_600_000);
    expect(cache.getMetrics()).toMatchObject({ size: 0, expirations: 1_000 });

    expect(clock.pending).toBe(0);
  });

  it('a look at the size does not give back all at once what has expired', async () => {
    const timers = fakeClock();
    let late = 0;
    const clock = { ...timers, now: () => timers.now() + late };
    const cache = new AsyncCache<number, number>({ clock, maxSize: null, ttl: '1s' });
    let expired = 0;
    cache.on('expire', () => expired++);
    for (let key = 0; key < 10_000; key++) {
      void cache.set(key, key, key % 2 === 0 ? {} : { ttl: 500, staleIfError: '1h' });
    }
    // The event loop is blocked.
    late = 2000;
    expect([cache.size, expired]).toEqual([5_000, 2_000]);
    expect(cache.getMetrics().size).toBe(5_000);
    expect(expired).toBe(4_000);
    late = 0;
    await timers.advance(2010);

    expect([cache.size, expired]).toEqual([5_000, 5_000]);
  });

  it('a short ttl beside a long one is given back in its own time', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({ clock });
    await cache.set('long', 1, { ttl: '10d' });
    await cache.set('short', 1, { ttl: '1s' });
    await clock.advance(120_000);

    expect(cache.getMetrics()).toMatchObject({ size: 1, expirations: 1 });
  });

  it('an entry whose stale windows are open is not given back', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({ clock, ttl: '1s', staleIfError: '1h' });
    await cache.set('k', 1);
    await clock.advance(3_590_000);

    expect(await cache.get('k', () => Promise.reject(new Error('down')))).toBe(1);
  });

  it('are never set for longer than a platform can count', async () => {
    const clock = fakeClock();
    const lengths: number[] = [];
    const platform = {
      ...clock,
      setTimeout: (callback: () => void, ms: number) => {
        lengths.push(ms);
        // Beyond 2^31 - 1 ms every platform calls back at once.
        return clock.setTimeout(callback, ms > 2_147_483_647 ? 1 : ms);
      },
    };
    const cache = new AsyncCache<string, string>({
      clock: platform,
      ttl: '60d',
      timeout: '60d',
      softTimeout: '50d',
    });
    const get = cache.get(
      'k',
      () => new Promise<string>((resolve) => clock.setTimeout(() => resolve('v'), 100)),
    );
    await clock.advance(100);
    expect(await get).toBe('v');
    await clock.advance(1_000);
    expect(cache.has('k')).toBe(true);

    expect(lengths.length).toBeLessThan(20);
  });

  it('may be mere numbers, as in a browser', async () => {
    const clock = fakeClock();
    const timers = new Map<number, ClockTimer>();
    const browser = {
      now: () => clock.now(),
      setTimeout: (callback: () => void, ms: number) => {
        timers.set(timers.size + 1, clock.setTimeout(callback, ms));
        return timers.size;
      },
      clearTimeout: (timer: ClockTimer) => {
        clock.clearTimeout(timers.get(timer as number)!);
      },
    } as unknown as Clock;
    const cache = new AsyncCache<string, number>({ clock: browser, ttl: 1_000, timeout: 50 });
    await cache.set('k', 1);
    expect(await cache.get('l', () => Promise.resolve(2))).toBe(2);
    await clock.advance(120_000);
    expect(cache.getMetrics()).toMatchObject({ size: 0, expirations: 2 });
    await cache.set('k', 1);
    await cache.close();

    expect(clock.pending).toBe(0);
  });
});
