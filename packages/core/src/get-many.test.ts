import { deferred, settle, stateOf } from '../test/deferred.js';
import { AsyncCache, CacheError, LoadTimeoutError } from './index.js';
import { fakeClock } from './testing.js';
import type { BatchContext, BatchResults, LoadContext } from './index.js';

type Results = BatchResults<string, string>;

/** Loads `v:<key>` for each key, and notes what it was asked for. */
function batch() {
  return jest.fn((keys: readonly string[]) => Promise.resolve(keys.map((key) => `v:${key}`)));
}

describe('getMany', () => {
  it('loads the missing keys only, in one call, and answers in key order', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('b', 'cached');
    const loadMany = batch();
    const found = await cache.getMany(['c', 'b', 'a'], loadMany);

    expect([...found]).toEqual([
      ['c', 'v:c'],
      ['b', 'cached'],
      ['a', 'v:a'],
    ]);
    expect(loadMany.mock.calls).toEqual([[['c', 'a']]]);
    expect(cache.peek('a')).toBe('v:a');
  });

  it('takes loadMany alone or among options', async () => {
    const cache = new AsyncCache<string, string>();

    expect((await cache.getMany(['a'], { loadMany: batch() })).get('a')).toBe('v:a');
  });

  it('asks for a key given twice once, and answers it where it came first', async () => {
    const cache = new AsyncCache<string, string>();
    const loadMany = batch();
    const found = await cache.getMany(['b', 'a', 'b', 'a', 'c'], loadMany);

    expect([...found.keys()]).toEqual(['b', 'a', 'c']);
    expect(loadMany.mock.calls).toEqual([[['b', 'a', 'c']]]);
  });

  it('asks for equal objects once, and answers each of them', async () => {
    const cache = new AsyncCache<readonly unknown[], string>();
    const loadMany = jest.fn((keys: readonly (readonly unknown[])[]) =>
      Promise.resolve(keys.map((key) => `v:${key.join()}`)),
    );
    const keys = [
      ['u', 1],
      ['u', 1],
      ['u', 2],
    ];
    const found = await cache.getMany(keys, loadMany);

    expect(keys.map((key) => found.get(key))).toEqual(['v:u,1', 'v:u,1', 'v:u,2']);
    expect(loadMany).toHaveBeenCalledWith([
      ['u', 1],
      ['u', 2],
    ]);
  });

  it('without a loader answers what is cached only', async () => {
    const cache = new AsyncCache<string, string | undefined>();
    await cache.set('a', 'v');
    await cache.set('u', undefined);

    expect([...(await cache.getMany(['x', 'a', 'u']))]).toEqual([
      ['a', 'v'],
      ['u', undefined],
    ]);
    expect([...(await cache.getMany(['x', 'a'], {}))]).toEqual([['a', 'v']]);
  });

  it('loads each key by itself with a loader', async () => {
    const cache = new AsyncCache<string, string>();
    const loader = jest.fn((key: string) => `l:${key}`);
    const found = await cache.getMany(['a', 'b'], { loader });

    expect([...found.values()]).toEqual(['l:a', 'l:b']);
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it('calls loadMany for no key at all never', async () => {
    const cache = new AsyncCache<string, string>();
    const loadMany = batch();
    await cache.set('a', 'v');

    expect(await cache.getMany([], loadMany)).toEqual(new Map());
    await cache.getMany(['a'], loadMany);
    expect(loadMany).not.toHaveBeenCalled();
  });

  it('reads any iterable, once', async () => {
    const cache = new AsyncCache<string, string>();
    function* keys(): Generator<string> {
      yield 'a';
      yield 'b';
    }
    expect((await cache.getMany(keys(), batch())).size).toBe(2);
    expect((await cache.getMany(new Set(['a', 'c']), batch())).size).toBe(2);

    expect((await cache.getMany(new Map([['d', 1]]).keys(), batch())).size).toBe(1);
  });

  it('rejects with what an iterable throws, and loads nothing', async () => {
    const cache = new AsyncCache<string, string>();
    const error = new Error('no more keys');
    function* keys(): Generator<string> {
      yield 'a';
      throw error;
    }
    const loadMany = batch();

    await expect((async () => cache.getMany(keys(), loadMany))()).rejects.toBe(error);
    expect(loadMany).not.toHaveBeenCalled();
    expect(await cache.get('a', () => 'free')).toBe('free');
  });
});

describe('what loadMany may answer', () => {
  const ask = async (results: unknown, keys: string[] = ['a', 'b']) => {
    const cache = new AsyncCache<string, unknown>();
    const found = await cache.getMany(keys, () => Promise.resolve(results as Results));
    return { cache, found };
  };

  it('a Map', async () => {
    const { found } = await ask(
      new Map([
        ['b', 2],
        ['a', 1],
        ['z', 9],
      ]),
    );

    expect([...found]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('a record, read by its own properties only', async () => {
    const { found } = await ask(JSON.parse('{"b":2,"a":1,"__proto__":3}'), ['a', 'b', '__proto__']);
    expect([...found]).toEqual([
      ['a', 1],
      ['b', 2],
      ['__proto__', 3],
    ]);

    const keys = ['a', 'toString', 'constructor', '__proto__', 'hasOwnProperty'];
    const { found: few } = await ask({ a: 1 }, keys);
    expect(keys.map((key) => few.get(key))).toEqual([
      1,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('a record without a prototype', async () => {
    const { found } = await ask(Object.assign(Object.create(null) as object, { a: 1, b: 2 }));

    expect([...found.values()]).toEqual([1, 2]);
  });

  it('a record for keys that are numbers', async () => {
    const cache = new AsyncCache<number, string>();
    const found = await cache.getMany([2, 1], () => Promise.resolve({ 1: 'one', 2: 'two' }));

    expect([...found]).toEqual([
      [2, 'two'],
      [1, 'one'],
    ]);
  });

  it('a Map for keys that are objects', async () => {
    const cache = new AsyncCache<{ id: number }, string>();
    const found = await cache.getMany([{ id: 1 }, { id: 2 }], (keys) =>
      Promise.resolve(new Map(keys.map((key) => [key, `v${key.id}`]))),
    );

    expect([...found.values()]).toEqual(['v1', 'v2']);
    expect(cache.peek({ id: 2 })).toBe('v2');
  });

  it('a Map for keys that are objects, made of equal ones', async () => {
    const cache = new AsyncCache<{ id: number; of?: string }, string | undefined>();
    const found = await cache.getMany(
      [{ id: 1, of: 'x' }, { id: 2 }, { id: 3 }],
      () =>
        new Map([
          [{ id: 2 }, 'two'],
          [{ of: 'x', id: 1 }, 'one'],
        ]),
    );

    expect([...found.values()]).toEqual(['one', 'two', undefined]);
    expect([cache.peek({ id: 2 }), cache.has({ id: 3 })]).toEqual(['two', true]);
  });

  it('a Map for keys that are objects, where the very key counts before an equal one', async () => {
    const cache = new AsyncCache<readonly number[], string>();
    const key = [1];
    const found = await cache.getMany([key], (keys) =>
      Promise.resolve(
        new Map([
          [keys[0] ?? [], 'itself'],
          [[1], 'an equal one'],
        ]),
      ),
    );

    expect(found.get(key)).toBe('itself');
  });

  it('a record for keys that are arrays, by their texts', async () => {
    const cache = new AsyncCache<readonly unknown[], string>();
    const found = await cache.getMany([['u', 1]], () => Promise.resolve({ 'u,1': 'user' }));

    expect([...found.values()]).toEqual(['user']);
  });

  it('no record for keys that are objects', async () => {
    const cache = new AsyncCache<object, string>();
    const error: unknown = await cache
      .getMany([{ id: 1 }], () => Promise.resolve({ a: 'A', '[object Object]': 'B' }))
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(CacheError);
    expect((error as CacheError).code).toBe('ERR_ACACHE_BATCH_RESULT');
    expect((error as CacheError).message).toMatch(/answer with an array or a Map/);
    expect(cache.size).toBe(0);
  });

  it.each([
    [
      [
        ['u', { id: 1 }],
        ['u', { id: 2 }],
      ],
      { 'u,[object Object]': 'x' },
    ],
    [[new Map([['id', 1]]), new Map([['id', 2]])], { '[object Map]': 'x' }],
  ])('no record for keys that have one text: %p', async (keys: object[], results) => {
    const cache = new AsyncCache<object, string>();
    const error: unknown = await cache
      .getMany(keys, () => Promise.resolve(results))
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'ERR_ACACHE_BATCH_RESULT' });
  });

  it('no record for keys that have no text at all', async () => {
    const cache = new AsyncCache<object, string>();
    const key = Object.assign(Object.create(null) as object, { id: 1 });
    const error: unknown = await cache
      .getMany([key], () => Promise.resolve({ a: 'A' }))
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'ERR_ACACHE_BATCH_RESULT' });
  });

  it('any of them without a promise', async () => {
    for (const results of [['A'], new Map([['a', 'A']]), { a: 'A' }]) {
      const cache = new AsyncCache<string, string>();

      expect((await cache.getMany(['a'], () => results)).get('a')).toBe('A');
    }
  });

  it('a thenable', async () => {
    const cache = new AsyncCache<string, string>();
    const thenable = {
      then: (resolve: (results: string[]) => void) => resolve(['v']),
    } as unknown as PromiseLike<string[]>;

    expect((await cache.getMany(['a'], () => thenable)).get('a')).toBe('v');
  });

  it('undefined and null in an array, which are values', async () => {
    const { cache, found } = await ask([undefined, null]);

    expect([...found]).toEqual([
      ['a', undefined],
      ['b', null],
    ]);
    expect(cache.has('a')).toBe(true);
    expect(cache.has('b')).toBe(true);
  });

  it('a key that a Map or record leaves out is undefined', async () => {
    for (const results of [new Map([['a', 1]]), { a: 1 }]) {
      const { found } = await ask(results);

      expect(found.get('a')).toBe(1);
      expect(found.get('b')).toBeUndefined();
    }
  });

  it.each([[[]], [['one']], [['one', 'two', 'three']]])(
    'no array of another length: %j',
    async (results) => {
      const cache = new AsyncCache<string, string>();
      const error: unknown = await cache
        .getMany(['a', 'b'], () => Promise.resolve(results))
        .catch((reason: unknown) => reason);

      expect(error).toBeInstanceOf(CacheError);
      expect((error as CacheError).code).toBe('ERR_ACACHE_BATCH_LENGTH');
      expect(cache.size).toBe(0);
      expect(await cache.get('a', () => 'again')).toBe('again');
    },
  );

  it.each([undefined, null, 5, 'ab'])('%p is refused, and nothing is cached', async (results) => {
    const cache = new AsyncCache<string, string>();

    await expect(
      cache.getMany(['a', 'b'], () => Promise.resolve(results as never)),
    ).rejects.toBeInstanceOf(Error);
    expect(cache.size).toBe(0);
  });

  it.each([[new Uint8Array([10, 20])], [new Set([10, 20])], [[10, 20].values()]])(
    'nothing that merely looks like a list: %p',
    async (results) => {
      const cache = new AsyncCache<number, unknown>();
      const error: unknown = await cache
        .getMany([1, 2], () => Promise.resolve(results as never))
        .catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: 'ERR_ACACHE_BATCH_RESULT' });
      expect(cache.size).toBe(0);
    },
  );

  it('an array that changes afterwards changes nothing', async () => {
    const cache = new AsyncCache<string, string>();
    let given: string[] = [];
    await cache.getMany(['a', 'b'], (keys) => {
      given = keys as string[];
      return Promise.resolve(keys.map((key) => `v:${key}`));
    });
    try {
      given.length = 0;
    } catch {
      // A frozen array is as good.
    }

    expect(cache.peek('b')).toBe('v:b');
  });
});

describe('a loadMany that fails', () => {
  it('for one key rejects with it after the others are stored', async () => {
    const cache = new AsyncCache<string, string>();
    const error = new Error('no b');
    const got: unknown = await cache
      .getMany(['a', 'b', 'c'], () => Promise.resolve(['A', error, 'C']))
      .catch((reason: unknown) => reason);

    expect(got).toBe(error);
    expect([cache.peek('a'), cache.has('b'), cache.peek('c')]).toEqual(['A', false, 'C']);
    expect(await cache.get('b', () => 'again')).toBe('again');
  });

  it('for two keys rejects with the first of them, in key order', async () => {
    const cache = new AsyncCache<string, string>();
    const errors = [new Error('no a'), new Error('no b')];

    await expect(cache.getMany(['a', 'b'], () => Promise.resolve(errors))).rejects.toBe(errors[0]);
  });

  it('for a key of a Map or record rejects too', async () => {
    const error = new Error('no b');
    for (const results of [
      new Map<string, string | Error>([
        ['a', 'A'],
        ['b', error],
      ]),
      { a: 'A', b: error },
    ]) {
      const cache = new AsyncCache<string, string>();

      await expect(
        cache.getMany(['a', 'b'], () => Promise.resolve(results as Results)),
      ).rejects.toBe(error);
      expect(cache.peek('a')).toBe('A');
    }
  });

  it.each(['rejects', 'throws'])('and %s rejects with just that', async (way) => {
    const cache = new AsyncCache<string, string>();
    const error = new Error('all down');
    const loadMany = (): Promise<string[]> => {
      if (way === 'throws') throw error;
      return Promise.reject(error);
    };

    await expect(cache.getMany(['a', 'b'], loadMany)).rejects.toBe(error);
    expect(cache.size).toBe(0);
    expect(await cache.get('a', () => 'again')).toBe('again');
  });

  it('rejects only once keys of other loads are stored', async () => {
    const cache = new AsyncCache<string, string>();
    const slow = deferred<string>();
    const other = cache.get('slow', () => slow.promise);
    const error = new Error('down');
    const many = cache.getMany(['slow', 'a'], () => Promise.reject(error));
    many.catch(() => undefined);
    slow.resolve('v');
    await other;

    await expect(many).rejects.toBe(error);
    expect(cache.peek('slow')).toBe('v');
  });

  it('gives those who joined a key of it the same error, unwrapped', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string[]>();
    const many = cache.getMany(['a', 'b'], () => load.promise).catch((error: unknown) => error);
    const single = cache.get('a', () => 'x').catch((error: unknown) => error);
    const error = new Error('down');
    load.reject(error);

    expect(await many).toBe(error);
    expect(await single).toBe(error);
  });

  it('leaves stale values inside staleIfError to be served', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleIfError: '1h' });
    await cache.setMany([
      ['a', 'A'],
      ['b', 'B'],
    ]);
    await clock.advance(2_000);
    const found = await cache.getMany(['a', 'b'], () => Promise.reject(new Error('down')));

    expect([...found.values()]).toEqual(['A', 'B']);
  });

  it('is remembered for each key by errorTtl', async () => {
    const cache = new AsyncCache<string, string>({ errorTtl: '1m' });
    const error = new Error('no a');
    await expect(cache.getMany(['a', 'b'], () => Promise.resolve([error, 'B']))).rejects.toBe(
      error,
    );

    await expect(cache.get('a', () => 'x')).rejects.toBe(error);
    expect(await cache.get('b', () => 'x')).toBe('B');
  });
});

