import { deferred, settle } from '../test/deferred.js';
import { AsyncCache, makeKey } from './index.js';
import { fakeClock } from './testing.js';

/** Faults that were reproduced in other caches; ours has none of them. */
describe('faults of other caches', () => {
  it('a delete during a load is undone: no, the value stays away for all who come after', async () => {
    const cache = new AsyncCache<string, string>({ ttl: '1h' });
    const load = deferred<string>();
    const before = cache.get('k', () => load.promise);
    await cache.delete('k');
    const after = cache.get('k', () => 'new');
    load.resolve('old');

    expect(await before).toBe('old');
    expect(await after).toBe('new');
    await settle();
    expect(await cache.get('k')).toBe('new');
  });

  it('a clear during a load resurrects: no', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const before = cache.get('k', () => load.promise);
    await cache.clear();
    load.resolve('old');
    await before;

    expect(cache.size).toBe(0);
  });

  it('an invalidation during a load is lost: no, also behind a stale value', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    const cold = deferred<string>();
    const get = cache.get('cold', { tags: ['t'], loader: () => cold.promise });
    await cache.set('stale', 'old', { tags: ['t'] });
    await clock.advance(1_500);
    const refresh = deferred<string>();
    await cache.get('stale', { tags: ['t'], loader: () => refresh.promise });
    await cache.invalidateTags('t');
    cold.resolve('old');
    refresh.resolve('old');
    await get;
    await settle();

    expect(cache.size).toBe(0);
  });

  it('keys collide: no, of two letters nor of containers', async () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234'.split('');
    const keys = new Set(letters.flatMap((a) => letters.map((b) => makeKey('user', [a + b]))));
    expect(keys.size).toBe(letters.length ** 2);

    const containers = [new Map(), new Set(), {}, []].map((value) => makeKey('f', [value]));
    expect(new Set(containers).size).toBe(4);
  });

  it('a failing loader runs once for each of 100 callers: no, once for all', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const error = new Error('down');
    const loader = jest.fn(
      () =>
        new Promise<string>((_resolve, reject) => {
          clock.setTimeout(() => reject(error), 5);
        }),
    );
    const gets = Promise.allSettled(Array.from({ length: 100 }, () => cache.get('k', loader)));
    await clock.advance(5);

    for (const outcome of await gets)
      expect(outcome).toEqual({ status: 'rejected', reason: error });
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('a set right after an invalidation counts as invalidated: no', async () => {
    const cache = new AsyncCache<string, number>({ clock: fakeClock() });
    for (let round = 0; round < 200; round++) {
      void cache.invalidateTags('t');
      await cache.set('k', round, { tags: ['t'] });
      expect(await cache.get('k')).toBe(round);
      expect(await cache.get(`l${round}`, { tags: ['t'], loader: () => round })).toBe(round);
      expect(cache.has(`l${round}`)).toBe(true);
    }
  });

  it('a hard timeout breaks single-flight: no', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, timeout: 50 });
    let running = 0;
    let most = 0;
    const loader = (): Promise<string> =>
      new Promise((resolve) => {
        most = Math.max(most, ++running);
        clock.setTimeout(() => {
          running--;
          resolve('v');
        }, 200);
      });
    const gets: Promise<unknown>[] = [];
    for (let caller = 0; caller < 6; caller++) {
      gets.push(cache.get('k', loader).catch(() => 'timeout'));
      await clock.advance(30);
    }
    await clock.advance(300);
    await Promise.all(gets);

    expect(most).toBe(1);
  });

  it('a failing refresh is tried on every read: no', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(1_000);
    const failing = jest.fn(() => Promise.reject(new Error('down')));
    for (let read = 0; read < 20; read++) {
      expect(await cache.get('k', failing)).toBe('old');
      await clock.advance(1);
    }

    expect(failing).toHaveBeenCalledTimes(1);
  });

  it('an error of the loader is swallowed, or comes back as a value: no', async () => {
    const cache = new AsyncCache<string, string>({ errorTtl: '1h' });
    const error = new Error('down');
    for (let at = 0; at < 3; at++) {
      await expect(cache.get('k', () => Promise.reject(error))).rejects.toBe(error);
    }
  });

  it('a read of an expired entry removes the fresh one after it: no', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({ clock, ttl: 1_000 });
    const loader = jest.fn(() => Promise.resolve(1));
    await cache.get('k', loader);
    await clock.advance(1_000);
    await Promise.all([cache.get('k', loader), cache.get('k'), cache.get('k', loader)]);
    await clock.advance(500);
    await cache.get('k', loader);

    expect(loader).toHaveBeenCalledTimes(2);
    expect(cache.has('k')).toBe(true);
  });

  it('a stale window shorter than ttl shortens its life: no', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      clock,
      ttl: 10_000,
      staleWhileRevalidate: 10,
      staleIfError: 10,
    });
    await cache.set('k', 'v');
    await clock.advance(9_999);

    expect(cache.peek('k')).toBe('v');
  });

  it('getMany drops missing ids out of order, and loads for each of ten callers: no', async () => {
    const cache = new AsyncCache<number, string>();
    const loadMany = jest.fn((ids: readonly number[]) =>
      Promise.resolve(new Map(ids.filter((id) => id !== 2).map((id) => [id, `v${id}`]))),
    );
    const all = await Promise.all(
      Array.from({ length: 10 }, () => cache.getMany([3, 2, 1], loadMany)),
    );

    expect(loadMany).toHaveBeenCalledTimes(1);
    for (const found of all) {
      expect([3, 2, 1].map((id) => found.get(id))).toEqual(['v3', undefined, 'v1']);
    }
  });

  it('the abort of one rejects another, or the signal of one who joined is ignored: no', async () => {
    const cache = new AsyncCache<string, string>();
    const stops = [new AbortController(), new AbortController()];
    const load = deferred<string>();
    const [first, second, third] = [stops[0]?.signal, stops[1]?.signal, undefined].map((signal) =>
      cache.get('k', { loader: () => load.promise, ...(signal === undefined ? {} : { signal }) }),
    );
    stops[0]!.abort(new Error('first'));
    await expect(first).rejects.toThrow('first');
    stops[1]!.abort(new Error('second'));
    await expect(second).rejects.toThrow('second');
    load.resolve('v');

    expect(await third).toBe('v');
  });

  it('more loads than maxSize reject as evicted: no', async () => {
    const cache = new AsyncCache<number, number>({ maxSize: 2 });
    const loads = [0, 1, 2, 3].map(() => deferred<number>());
    const gets = loads.map((load, key) => cache.get(key, () => load.promise));
    loads.forEach((load, key) => load.resolve(key));

    expect(await Promise.all(gets)).toEqual([0, 1, 2, 3]);
  });

  it('a key that cannot be encoded yields undefined: no, it is refused', async () => {
    const cache = new AsyncCache();

    await expect((async () => cache.get([() => 1], () => 1))()).rejects.toMatchObject({
      code: 'ERR_ACACHE_UNKEYABLE',
    });
  });

  it('null counts as a miss: no', async () => {
    const cache = new AsyncCache<string, null>();
    const loader = jest.fn(() => null);
    await cache.get('k', loader);
    await cache.get('k', loader);

    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('a leader who leaves strands those who wait: no', async () => {
    const cache = new AsyncCache<string, string>();
    const stop = new AbortController();
    const load = deferred<string>();
    const leader = cache.get('k', { loader: () => load.promise, signal: stop.signal });
    const waiting = cache.get('k', () => 'x');
    stop.abort();
    await expect(leader).rejects.toBe(stop.signal.reason);
    load.reject(new Error('down'));

    await expect(waiting).rejects.toThrow('down');
  });
});
