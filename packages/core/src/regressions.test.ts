import { AsyncCache } from './async-cache.js';
import { fakeClock } from './testing.js';

describe('what was once wrong', () => {
  it('setMany says what it got', async () => {
    const cache = new AsyncCache<unknown, unknown>();
    await expect(cache.setMany([5] as never)).rejects.toThrow(/\[key, value\], got 5/);
    await expect(cache.setMany(5 as never)).rejects.toThrow(/\[key, value\], got 5/);
    await expect(cache.setMany([['k']] as never)).rejects.toThrow(/got an array/);
    expect(cache.size).toBe(0);
  });

  it('a listener whose promise rejects breaks nothing', async () => {
    const cache = new AsyncCache<string, number>();
    const sources: string[] = [];
    cache.on('error', ({ source }) => sources.push(source));
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake under test
    cache.on('set', () => Promise.reject(new Error('listener')));
    await cache.set('k', 1);
    await Promise.resolve();
    expect(sources).toEqual(['listener']);
  });

  it('a load that began before clear counts no more', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({ clock });
    const failed = cache.get('k', async () => {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 10);
      });
      throw new Error('down');
    });
    failed.catch(() => undefined);
    await cache.clear();
    await clock.advance(10);
    await expect(failed).rejects.toThrow('down');
    expect(cache.getMetrics()).toMatchObject({ loads: 0, loadErrors: 0, loadTimeMs: 0 });
  });

  it('a refresh that changes the previous value in place and fails leaves the entry as it was', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, { count: number }>({
      clock,
      ttl: 10,
      staleWhileRevalidate: 1000,
      clone: structuredClone,
    });
    await cache.set('k', { count: 1 });
    await clock.advance(20);
    await cache.get('k', (_, { previous }) => {
      if (previous !== undefined) previous.count++;
      throw new Error('down');
    });
    expect(await cache.get('k')).toEqual({ count: 1 });
  });

  it('a thenable that throws when it is looked at is a loader that failed', async () => {
    const cache = new AsyncCache<string, unknown>();
    const hostile = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('hostile');
      },
    });
    await expect(cache.get('k', () => hostile)).rejects.toThrow('hostile');
    expect(await cache.get('k', () => 'v')).toBe('v');
  });

  it('size counts what is alive while a sweep is on its way', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock, maxSize: null });
    for (let key = 0; key < 10_000; key++) await cache.set(key, key, { ttl: key < 5000 ? 10 : 50 });
    // One slice removes a part of what is dead, and stops.
    await clock.advance(10);
    expect(cache.size).toBe(5000);
    await clock.advance(40);
    expect(cache.size).toBe(0);
  });
});