describe('getMany beside other calls', () => {
  it('joins loads that run, and is joined', async () => {
    const cache = new AsyncCache<string, string>();
    const single = deferred<string>();
    const first = cache.get('a', () => single.promise);
    const many = deferred<string[]>();
    const loadMany = jest.fn(() => many.promise);
    const second = cache.getMany(['a', 'b'], loadMany);
    const loader = jest.fn(() => 'own');
    const third = cache.get('b', loader);
    await settle();
    single.resolve('A');
    many.resolve(['B']);

    expect(await first).toBe('A');
    expect([...(await second).values()]).toEqual(['A', 'B']);
    expect(await third).toBe('B');
    expect(loadMany.mock.calls).toEqual([[['b']]]);
    expect(loader).not.toHaveBeenCalled();
  });

  it('of ten callers loads each key once', async () => {
    const cache = new AsyncCache<string, string>();
    const loadMany = batch();
    const found = await Promise.all(
      Array.from({ length: 10 }, () => cache.getMany(['a', 'b'], loadMany)),
    );

    expect(loadMany).toHaveBeenCalledTimes(1);
    for (const one of found) expect([...one.values()]).toEqual(['v:a', 'v:b']);
  });

  it('that overlaps another asks for the rest only', async () => {
    const cache = new AsyncCache<string, string>();
    const loadMany = batch();
    await Promise.all([cache.getMany(['a', 'b'], loadMany), cache.getMany(['b', 'c'], loadMany)]);

    expect(loadMany.mock.calls).toEqual([[['a', 'b']], [['c']]]);
  });

  it('answers in key order however the loads settle', async () => {
    const cache = new AsyncCache<string, string>();
    const slow = deferred<string>();
    const first = cache.get('a', () => slow.promise);
    const many = cache.getMany(['a', 'b'], batch());
    await settle();
    expect(await stateOf(many)).toBe('pending');
    slow.resolve('A');
    await first;

    expect([...(await many).keys()]).toEqual(['a', 'b']);
  });

  it('serves stale values at once, and refreshes them in one call behind it', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.setMany([
      ['a', 'old'],
      ['b', 'old'],
    ]);
    await clock.advance(1_500);
    const loadMany = batch();
    const found = await cache.getMany(['a', 'b'], loadMany);
    expect([...found.values()]).toEqual(['old', 'old']);
    await settle();

    expect(loadMany.mock.calls).toEqual([[['a', 'b']]]);
    expect([cache.peek('a'), cache.peek('b')]).toEqual(['v:a', 'v:b']);
  });

  it('with refresh loads every key anew, in one call', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('a', 'old');
    const loadMany = batch();
    const found = await cache.getMany(['a', 'b'], { loadMany, refresh: true });

    expect([...found.values()]).toEqual(['v:a', 'v:b']);
    expect(loadMany.mock.calls).toEqual([[['a', 'b']]]);
    expect(cache.peek('a')).toBe('v:a');
  });

  it('applies ttl, tags and windows to what it loads', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    await cache.getMany(['a', 'b'], {
      loadMany: batch(),
      ttl: (value) => (value === 'v:a' ? '1s' : '2s'),
      tags: (_value, key) => [`tag:${key}`],
      staleWhileRevalidate: '1h',
    });
    expect((await cache.getWithMeta('a')).ttlLeft).toBe(1_000);
    expect((await cache.getWithMeta('b')).ttlLeft).toBe(2_000);
    await cache.invalidateTags('tag:b');
    await clock.advance(1_500);

    expect(await cache.get('b')).toBeUndefined();
    expect((await cache.getWithMeta('a')).status).toBe('stale');
  });

  it('a key that is set meanwhile keeps what was set', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string[]>();
    const many = cache.getMany(['a', 'b'], () => load.promise);
    await cache.set('a', 'set');
    load.resolve(['A', 'B']);

    expect([...(await many).values()]).toEqual(['A', 'B']);
    expect([cache.peek('a'), cache.peek('b')]).toEqual(['set', 'B']);
  });

  it('counts one get for each key', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('a', 'v');
    await cache.getMany(['a', 'b', 'c'], batch());

    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 2 });
  });
});

