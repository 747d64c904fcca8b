import { deferred, settle, stateOf } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';

describe('get', () => {
  it('loads on a miss, once for everybody, and serves what is stored', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const gets = Array.from({ length: 100 }, () => cache.get('k', loader));
    load.resolve('v');

    expect(new Set(await Promise.all(gets))).toEqual(new Set(['v']));
    expect(await cache.get('k', loader)).toBe('v');
    expect(loader).toHaveBeenCalledTimes(1);
    expect(loader).toHaveBeenCalledWith('k', expect.anything());
  });

  it('takes a loader alone, or among options', async () => {
    const cache = new AsyncCache();

    expect(await cache.get('a', () => 1)).toBe(1);
    expect(await cache.get('b', { loader: () => 2 })).toBe(2);
    expect(await cache.get('c', {})).toBeUndefined();
    expect(await cache.get('d')).toBeUndefined();
    expect(await cache.get('e', { loader: undefined, ttl: undefined })).toBeUndefined();
  });

  it('without a loader joins a load that runs', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const first = cache.get('k', () => load.promise);
    const second = cache.get('k');
    load.resolve('v');

    expect(await Promise.all([first, second])).toEqual(['v', 'v']);
  });

  it('without a loader stores nothing', async () => {
    const cache = new AsyncCache();
    await cache.get('k');

    expect(cache.has('k')).toBe(false);
    expect(cache.size).toBe(0);
  });

  it('calls the loader of the first caller only, with a context that is its own', async () => {
    const cache = new AsyncCache<string, number>();
    const other = jest.fn(() => 2);
    const [first, second] = await Promise.all([cache.get('k', () => 1), cache.get('k', other)]);

    expect([first, second]).toEqual([1, 1]);
    expect(other).not.toHaveBeenCalled();
  });

  it('tells a loader on a cold key that nothing was there', async () => {
    const cache = new AsyncCache<string, number>();
    const seen: unknown[] = [];
    await cache.get('k', (_key, context) => {
      seen.push(context.previous, context.background, context.signal.aborted);
      return 1;
    });

    expect(seen).toEqual([undefined, false, false]);
  });

  it('lets a loader take its context apart', async () => {
    const cache = new AsyncCache<string, number>({ clock: fakeClock() });
    await cache.get('k', (_key, { ttl, tag, signal }) => {
      ttl('1s');
      tag('t');
      expect(signal.aborted).toBe(false);
      return 1;
    });
    expect((await cache.getWithMeta('k')).ttlLeft).toBe(1_000);
    await cache.get('s', (_key, { skipStore }) => {
      skipStore();
      return 1;
    });
    await cache.invalidateTags('t');

    expect(cache.size).toBe(0);
  });

  it('answers a hit at the end of the same turn', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('k', 1);
    const order: string[] = [];
    const hit = cache.get('k').then(() => order.push('hit'));
    await Promise.resolve().then(() => order.push('turn'));
    await hit;

    expect(order).toEqual(['hit', 'turn']);
  });
});

