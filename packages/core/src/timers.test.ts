import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';
import type { ClockTimer } from './index.js';

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
});