describe('a loadMany that uses the cache', () => {
  it('reads other keys', async () => {
    const cache = new AsyncCache<string, string>();
    const found = await cache.getMany(['a', 'b'], async (keys) => {
      const inner = await cache.getMany(['c'], batch());
      return keys.map((key) => `${key}:${inner.get('c') ?? 'none'}`);
    });

    expect([...found.values()]).toEqual(['a:v:c', 'b:v:c']);
    expect(cache.size).toBe(3);
  });

  it('sets one of its keys: what was set stays', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.getMany(['a', 'b'], (keys) => {
      void cache.set('a', 'set');
      return Promise.resolve(keys.map(() => 'loaded'));
    });

    expect([cache.peek('a'), cache.peek('b')]).toEqual(['set', 'loaded']);
  });
});

describe('getMany with a signal or a limit', () => {
  it('that has fired rejects with its reason, and loads nothing', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('cached', 'v');
    const reason = new Error('gone');
    const loadMany = batch();

    for (const keys of [['a'], ['cached']]) {
      await expect(
        cache.getMany(keys, { loadMany, signal: AbortSignal.abort(reason) }),
      ).rejects.toBe(reason);
    }
    expect(loadMany).not.toHaveBeenCalled();
  });

  it('that fires rejects at once; nobody else is disturbed', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string[]>();
    const stop = new AbortController();
    const loadMany = jest.fn(() => load.promise);
    const leaving = cache.getMany(['a', 'b'], { loadMany, signal: stop.signal });
    const staying = cache.get('a', () => 'x');
    const reason = new Error('gone');
    stop.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    load.resolve(['A', 'B']);

    expect(await staying).toBe('A');
    expect(cache.peek('a')).toBe('A');
    expect(loadMany).toHaveBeenCalledTimes(1);
  });

  it('that fires while it waits alone: the late values are stored nowhere', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string[]>();
    const stop = new AbortController();
    const leaving = cache.getMany(['a', 'b'], {
      loadMany: () => load.promise,
      signal: stop.signal,
    });
    stop.abort();
    await expect(leaving).rejects.toBe(stop.signal.reason);
    load.resolve(['A', 'B']);
    await settle();

    expect(cache.size).toBe(0);
    expect(await cache.get('a', () => 'new')).toBe('new');
  });

  it('rejects at its timeout', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const many = cache.getMany(['a'], {
      loadMany: () => new Promise<string[]>(() => {}),
      timeout: 50,
    });
    const outcome = many.catch((error: unknown) => error);
    await clock.advance(50);

    expect(await outcome).toBeInstanceOf(LoadTimeoutError);
  });
});