describe('what a loader may give', () => {
  it('a value at once', async () => {
    expect(await new AsyncCache().get('k', () => 5)).toBe(5);
  });

  it('a thenable that is no promise', async () => {
    const cache = new AsyncCache<string, number>();
    const thenable = {
      then: (resolve: (value: number) => void) => resolve(7),
    } as PromiseLike<number>;

    expect(await cache.get('k', () => thenable)).toBe(7);
    expect(cache.peek('k')).toBe(7);
  });

  it('a thenable that answers late, and only its first answer counts', async () => {
    const cache = new AsyncCache<string, number>();
    let answer!: (value: number) => void;
    let refuse!: (error: unknown) => void;
    const thenable = {
      then(resolve: (value: number) => void, reject: (error: unknown) => void) {
        answer = resolve;
        refuse = reject;
      },
    } as PromiseLike<number>;
    const get = cache.get('k', () => thenable);
    await settle();
    answer(1);
    answer(2);
    refuse(new Error('too late'));

    expect(await get).toBe(1);
    expect(cache.peek('k')).toBe(1);
  });

  it('a thenable whose then throws', async () => {
    const cache = new AsyncCache<string, number>();
    const error = new Error('no then');
    const thenable = {
      then() {
        throw error;
      },
    } as unknown as PromiseLike<number>;

    await expect(cache.get('k', () => thenable)).rejects.toBe(error);
    expect(await cache.get('k', () => 1)).toBe(1);
  });

  it('a thenable that resolves to a promise: what is cached is the value', async () => {
    const cache = new AsyncCache<string, number>();
    const thenable = {
      then: (resolve: (value: unknown) => void) => resolve(Promise.resolve(3)),
    } as unknown as PromiseLike<number>;

    expect(await cache.get('k', () => thenable)).toBe(3);
    expect(cache.peek('k')).toBe(3);
  });

  it('undefined and null, which are values and are cached', async () => {
    for (const nothing of [undefined, null]) {
      const cache = new AsyncCache<string, null | undefined>();
      const loader = jest.fn(() => nothing);
      expect(await cache.get('k', loader)).toBe(nothing);
      expect(await cache.get('k', loader)).toBe(nothing);

      expect(loader).toHaveBeenCalledTimes(1);
      expect(cache.has('k')).toBe(true);
      expect(cache.has('other')).toBe(false);
      expect(cache.peek('k')).toBe(nothing);
      expect(cache.size).toBe(1);
      expect((await cache.getWithMeta('k')).status).toBe('hit');
      expect(cache.getMetrics()).toMatchObject({ hits: 2, misses: 1 });
    }
  });

  it.each([0, -0, '', false, NaN, 0n])('%p, which is falsy, as any value', async (value) => {
    const cache = new AsyncCache();
    const loader = jest.fn(() => value);
    await cache.get('k', loader);

    expect(await cache.get('k', loader)).toBe(value);
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('an Error as a value, a function, a symbol', async () => {
    const values = [new Error('a value'), () => 1, Symbol('s')];
    for (const value of values) {
      const cache = new AsyncCache();
      await cache.get('k', () => value);

      expect(await cache.get('k')).toBe(value);
    }
  });
});

describe('a loader that fails', () => {
  it('gives everybody who waits the same error object, unwrapped', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const gets = Array.from({ length: 100 }, () =>
      cache.get('k', loader).catch((error: unknown) => error),
    );
    const error = new Error('down');
    load.reject(error);

    for (const got of await Promise.all(gets)) expect(got).toBe(error);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(cache.has('k')).toBe(false);
  });

  it('by throwing at once rejects, and the next caller loads', async () => {
    const cache = new AsyncCache<string, number>();
    const error = new Error('at once');
    const get = cache.get('k', () => {
      throw error;
    });
    expect(get).toBeInstanceOf(Promise);
    await expect(get).rejects.toBe(error);

    expect(await cache.get('k', () => 1)).toBe(1);
    expect(cache.getMetrics()).toMatchObject({ loads: 2, loadErrors: 1 });
  });

  it.each([undefined, null, 0, '', 'text', { code: 1 }])(
    'with %p rejects with just that',
    async (reason) => {
      const cache = new AsyncCache();
      const gets = [1, 2].map(() => cache.get('k', () => Promise.reject(reason)));

      for (const outcome of await Promise.allSettled(gets)) {
        expect(outcome).toEqual({ status: 'rejected', reason });
      }
    },
  );

  it('with a frozen error leaves it as it is', async () => {
    const error = Object.freeze(new Error('frozen'));

    await expect(new AsyncCache().get('k', () => Promise.reject(error))).rejects.toBe(error);
  });

  it('a caller in the catch of another starts a new load', async () => {
    const cache = new AsyncCache<string, number>();
    const retried = cache
      .get('k', () => Promise.reject(new Error('down')))
      .catch(() => cache.get('k', () => 2));

    expect(await retried).toBe(2);
  });
});

describe('a loader that uses the cache', () => {
  it('reads other keys, as deep as it likes', async () => {
    const cache = new AsyncCache<number, number>();
    const sum = (n: number): Promise<number> =>
      cache.get(n, async () => (n === 0 ? 0 : n + (await sum(n - 1))));

    expect(await sum(50)).toBe(1_275);
    expect(cache.size).toBe(51);
  });

  it('reads other keys before it gives a value at once', async () => {
    const cache = new AsyncCache<string, string>({ maxSize: 1 });
    const outer = await cache.get('outer', () => {
      void cache.get('inner', () => 'i');
      return 'o';
    });

    expect(outer).toBe('o');
    expect(cache.size).toBe(1);
  });

  it('sets other keys and clears none of its own accord', async () => {
    const cache = new AsyncCache<string, number>();
    const value = await cache.get('page', async () => {
      await cache.setMany([
        ['a', 1],
        ['b', 2],
      ]);
      return cache.size;
    });

    expect(value).toBe(2);
    expect(cache.size).toBe(3);
  });

  it('sets its own key at once: what was set stays', async () => {
    const cache = new AsyncCache<string, string>();
    const got = await cache.get('k', () => {
      void cache.set('k', 'set');
      return 'loaded';
    });

    expect(got).toBe('loaded');
    expect(cache.peek('k')).toBe('set');
  });

  it('deletes its own key at once: nothing stays', async () => {
    const cache = new AsyncCache<string, string>();
    const got = await cache.get('k', () => {
      void cache.delete('k');
      return 'loaded';
    });

    expect(got).toBe('loaded');
    expect(cache.has('k')).toBe(false);
  });

  it('closes the cache', async () => {
    const cache = new AsyncCache<string, string>();
    const get = cache.get('k', () => {
      void cache.close();
      return 'loaded';
    });

    expect(await stateOf(get)).not.toBe('pending');
  });

  it('a ttl, weigh or clone that uses the cache breaks nothing', async () => {
    const cache: AsyncCache<string, string> = new AsyncCache<string, string>({
      maxSize: 3,
      maxWeight: 100,
      ttl: (value, key) => {
        if (key === 'a') void cache.set('b', value);
        return '1s';
      },
      weigh: (value, key) => {
        if (key === 'b') void cache.delete('c');
        return value.length;
      },
      clone: (value) => {
        cache.has('a');
        return value;
      },
    });
    await cache.set('c', 'c');
    expect(await cache.get('a', () => 'v')).toBe('v');

    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual(['v', 'v', undefined]);
    expect(cache.size).toBe(2);
  });
});

describe('changes', () => {
  it('set is seen before it returns', async () => {
    const cache = new AsyncCache<string, number>();
    const set = cache.set('k', 1);
    expect(cache.peek('k')).toBe(1);

    await expect(set).resolves.toBeUndefined();
  });

  it('setMany is seen before it returns, from any iterable', async () => {
    const cache = new AsyncCache<string, number>();
    const set = cache.setMany(new Map([['a', 1]]));
    expect(cache.peek('a')).toBe(1);
    await set;
    await cache.setMany(
      (function* () {
        yield ['b', 2] as const;
      })(),
      { tags: ['t'] },
    );
    expect(cache.peek('b')).toBe(2);
    await cache.setMany([]);
    await cache.invalidateTags('t');

    expect(cache.has('b')).toBe(false);
  });

  it('delete is seen before it returns, and tells whether memory held the key', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('k', 1);
    const deleted = cache.delete('k');
    expect(cache.has('k')).toBe(false);
    expect(cache.size).toBe(0);

    expect(await deleted).toBe(true);
    expect(await cache.delete('k')).toBe(false);
    expect(await cache.delete('never')).toBe(false);
  });

  it('expire is seen before it returns, and tells whether memory held the key', async () => {
    const cache = new AsyncCache<string, number>({ staleWhileRevalidate: '1s' });
    await cache.set('k', 1);
    const expired = cache.expire('k');
    expect(cache.has('k')).toBe(false);

    expect(await expired).toBe(true);
    expect(await cache.expire('never')).toBe(false);
    expect(await cache.get('k')).toBe(1);
  });

  it('expire without stale windows leaves nothing', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('k', 1);
    await cache.expire('k');

    expect(await cache.get('k')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('clear is seen before it returns', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const cleared = cache.clear();
    expect(cache.size).toBe(0);
    expect([cache.has('a'), cache.has('b')]).toEqual([false, false]);

    await expect(cleared).resolves.toBeUndefined();
    await cache.set('a', 3);
    expect(cache.peek('a')).toBe(3);
  });

  it('clear of one cache leaves another alone, of the same name too', async () => {
    const one = new AsyncCache<string, number>();
    const other = new AsyncCache<string, number>();
    await one.set('k', 1);
    await other.set('k', 2);
    await one.clear();

    expect(other.peek('k')).toBe(2);
  });

  it('holds undefined that is set, and tells it from a miss', async () => {
    const cache = new AsyncCache<string, undefined>();
    await cache.set('k', undefined);

    expect(cache.has('k')).toBe(true);
    expect(await cache.delete('k')).toBe(true);
    expect(cache.has('k')).toBe(false);
  });
});

describe('clone', () => {
  type Doc = { list: number[] };
  const cloning = (options = {}): AsyncCache<string, Doc> =>
    new AsyncCache<string, Doc>({ clone: structuredClone, clock: fakeClock(), ...options });

  it('is off by default: callers share one reference', async () => {
    const cache = new AsyncCache<string, Doc>();
    const doc = { list: [1] };
    await cache.set('k', doc);

    expect(await cache.get('k')).toBe(doc);
    expect(cache.peek('k')).toBe(doc);
  });

  it('isolates what is set from the one who set it', async () => {
    const cache = cloning();
    const doc = { list: [1] };
    await cache.set('k', doc);
    await cache.setMany([['m', doc]]);
    doc.list.push(2);

    expect(await cache.get('k')).toEqual({ list: [1] });
    expect(await cache.get('m')).toEqual({ list: [1] });
  });

  it('isolates every hit, peek and getMany included', async () => {
    const cache = cloning();
    await cache.set('k', { list: [1] });
    (await cache.get('k'))!.list.push(2);
    (await cache.getWithMeta('k')).value!.list.push(3);
    (await cache.getMany(['k'])).get('k')!.list.push(4);
    cache.peek('k')!.list.push(5);

    expect(await cache.get('k')).toEqual({ list: [1] });
  });

  it('isolates the one who loaded and each who joined, from the entry and each other', async () => {
    const cache = cloning();
    const load = deferred<Doc>();
    const gets = Array.from({ length: 3 }, () => cache.get('k', () => load.promise));
    load.resolve({ list: [1] });
    const docs = await Promise.all(gets);
    docs.forEach((doc, at) => doc.list.push(at));

    expect(docs).toEqual([{ list: [1, 0] }, { list: [1, 1] }, { list: [1, 2] }]);
    expect(await cache.get('k')).toEqual({ list: [1] });
  });

  it('isolates joiners of a value that is not stored', async () => {
    const cache = cloning({ ttl: 0 });
    const gets = await Promise.all([1, 2].map(() => cache.get('k', () => ({ list: [1] }))));
    gets[0]!.list.push(2);

    expect(gets[1]).toEqual({ list: [1] });
  });

  it('isolates stale values, served behind a refresh or an error', async () => {
    const clock = fakeClock();
    const cache = cloning({ clock, ttl: 1_000, staleWhileRevalidate: 500, staleIfError: '1h' });
    const down = (): Promise<Doc> => Promise.reject(new Error('down'));
    await cache.set('k', { list: [1] });
    await clock.advance(1_200);
    (await cache.get('k', down)).list.push(2);
    await clock.advance(1_000);
    (await cache.get('k', down)).list.push(3);
    const [one, two] = await Promise.all([cache.get('k', down), cache.get('k', down)]);
    one.list.push(4);

    expect(two).toEqual({ list: [1] });
  });

  it('isolates what getMany loads', async () => {
    const cache = cloning();
    const [one, two] = await Promise.all([
      cache.getMany(['k'], () => Promise.resolve([{ list: [1] }])),
      cache.getMany(['k'], () => Promise.resolve([{ list: [2] }])),
    ]);
    one.get('k')!.list.push(5);

    expect(two.get('k')).toEqual({ list: [1] });
    expect(await cache.get('k')).toEqual({ list: [1] });
  });

  it('that throws settles every call and breaks no other key', async () => {
    const cache = new AsyncCache<string, unknown>({ clone: structuredClone });
    const uncloneable = (): unknown => () => 1;
    const outcomes = await Promise.allSettled([
      cache.get('k', uncloneable),
      cache.get('k', uncloneable),
      cache.getMany(['k'], { loader: uncloneable }),
    ]);

    expect(outcomes).toHaveLength(3);
    expect(await cache.get('other', () => 1)).toBe(1);
  });
});
