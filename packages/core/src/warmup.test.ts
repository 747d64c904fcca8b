import { deferred, settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';
import type { Loader, WarmupProgress } from './index.js';

describe('warmup', () => {
  const loaders: [string, Loader<string, string>][] = [
    ['a', (key) => `v:${key}`],
    ['b', (key) => Promise.resolve(`v:${key}`)],
  ];

  it.each([
    ['a record', Object.fromEntries(loaders)],
    ['a Map', new Map(loaders)],
    ['pairs', loaders],
    ['a Set of pairs', new Set(loaders)],
  ])('takes %s', async (_what, entries) => {
    const cache = new AsyncCache<string, string>();

    expect(await cache.warmup(entries)).toEqual({ loaded: 2, alreadyCached: 0, failures: [] });
    expect([cache.peek('a'), cache.peek('b')]).toEqual(['v:a', 'v:b']);
  });

  it('takes pairs from a generator, with keys of any kind', async () => {
    const cache = new AsyncCache<unknown, string>();
    function* pairs(): Generator<readonly [unknown, Loader<unknown, string>]> {
      yield [['user', 1], () => 'u'];
      yield [7, () => 'seven'];
    }
    await cache.warmup(pairs());

    expect([cache.peek(['user', 1]), cache.peek(7)]).toEqual(['u', 'seven']);
  });

  it('takes a record without a prototype, or with keys such as __proto__', async () => {
    const cache = new AsyncCache<string, string>();
    const record: Record<string, Loader<string, string>> = Object.create(null) as never;
    record.a = () => 'v';
    Object.defineProperty(record, '__proto__', { value: () => 'p', enumerable: true });
    const { loaded } = await cache.warmup(record);

    expect(loaded).toBe(2);
    expect(cache.peek('__proto__')).toBe('p');
  });

  it.each([[{}], [new Map()], [[]]])('has nothing to do for %p', async (entries) => {
    const onProgress = jest.fn();

    expect(await new AsyncCache<string, string>().warmup(entries as never, { onProgress })).toEqual(
      { loaded: 0, alreadyCached: 0, failures: [] },
    );
    expect(onProgress).not.toHaveBeenCalled();
  });

  it('loads what is not cached only', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('a', 'old');
    const loader = jest.fn(() => 'new');

    expect(await cache.warmup({ a: loader, b: loader })).toEqual({
      loaded: 1,
      alreadyCached: 1,
      failures: [],
    });
    expect(cache.peek('a')).toBe('old');
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('takes a cached undefined for cached', async () => {
    const cache = new AsyncCache<string, undefined>();
    await cache.set('a', undefined);

    expect((await cache.warmup({ a: () => undefined })).alreadyCached).toBe(1);
  });

  it.each([1, 2, 5])('runs %p loads at once', async (concurrency) => {
    const cache = new AsyncCache<string, number>();
    let running = 0;
    let most = 0;
    const open: (() => void)[] = [];
    const entries = Array.from({ length: 12 }, (_, at): [string, Loader<string, number>] => [
      `k${at}`,
      async () => {
        most = Math.max(most, ++running);
        const load = deferred<undefined>();
        open.push(() => load.resolve(undefined));
        await load.promise;
        running--;
        return at;
      },
    ]);
    const warming = cache.warmup(entries, { concurrency });
    for (let at = 0; at < 12; at++) {
      await settle();
      open.shift()!();
    }

    expect(await warming).toMatchObject({ loaded: 12 });
    expect(most).toBe(concurrency);
  });

  it('runs few loads at once when nobody says how many', async () => {
    const cache = new AsyncCache<number, number>({ maxSize: null });
    let running = 0;
    let most = 0;
    const entries = Array.from({ length: 200 }, (_, at): [number, Loader<number, number>] => [
      at,
      async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return at;
      },
    ]);
    await cache.warmup(entries);

    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThan(100);
  });

  it('tells its progress after each key', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('b', 'there');
    const error = new Error('down');
    const progress: WarmupProgress<string>[] = [];
    await cache.warmup(
      { a: () => 'v', b: () => 'v', c: () => Promise.reject(error) },
      { concurrency: 1, onProgress: (step) => progress.push(step) },
    );

    expect(progress).toEqual([
      { done: 1, total: 3, key: 'a' },
      { done: 2, total: 3, key: 'b' },
      { done: 3, total: 3, key: 'c', error },
    ]);
  });

  it('reports the loaders that fail, and goes on', async () => {
    const cache = new AsyncCache<string, string>();
    const late = new Error('late');
    const early = new Error('at once');
    const report = await cache.warmup(
      {
        a: () => Promise.reject(late),
        b: () => {
          throw early;
        },
        c: () => 'v',
      },
      { concurrency: 1 },
    );

    expect(report).toEqual({
      loaded: 1,
      alreadyCached: 0,
      failures: [
        { key: 'a', error: late },
        { key: 'b', error: early },
      ],
    });
    expect(cache.peek('c')).toBe('v');
    expect(cache.has('a')).toBe(false);
  });

  it('goes on when onProgress throws', async () => {
    const cache = new AsyncCache<string, string>();
    const report = await cache.warmup(
      { a: () => 'v', b: () => 'v' },
      {
        onProgress: () => {
          throw new Error('no progress');
        },
      },
    );

    expect(report.loaded).toBe(2);
  });

  it('shares loads with get', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const get = cache.get('k', loader);
    const warming = cache.warmup({ k: loader });
    const later = cache.get('k', loader);
    load.resolve('v');

    expect(await Promise.all([get, later])).toEqual(['v', 'v']);
    await warming;
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('is no get: hits and misses stay as they are', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('a', 'v');
    await cache.warmup({ a: () => 'v', b: () => 'v' });

    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 0, loads: 1 });
  });

  it('stores with the ttl of the cache, or the one the loader decides', async () => {
    const cache = new AsyncCache<string, string>({ clock: fakeClock(), ttl: '1s' });
    await cache.warmup({
      a: () => 'v',
      b: (_key, context) => {
        context.ttl('2s');
        context.tag('t');
        return 'v';
      },
    });
    expect((await cache.getWithMeta('a')).ttlLeft).toBe(1_000);
    expect((await cache.getWithMeta('b')).ttlLeft).toBe(2_000);
    await cache.invalidateTags('t');

    expect(cache.has('b')).toBe(false);
  });

  it.each([[{ a: 5 }], [[['a', 'loader']]], [5], [null], ['text']])(
    'refuses %p',
    async (entries) => {
      const cache = new AsyncCache<string, string>();

      await expect((async () => cache.warmup(entries as never))()).rejects.toThrow();
      expect(cache.size).toBe(0);
    },
  );
});