describe('what loadMany is given', () => {
  it('are frozen keys: sorting them in place rejects, and mixes up none', async () => {
    const cache = new AsyncCache<string, string>();
    const sorts = (keys: readonly string[]): string[] => (keys as string[]).sort();

    await expect(cache.getMany(['b', 'a'], sorts)).rejects.toBeInstanceOf(TypeError);
    await expect(cache.getMany(['b', 'a'], async (keys) => sorts(keys))).rejects.toBeInstanceOf(
      TypeError,
    );
    expect(cache.size).toBe(0);
    expect([...(await cache.getMany(['b', 'a'], (keys) => sorts([...keys])))]).toEqual([
      ['b', 'a'],
      ['a', 'b'],
    ]);
  });

  it('are not the keys of the caller, which stay as they were', async () => {
    const cache = new AsyncCache<string, string>();
    const keys = ['b', 'a'];
    await cache.getMany(keys, batch());

    expect(Object.isFrozen(keys)).toBe(false);
  });

  it('are the keys alone, unless it names a second parameter', async () => {
    const cache = new AsyncCache<string, string>();
    const given: unknown[] = [];
    await cache.getMany(['a'], (...all: unknown[]) => {
      given.push(all.length);
      return ['A'];
    });
    await cache.getMany(['b'], (keys, context) => {
      given.push(Object.keys(context));
      return [...keys];
    });

    expect(given).toEqual([1, ['signal']]);
  });

  it('is one signal, however often it asks for it', async () => {
    const cache = new AsyncCache<string, string>();
    const signals: AbortSignal[] = [];
    await cache.getMany(['a', 'b'], (keys, context) => {
      signals.push(context.signal, context.signal);
      return [...keys];
    });

    expect(signals[0]).toBeInstanceOf(AbortSignal);
    expect(signals[1]).toBe(signals[0]);
    expect(signals[0]?.aborted).toBe(false);
  });

  it('is a signal that fires when the caller has left', async () => {
    const cache = new AsyncCache<string, string>();
    const leave = new AbortController();
    let signal: AbortSignal | undefined;
    const many = cache.getMany(['a', 'b'], {
      loadMany: (_keys, context) => {
        signal = context.signal;
        return new Promise<string[]>(() => {});
      },
      signal: leave.signal,
    });
    many.catch(() => undefined);
    await settle();
    expect(signal?.aborted).toBe(false);
    const reason = new Error('gone');
    leave.abort(reason);

    await expect(many).rejects.toBe(reason);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBe(reason);
  });

  it('is a signal that does not fire while somebody else waits for one of the keys', async () => {
    const cache = new AsyncCache<string, string>();
    const [first, second] = [new AbortController(), new AbortController()];
    const load = deferred<string[]>();
    let signal: AbortSignal | undefined;
    const loadMany = (_keys: readonly string[], context: BatchContext): Promise<string[]> => {
      signal = context.signal;
      return load.promise;
    };
    const many = cache.getMany(['a', 'b'], { loadMany, signal: first.signal });
    const joined = cache.get('b', { loader: () => 'x', signal: second.signal });
    many.catch(() => undefined);
    joined.catch(() => undefined);
    await settle();
    first.abort('first');
    await expect(many).rejects.toBe('first');
    expect(signal?.aborted).toBe(false);
    second.abort('second');

    await expect(joined).rejects.toBe('second');
    expect(signal?.reason).toBe('second');
    load.resolve(['A', 'B']);
    await settle();
    expect(cache.size).toBe(0);
  });

  it('is a signal that never fires while somebody waits who cannot leave', async () => {
    const cache = new AsyncCache<string, string>();
    const leave = new AbortController();
    const load = deferred<string[]>();
    let signal: AbortSignal | undefined;
    const many = cache.getMany(['a'], {
      loadMany: (_keys, context) => {
        signal = context.signal;
        return load.promise;
      },
      signal: leave.signal,
    });
    many.catch(() => undefined);
    const plain = cache.get('a', () => 'x');
    leave.abort('left');
    await expect(many).rejects.toBe('left');
    load.resolve(['A']);

    expect(await plain).toBe('A');
    expect(signal?.aborted).toBe(false);
  });

  it('is a signal that fires at the timeout of the last caller', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    let signal: AbortSignal | undefined;
    const many = cache.getMany(['a', 'b'], {
      loadMany: (_keys, context) => {
        signal = context.signal;
        return new Promise<string[]>(() => {});
      },
      timeout: 50,
    });
    const outcome = many.catch((error: unknown) => error);
    await clock.advance(49);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);

    expect(await outcome).toBeInstanceOf(LoadTimeoutError);
    expect(signal?.reason).toBeInstanceOf(LoadTimeoutError);
  });

  it('is a signal that has fired already for one who asks for it late', async () => {
    const cache = new AsyncCache<string, string>();
    const leave = new AbortController();
    let context: BatchContext | undefined;
    const many = cache.getMany(['a'], {
      loadMany: (_keys, given) => {
        context = given;
        return new Promise<string[]>(() => {});
      },
      signal: leave.signal,
    });
    many.catch(() => undefined);
    await settle();
    leave.abort('left');
    await expect(many).rejects.toBe('left');

    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBe('left');
  });
});

describe('context.abandoned', () => {
  /** Begins a load of the key 'a' that hangs, and hands out its context. */
  function hanging(clock = fakeClock()) {
    const cache = new AsyncCache<string, string>({ clock });
    const load = deferred<string>();
    const contexts: LoadContext<string>[] = [];
    const loader = (_key: string, context: LoadContext<string>): Promise<string> => {
      contexts.push(context);
      return load.promise;
    };
    return { cache, clock, load, loader, contexts };
  }

  it('is true once all callers have left by their own signals', async () => {
    const { cache, loader, contexts } = hanging();
    const leave = [new AbortController(), new AbortController()];
    const values = leave.map(({ signal }) =>
      cache.get('a', { loader, signal }).catch((error: unknown) => error),
    );
    leave[0]?.abort('one');
    expect(contexts[0]?.abandoned).toBe(false);
    leave[1]?.abort('other');

    expect(contexts[0]?.abandoned).toBe(true);
    expect(contexts[0]?.signal.reason).toBe('other');
    expect(await Promise.all(values)).toEqual(['one', 'other']);
  });

  it('is false after a timeout, since the load goes on for those who come later', async () => {
    const { cache, clock, loader, load, contexts } = hanging();
    const value = cache.get('a', { loader, timeout: 50 }).catch((error: unknown) => error);
    await clock.advance(50);
    expect(await value).toBeInstanceOf(LoadTimeoutError);
    expect(contexts[0]?.signal.aborted).toBe(true);
    expect(contexts[0]?.abandoned).toBe(false);
    const late = cache.get('a', loader);
    load.resolve('A');

    expect(await late).toBe('A');
    expect(contexts).toHaveLength(1);
  });

  it('is false when one caller was out of time and the last one left', async () => {
    const { cache, clock, loader, load, contexts } = hanging();
    const leave = new AbortController();
    const early = cache.get('a', { loader, timeout: 50 }).catch((error: unknown) => error);
    const left = cache.get('a', { loader, signal: leave.signal }).catch((error: unknown) => error);
    await clock.advance(50);
    leave.abort('left');
    expect(await early).toBeInstanceOf(LoadTimeoutError);
    expect(await left).toBe('left');
    expect(contexts[0]?.abandoned).toBe(false);
    const late = cache.get('a', loader);
    load.resolve('A');

    expect(await late).toBe('A');
    expect(contexts).toHaveLength(1);
  });

  it('is false for a load that ended before its callers left', async () => {
    const { cache, loader, load, contexts } = hanging();
    const leave = new AbortController();
    const value = cache.get('a', { loader, signal: leave.signal });
    load.resolve('A');
    await value;
    leave.abort('left');

    expect(contexts[0]?.abandoned).toBe(false);
  });

  it('is true for a load that runs when the cache is closed', async () => {
    const { cache, loader, contexts } = hanging();
    const value = cache.get('a', loader);
    value.catch(() => undefined);
    await cache.close();

    expect(contexts[0]?.abandoned).toBe(true);
  });
});

describe('results that cannot be read', () => {
  it('fail their key alone', async () => {
    const cache = new AsyncCache<string, string>();
    const unreadable = new Error('no look');
    const results = ['A', 'B'];
    Object.defineProperty(results, 0, {
      get() {
        throw unreadable;
      },
    });

    await expect(cache.getMany(['a', 'b'], async () => results)).rejects.toBe(unreadable);
    expect(cache.peek('b')).toBe('B');
  });
});
