import { AsyncCache, LoadTimeoutError } from '@acache/core';
import type { AsyncCacheOptions, GetOptions } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { controlledLoads } from '../test/controlled-loads.js';

/*
 * The table "Freshness and races" of the contract: one describe per row, one test per column, for
 * every way in which a flight L of the key 'k' begins. L brings 'L', the flight after it 'N', and
 * 'old' is what memory held before.
 */

type Options = AsyncCacheOptions<string, string>;
type Get = GetOptions<string, string>;

function bench(options: Options = {}) {
  const clock = fakeClock();
  const cache = new AsyncCache<string, string>({ clock, ...options });
  const loads = controlledLoads();
  const reported: unknown[] = [];
  cache.on('error', ({ error }) => reported.push(error));
  return {
    clock,
    cache,
    loads,
    reported,
    /** Lets what is due happen. */
    turn: () => clock.advance(0),
    get: (options: Get = {}) => cache.get('k', { loader: loads.loader, ...options }),
    meta: (options: Get = {}) => cache.getWithMeta('k', { loader: loads.loader, ...options }),
  };
}
type Bench = ReturnType<typeof bench>;

/** A way in which L begins. */
interface Origin {
  name: string;
  options: Options;
  /** Memory holds 'old' when L runs. */
  warm: boolean;
  /** Somebody waits for L. */
  awaited: boolean;
  /** Begins L; its waiting caller, where there is one, is `waiting`. */
  begin: (bench: Bench, options?: Get) => Promise<{ waiting: Promise<string | undefined> }>;
}

const nobody = { waiting: Promise.resolve(undefined) };

const byGet: Origin = {
  name: 'get',
  options: {},
  warm: false,
  awaited: true,
  begin: async ({ get }, options) => ({ waiting: get(options) }),
};
const byGetMany: Origin = {
  name: 'getMany',
  options: {},
  warm: false,
  awaited: true,
  begin: async ({ cache, loads }, options) => {
    const all = cache.getMany(['k'], { loadMany: loads.loadMany, ...options });
    return { waiting: all.then((values) => values.get('k')) };
  },
};
const byRefresh: Origin = {
  name: 'get with refresh',
  options: {},
  warm: true,
  awaited: true,
  begin: async ({ cache, get }, options) => {
    await cache.set('k', 'old', { tags: ['entry'] });
    return { waiting: get({ ...options, refresh: true }) };
  },
};
const byStale: Origin = {
  name: 'a refresh behind a stale value',
  options: { ttl: 100, staleWhileRevalidate: '1h' },
  warm: true,
  awaited: false,
  begin: async ({ cache, clock, get }, options) => {
    await cache.set('k', 'old', { tags: ['entry'] });
    await clock.advance(150);
    expect(await get(options)).toBe('old');
    return nobody;
  },
};
const byRefreshAhead: Origin = {
  name: 'refreshAhead',
  options: { ttl: 1000, refreshAhead: 0.5 },
  warm: true,
  awaited: false,
  begin: async ({ cache, clock, get }, options) => {
    await cache.set('k', 'old', { tags: ['entry'] });
    await clock.advance(600);
    expect(await get(options)).toBe('old');
    return nobody;
  },
};
const origins = [byGet, byGetMany, byRefresh, byStale, byRefreshAhead];
const awaited = origins.filter((origin) => origin.awaited);
const warm = origins.filter((origin) => origin.warm);

/** Begins L, and checks that it is one load. */
async function flight(origin: Origin, options: Options = {}, get?: Get) {
  const it = bench({ ...origin.options, ...options });
  const { waiting } = await origin.begin(it, get);
  waiting.catch(() => {});
  await it.turn();
  expect(it.loads.begun).toHaveLength(1);
  return { ...it, waiting, L: it.loads.last };
}

/** What revokes L outright: its value may be stored nowhere, later callers load anew. */
interface Revocation {
  name: string;
  origins: Origin[];
  get?: Get;
  revoke: (cache: AsyncCache<string, string>) => Promise<unknown>;
}
const revocations: Revocation[] = [
  { name: 'delete(k)', origins, revoke: (cache) => cache.delete('k') },
  { name: 'clear()', origins, revoke: (cache) => cache.clear() },
  {
    name: 'invalidateTags(t) with t on the entry',
    origins: warm,
    revoke: (cache) => cache.invalidateTags('other', 'entry'),
  },
  {
    name: 'invalidateTags(t) with t among the tags of the call that began L',
    origins: [byGet, byGetMany],
    get: { tags: ['s', 't'] },
    revoke: (cache) => cache.invalidateTags('t'),
  },
  {
    name: 'delete(k), then expire(k)',
    origins,
    revoke: (cache) => Promise.all([cache.delete('k'), cache.expire('k')]),
  },
];

describe.each(revocations)('$name while L runs', ({ origins: some, get, revoke }) => {
  describe.each(some)('L begun by $name', (origin) => {
    if (origin.awaited) {
      it('gives L’s value to who waits already', async () => {
        const { cache, turn, waiting, L } = await flight(origin, {}, get);
        const joined = origin.warm ? waiting : cache.get('k');
        await revoke(cache);
        L.succeed('L');
        await turn();
        expect(await Promise.all([waiting, joined])).toEqual(['L', 'L']);
      });
    }

    it('starts a new flight for who comes after, and one only', async () => {
      const { cache, get: after, loads, turn, L } = await flight(origin, {}, get);
      await revoke(cache);
      const callers = [after(), after(), cache.get('k')];
      await turn();
      expect(loads.begun).toHaveLength(2);
      L.succeed('L');
      await turn();
      callers.push(after());
      loads.last.succeed('N');
      await turn();
      expect(await Promise.all(callers)).toEqual(['N', 'N', 'N', 'N']);
      expect(loads.begun).toHaveLength(2);
      expect(cache.peek('k')).toBe('N');
    });

    it('keeps the new flight’s value when L ends last', async () => {
      const { cache, get: after, loads, turn, L } = await flight(origin, {}, get);
      await revoke(cache);
      const caller = after();
      loads.last.succeed('N');
      await turn();
      expect(await caller).toBe('N');
      L.succeed('L');
      await turn();
      expect(cache.peek('k')).toBe('N');
      expect(await after()).toBe('N');
    });

    it('keeps the new flight’s value when L fails last', async () => {
      const { cache, get: after, loads, turn, L } = await flight(origin, { errorTtl: '1m' }, get);
      await revoke(cache);
      const caller = after();
      loads.last.succeed('N');
      await turn();
      expect(await caller).toBe('N');
      L.fail(new Error('L'));
      await turn();
      expect(await after()).toBe('N');
    });

    it('stores L’s value nowhere', async () => {
      const { cache, turn, L } = await flight(origin, {}, get);
      await revoke(cache);
      expect(cache.size).toBe(0);
      L.succeed('L');
      await turn();
      expect(cache.has('k')).toBe(false);
      expect(cache.size).toBe(0);
      expect(await cache.get('k')).toBeUndefined();
    });

    it('stores L’s value nowhere when both happen in one turn', async () => {
      const { cache, turn, L } = await flight(origin, {}, get);
      L.succeed('L');
      void revoke(cache);
      await turn();
      expect(cache.has('k')).toBe(false);
      expect(cache.size).toBe(0);
    });

    it('keeps what is set after it', async () => {
      const { cache, turn, L } = await flight(origin, {}, get);
      await revoke(cache);
      await cache.set('k', 'v');
      L.succeed('L');
      await turn();
      expect(await cache.get('k')).toBe('v');
    });
  });
});

describe.each([
  { how: 'context.tag before it', some: origins.filter((origin) => origin !== byGetMany) },
  { how: 'the tags of the call', some: origins },
])('invalidateTags(t) while L runs, with t decided by $how', ({ how, some }) => {
  const begin = async (origin: Origin) => {
    const it = bench(origin.options);
    const options: Get =
      how === 'the tags of the call'
        ? { tags: ['s', 't'] }
        : {
            loader: (key, context) => {
              context.tag('s', 't');
              return it.loads.loader(key, context);
            },
          };
    const { waiting } = await origin.begin(it, options);
    return { ...it, waiting, L: it.loads.last };
  };

  describe.each(some)('L begun by $name', (origin) => {
    it('gives L’s value to who waits, and stores it nowhere', async () => {
      const { cache, waiting, turn, L } = await begin(origin);
      await cache.invalidateTags('t');
      L.succeed('L');
      await turn();
      if (origin.awaited) expect(await waiting).toBe('L');
      // An entry that does not carry t itself stays.
      if (origin === byStale) expect(await cache.get('k')).toBe('old');
      else expect(cache.peek('k')).toBe(origin.warm ? 'old' : undefined);
    });

    it('starts a new flight for who comes after, unless the older value is fresh', async () => {
      const { cache, meta, loads, turn, L } = await begin(origin);
      await cache.invalidateTags('t');
      const after = meta();
      await turn();
      if (origin === byRefresh) {
        expect(await after).toMatchObject({ value: 'old', status: 'hit' });
        return;
      }
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await turn();
      expect((await after).value).toBe(origin.warm ? 'old' : 'N');
      expect(cache.peek('k')).toBe('N');
      L.succeed('L');
      await turn();
      expect(cache.peek('k')).toBe('N');
    });
  });
});

describe('invalidateTags(t) while L runs, with t decided only at its end', () => {
  /** Both ways to decide late: by `context.tag` when the value is there, by a function of the value. */
  const late: { name: string; origins: Origin[]; options: (it: Bench) => Get }[] = [
    {
      name: 'by context.tag',
      origins: origins.filter((origin) => origin !== byGetMany),
      options: ({ loads }) => ({
        loader: async (key, context) => {
          const value = await loads.loader(key, context);
          context.tag(...(value === 'L' ? ['t'] : ['u']));
          return value;
        },
      }),
    },
    {
      name: 'by a function of the value',
      origins,
      options: () => ({ tags: (value) => (value === 'L' ? ['t'] : ['u']) }),
    },
  ];

  describe.each(late)('$name', ({ origins: some, options }) => {
    describe.each(some)('L begun by $name', (origin) => {
      it('stores L’s value nowhere', async () => {
        const it = bench(origin.options);
        const { waiting } = await origin.begin(it, options(it));
        await it.cache.invalidateTags('t');
        it.loads.last.succeed('L');
        await it.turn();
        if (origin.awaited) expect(await waiting).toBe('L');
        expect(it.cache.peek('k')).not.toBe('L');
        expect(await it.cache.get('k')).not.toBe('L');
      });

      it('stores it when another tag was invalidated', async () => {
        const it = bench(origin.options);
        await origin.begin(it, options(it));
        await it.cache.invalidateTags('u', 'x');
        it.loads.last.succeed('L');
        await it.turn();
        expect(it.cache.peek('k')).toBe('L');
        await it.cache.invalidateTags('t');
        expect(it.cache.size).toBe(0);
      });

      it('stores it when t was invalidated before L began', async () => {
        const it = bench(origin.options);
        await it.cache.invalidateTags('t');
        await origin.begin(it, options(it));
        it.loads.last.succeed('L');
        await it.turn();
        expect(it.cache.peek('k')).toBe('L');
      });
    });

    it('gives L’s value to who joined before, and a new flight to who joined after', async () => {
      const it = bench();
      const before = [it.get(options(it)), it.get(options(it))];
      await it.cache.invalidateTags('t');
      const after = [it.get(options(it)), it.get(options(it))];
      await it.turn();
      expect(it.loads.begun).toHaveLength(1);
      it.loads.last.succeed('L');
      await it.turn();
      expect(await Promise.all(before)).toEqual(['L', 'L']);
      expect(it.loads.begun).toHaveLength(2);
      after.push(it.get(options(it)));
      it.loads.last.succeed('N');
      await it.turn();
      expect(await Promise.all(after)).toEqual(['N', 'N', 'N']);
      expect(it.loads.begun).toHaveLength(2);
      expect(it.cache.peek('k')).toBe('N');
    });

    it('gives a new flight to a getMany that joined after', async () => {
      const it = bench();
      const before = it.get(options(it));
      await it.cache.invalidateTags('t');
      const after = it.cache.getMany(['a', 'k'], { loadMany: it.loads.loadMany });
      await it.turn();
      expect(it.loads.begun.map(({ key }) => key)).toEqual(['k', 'a']);
      it.loads.begun[1]?.succeed('A');
      it.loads.begun[0]?.succeed('L');
      await it.turn();
      expect(await before).toBe('L');
      expect(it.loads.begun.map(({ key }) => key)).toEqual(['k', 'a', 'k']);
      it.loads.last.succeed('N');
      await it.turn();
      expect([...(await after)]).toEqual([
        ['a', 'A'],
        ['k', 'N'],
      ]);
    });

    it('never gives L’s value to a caller without a loader who joined after', async () => {
      const it = bench();
      const before = it.get(options(it));
      await it.cache.invalidateTags('t');
      const after = it.cache.get('k');
      it.loads.last.succeed('L');
      await it.turn();
      expect(await before).toBe('L');
      if (it.loads.begun.length > 1) it.loads.last.succeed('N');
      await it.turn();
      expect(await after).not.toBe('L');
    });

    it('is revoked again by an invalidation during the new flight', async () => {
      const it = bench();
      void it.get(options(it));
      await it.cache.invalidateTags('t');
      const after = it.get(options(it));
      it.loads.last.succeed('L');
      await it.turn();
      expect(it.loads.begun).toHaveLength(2);
      await it.cache.invalidateTags('t');
      const later = it.get(options(it));
      it.loads.last.succeed('L');
      await it.turn();
      expect(await after).toBe('L');
      expect(it.loads.begun).toHaveLength(3);
      it.loads.last.succeed('N');
      await it.turn();
      expect(await later).toBe('N');
      expect(it.cache.peek('k')).toBe('N');
    });

    it.each<[string, (it: Bench) => unknown]>([
      ['delete', ({ cache }) => cache.delete('k')],
      ['clear', ({ cache }) => cache.clear()],
      ['expire', ({ cache }) => cache.expire('k')],
      ['set', ({ cache }) => cache.set('k', 'v')],
      ['refresh', ({ get }) => get({ refresh: true })],
    ])(
      'never gives L’s value to who joined after, although %s revoked L too',
      async (_how, revoke) => {
        const it = bench();
        const before = it.get(options(it));
        await it.cache.invalidateTags('t');
        const after = it.get(options(it));
        void revoke(it);
        it.loads.begun[0]?.succeed('L');
        await it.turn();
        if (it.loads.begun.length > 1) it.loads.last.succeed('N');
        await it.turn();
        expect(await before).toBe('L');
        expect(await after).not.toBe('L');
      },
    );

    it('starts no flight for who joined after and left', async () => {
      const it = bench();
      const before = it.get(options(it));
      await it.cache.invalidateTags('t');
      const leave = new AbortController();
      const after = it.get({ ...options(it), signal: leave.signal });
      leave.abort('left');
      await expect(after).rejects.toBe('left');
      it.loads.last.succeed('L');
      await it.turn();
      expect(await before).toBe('L');
      expect(it.loads.begun).toHaveLength(1);
    });
  });
});

describe('expire(k) while L runs', () => {
  describe.each(origins)('L begun by $name', (origin) => {
    const windows: Options = { staleWhileRevalidate: '1h' };

    if (origin.awaited) {
      it('gives L’s value to who waits already', async () => {
        const { cache, turn, waiting, L } = await flight(origin);
        await cache.expire('k');
        L.succeed('L');
        await turn();
        expect(await waiting).toBe('L');
      });
    }

    if (origin !== byStale) {
      it('starts a new flight for who comes after, where there is no stale window', async () => {
        const { cache, get, loads, turn, L } = await flight(origin);
        await cache.expire('k');
        const after = get();
        await turn();
        expect(loads.begun).toHaveLength(2);
        L.succeed('L');
        await turn();
        expect(cache.has('k')).toBe(false);
        loads.last.succeed('N');
        await turn();
        expect(await after).toBe('N');
        expect(cache.peek('k')).toBe('N');
      });
    }

    it('never holds L’s value as fresh', async () => {
      const { cache, meta, loads, turn, L } = await flight(origin, windows);
      await cache.expire('k');
      L.succeed('L');
      await turn();
      expect(cache.has('k')).toBe(false);
      expect(cache.peek('k')).toBeUndefined();
      const after = meta();
      await turn();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await turn();
      expect((await after).status).toBe(origin.warm ? 'stale' : 'miss');
      expect(cache.peek('k')).toBe('N');
    });

    it('keeps the new flight’s value when L ends last', async () => {
      const { cache, get, loads, turn, L } = await flight(origin, windows);
      await cache.expire('k');
      void get();
      await turn();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await turn();
      expect(cache.peek('k')).toBe('N');
      L.succeed('L');
      await turn();
      expect(cache.peek('k')).toBe('N');
    });

    if (origin.warm) {
      it('serves the stale value, and a new flight runs behind it once', async () => {
        const { cache, meta, loads, turn, L } = await flight(origin, windows);
        await cache.expire('k');
        const callers = [meta(), meta(), meta()];
        await turn();
        for (const caller of callers) {
          expect(await caller).toMatchObject({ value: 'old', status: 'stale', source: 'memory' });
        }
        expect(loads.begun).toHaveLength(2);
        expect(loads.last.context?.background).toBe(true);
        L.succeed('L');
        loads.last.succeed('N');
        await turn();
        expect(cache.peek('k')).toBe('N');
      });
    }
  });

  it('serves the stale value when the new flight fails inside staleIfError', async () => {
    const { cache, meta, loads, turn, L } = await flight(byRefresh, { staleIfError: '1m' });
    await cache.expire('k');
    const after = meta();
    await turn();
    expect(loads.begun).toHaveLength(2);
    loads.last.fail(new Error('N'));
    await turn();
    expect(await after).toMatchObject({ value: 'old', status: 'error-stale' });
    L.succeed('L');
    await turn();
    expect(cache.has('k')).toBe(false);
  });
});

describe('set(k, v) while L runs', () => {
  describe.each(origins)('L begun by $name', (origin) => {
    if (origin.awaited) {
      it('gives L’s value to who waits already', async () => {
        const { cache, turn, waiting, L } = await flight(origin);
        await cache.set('k', 'v');
        L.succeed('L');
        await turn();
        expect(await waiting).toBe('L');
      });

      it('gives L’s error to who waits already', async () => {
        const { cache, turn, waiting, L } = await flight(origin);
        const error = new Error('L');
        await cache.set('k', 'v');
        L.fail(error);
        await turn();
        await expect(waiting).rejects.toBe(error);
        expect(cache.peek('k')).toBe('v');
      });
    }

    it('gives v to who comes after, and holds v', async () => {
      const { cache, meta, loads, turn, L } = await flight(origin);
      void cache.set('k', 'v');
      expect(await meta()).toMatchObject({ value: 'v', status: 'hit' });
      L.succeed('L');
      await turn();
      expect(await meta()).toMatchObject({ value: 'v', status: 'hit' });
      expect(loads.begun).toHaveLength(1);
    });

    it('holds v when L ends in the same turn', async () => {
      const { cache, turn, L } = await flight(origin);
      L.succeed('L');
      void cache.set('k', 'v');
      await turn();
      expect(cache.peek('k')).toBe('v');
    });

    it('holds v when L brings what is not stored', async () => {
      const { cache, turn, L } = await flight(origin, {}, { ttl: 0 });
      await cache.set('k', 'v');
      L.succeed('L');
      await turn();
      expect(cache.peek('k')).toBe('v');
    });

    it('starts a new flight after v is gone, although L runs on', async () => {
      const { cache, get, loads, turn, L } = await flight(origin);
      await cache.set('k', 'v', { ttl: 10, staleWhileRevalidate: 0 });
      await cache.delete('k');
      const after = get();
      L.succeed('L');
      loads.last.succeed('N');
      await turn();
      expect(await after).toBe('N');
      expect(cache.peek('k')).toBe('N');
    });

    it('stores L’s value nowhere when v is not stored either', async () => {
      const { cache, turn, L } = await flight(origin);
      await cache.set('k', 'v', { ttl: 0 });
      expect(cache.size).toBe(0);
      L.succeed('L');
      await turn();
      expect(cache.size).toBe(0);
    });
  });

  it('revokes flights of every key that setMany sets', async () => {
    const it = bench();
    const waiting = it.cache.getMany(['a', 'k', 'b'], it.loads.loadMany);
    await it.cache.setMany([
      ['a', '1'],
      ['k', '2'],
    ]);
    for (const load of it.loads.begun) load.succeed('L');
    await it.turn();
    expect([...(await waiting).values()]).toEqual(['L', 'L', 'L']);
    expect([it.cache.peek('a'), it.cache.peek('k'), it.cache.peek('b')]).toEqual(['1', '2', 'L']);
  });
});

describe('eviction of k while L runs', () => {
  describe.each(warm)('L begun by $name', (origin) => {
    const small: Options = { maxSize: 1 };
    const evict = async (cache: AsyncCache<string, string>) => {
      await cache.set('another', 'x');
      expect(cache.peek('k')).toBeUndefined();
      expect(cache.getMetrics().evictions).toBe(1);
    };

    it('gives L’s value to who waits already and to who comes after, who joins', async () => {
      const { cache, meta, loads, turn, waiting, L } = await flight(origin, small);
      await evict(cache);
      const after = meta();
      await turn();
      expect(loads.begun).toHaveLength(1);
      L.succeed('L');
      await turn();
      if (origin.awaited) expect(await waiting).toBe('L');
      expect(await after).toMatchObject({ value: 'L', status: 'joined', source: 'loader' });
    });

    it('holds L’s value', async () => {
      const { cache, turn, L } = await flight(origin, small);
      await evict(cache);
      L.succeed('L');
      await turn();
      expect(cache.peek('k')).toBe('L');
      expect(cache.size).toBe(1);
    });
  });

  it('holds L’s value when the cache was filled while a cold L ran', async () => {
    const it = bench({ maxSize: 2 });
    void it.get();
    for (const key of ['a', 'b', 'c']) await it.cache.set(key, key);
    it.loads.last.succeed('L');
    await it.turn();
    expect(it.cache.peek('k')).toBe('L');
    expect(it.cache.size).toBe(2);
  });
});

describe('L fails', () => {
  const error = { not: 'even an Error' };

  describe.each(awaited)('L begun by $name', (origin) => {
    it('gives the same error, unwrapped, to all who wait', async () => {
      const { cache, get, turn, waiting, L } = await flight(origin);
      const joined = origin.warm ? [] : [get(), cache.get('k'), cache.getMany(['k'])];
      const outcomes = [waiting, ...joined].map((caller) =>
        caller.then(
          () => 'a value',
          (reason: unknown) => reason,
        ),
      );
      L.fail(error);
      await turn();
      for (const outcome of outcomes) expect(await outcome).toBe(error);
    });

    it('starts a new flight for who comes after', async () => {
      const { cache, get, loads, turn, waiting, L } = await flight(origin);
      if (origin.warm) await cache.delete('k'); // else who comes after finds 'old'
      L.fail(error);
      await turn();
      await expect(waiting).rejects.toBe(error);
      const after = get();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await turn();
      expect(await after).toBe('N');
    });

    it('gives the same error without a load while errorTtl lasts', async () => {
      const { cache, get, loads, clock, waiting, L } = await flight(origin, { errorTtl: 100 });
      L.fail(error);
      await clock.advance(0);
      await expect(waiting).rejects.toBe(error);
      if (origin.warm) {
        // The older value is fresh still.
        expect(await get()).toBe('old');
        return;
      }
      await clock.advance(99);
      await expect(get()).rejects.toBe(error);
      await expect(cache.getMany(['k'], loads.loadMany)).rejects.toBe(error);
      expect(loads.begun).toHaveLength(1);
      await clock.advance(1);
      void get();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await clock.advance(0);
      expect(cache.peek('k')).toBe('N');
    });

    it.each([
      ['set', (cache: AsyncCache<string, string>) => cache.set('k', 'v')],
      ['delete', (cache: AsyncCache<string, string>) => cache.delete('k')],
      ['clear', (cache: AsyncCache<string, string>) => cache.clear()],
    ] as const)('remembers no failure of an L that was revoked by %s', async (name, revoke) => {
      const { cache, get, loads, turn, waiting, L } = await flight(origin, { errorTtl: '1h' });
      await revoke(cache);
      L.fail(error);
      await turn();
      await expect(waiting).rejects.toBe(error);
      if (name === 'set') expect(await get()).toBe('v');
      await cache.expire('k');
      const after = get();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await turn();
      expect(await after).toBe('N');
    });

    it('leaves nothing in memory where there was nothing', async () => {
      if (origin.warm) return;
      const { cache, turn, L } = await flight(origin);
      L.fail(error);
      await turn();
      expect(cache.size).toBe(0);
      expect(await cache.get('k')).toBeUndefined();
    });
  });

  describe.each([
    ['set', (it: Bench) => it.cache.set('k', 'v'), 0],
    ['delete', (it: Bench) => it.cache.delete('k'), 1],
    ['clear', (it: Bench) => it.cache.clear(), 1],
    ['refresh', (it: Bench) => it.get({ refresh: true, loader: () => 'v' }), 0],
  ] as const)('%s after it', (_name, forget, loadsAfter) => {
    it('forgets the remembered failure', async () => {
      const it = await flight(byGet, { errorTtl: '1h' });
      it.L.fail(error);
      await it.turn();
      await expect(it.get()).rejects.toBe(error);
      await forget(it);
      const after = it.get({ loader: () => 'v' });
      await it.turn();
      expect(await after).toBe('v');
      expect(it.cache.getMetrics().loads).toBeGreaterThanOrEqual(loadsAfter);
    });
  });

  it('keeps the older value where it is still fresh', async () => {
    const { cache, meta, turn, waiting, L } = await flight(byRefresh);
    L.fail(error);
    await turn();
    await expect(waiting).rejects.toBe(error);
    expect(await meta()).toMatchObject({ value: 'old', status: 'hit' });
    expect(cache.peek('k')).toBe('old');
  });

  it.each([byStale, byRefreshAhead])('reports a refresh nobody waits for, by $name', async (by) => {
    const { cache, reported, turn, L, meta } = await flight(by);
    L.fail(error);
    await turn();
    expect(reported).toEqual([error]);
    expect(await meta()).toMatchObject({ value: 'old' });
    expect(cache.size).toBe(1);
    expect(cache.getMetrics().loadErrors).toBe(1);
  });

  it('backs off after a refresh that failed, and serves the stale value meanwhile', async () => {
    const { clock, get, loads, L } = await flight(byStale);
    L.fail(error);
    await clock.advance(0);
    for (let ms = 0; ms < 99; ms += 33) {
      expect(await get()).toBe('old');
      expect(loads.begun).toHaveLength(1);
      await clock.advance(33);
    }
    await clock.advance(5000);
    expect(await get()).toBe('old');
    expect(loads.begun).toHaveLength(2);
    loads.last.succeed('N');
    await clock.advance(0);
    expect(await get()).toBe('N');
  });

  describe('inside staleIfError', () => {
    const options: Options = { ttl: 100, staleIfError: 1000 };
    const behind = async (more: Options = {}) => {
      const it = bench({ ...options, ...more });
      await it.cache.set('k', 'old');
      await it.clock.advance(100);
      return it;
    };

    it('serves the older value to all who wait, and keeps it', async () => {
      const it = await behind();
      const callers = [it.meta(), it.meta()];
      const many = it.cache.getMany(['k'], it.loads.loadMany);
      await it.turn();
      expect(it.loads.begun).toHaveLength(1);
      it.loads.last.fail(error);
      await it.turn();
      for (const caller of callers) {
        expect(await caller).toMatchObject({ value: 'old', status: 'error-stale', ttlLeft: 0 });
      }
      expect([...(await many)]).toEqual([['k', 'old']]);
      expect(it.cache.size).toBe(1);
      expect(it.cache.has('k')).toBe(false);
      expect(it.reported).toEqual([error]);
    });

    it('gives the error once the window has passed', async () => {
      const it = await behind();
      await it.clock.advance(1000);
      const caller = it.get();
      it.loads.last.fail(error);
      await it.turn();
      await expect(caller).rejects.toBe(error);
      expect(it.cache.size).toBe(0);
    });

    it('gives the error when the window passed while L ran', async () => {
      const it = await behind();
      await it.clock.advance(999);
      const caller = it.get();
      caller.catch(() => {});
      await it.clock.advance(1);
      it.loads.last.fail(error);
      await it.turn();
      await expect(caller).rejects.toBe(error);
    });

    it('never serves a deleted value to who came after the deletion', async () => {
      const it = await behind();
      void it.meta().catch(() => {});
      const first = it.loads.last;
      await it.cache.delete('k');
      const after = it.get();
      first.fail(new Error('another'));
      it.loads.last.fail(error);
      await it.turn();
      await expect(after).rejects.toBe(error);
    });
  });
});

describe('one waiting caller aborts', () => {
  describe.each([byGet, byGetMany])('L begun by $name', (origin) => {
    it('rejects it with its reason, and the others wait on', async () => {
      const leave = new AbortController();
      const { cache, get, loads, turn, waiting, L } = await flight(
        origin,
        {},
        { signal: leave.signal },
      );
      const reason = { why: 'left' };
      const joined = get();
      leave.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      if (L.context !== undefined) expect(L.context.signal.aborted).toBe(false);
      const after = get();
      await turn();
      expect(loads.begun).toHaveLength(1);
      L.succeed('L');
      await turn();
      expect(await Promise.all([joined, after])).toEqual(['L', 'L']);
      expect(cache.peek('k')).toBe('L');
    });

    it('rejects one that joined, and L goes on', async () => {
      const leave = new AbortController();
      const { cache, get, turn, waiting, L } = await flight(origin);
      const joined = get({ signal: leave.signal });
      leave.abort();
      await expect(joined).rejects.toBe(leave.signal.reason);
      if (L.context !== undefined) expect(L.context.signal.aborted).toBe(false);
      L.succeed('L');
      await turn();
      expect(await waiting).toBe('L');
      expect(cache.peek('k')).toBe('L');
    });

    it('rejects a getMany that joined, and L goes on', async () => {
      const leave = new AbortController();
      const { cache, loads, turn, waiting, L } = await flight(origin);
      const joined = cache.getMany(['k'], { loadMany: loads.loadMany, signal: leave.signal });
      leave.abort();
      await expect(joined).rejects.toBe(leave.signal.reason);
      L.succeed('L');
      await turn();
      expect(await waiting).toBe('L');
      expect(cache.peek('k')).toBe('L');
    });
  });

  it('counts each of them as a miss', async () => {
    const leave = new AbortController();
    const it = bench();
    const first = it.get({ signal: leave.signal });
    const second = it.get();
    leave.abort();
    await expect(first).rejects.toBe(leave.signal.reason);
    it.loads.last.succeed('L');
    await it.turn();
    await second;
    expect(it.cache.getMetrics()).toMatchObject({ hits: 0, misses: 2, loads: 1 });
  });

  it('loads nothing for a caller whose signal has fired already', async () => {
    const it = bench();
    const signal = AbortSignal.abort('gone');
    await expect(it.get({ signal })).rejects.toBe('gone');
    await expect(it.cache.getMany(['k'], { loadMany: it.loads.loadMany, signal })).rejects.toBe(
      'gone',
    );
    expect(it.loads.begun).toHaveLength(0);
  });

  it('does not end a refresh behind a value that its caller has got', async () => {
    const leave = new AbortController();
    const { cache, turn, L } = await flight(byStale, {}, { signal: leave.signal });
    leave.abort();
    await turn();
    expect(L.context?.signal.aborted).toBe(false);
    L.succeed('L');
    await turn();
    expect(cache.peek('k')).toBe('L');
  });
});

describe('all waiting callers abort', () => {
  describe.each(awaited)('L begun by $name', (origin) => {
    const left = async () => {
      const leave = new AbortController();
      const it = await flight(origin, {}, { signal: leave.signal });
      const joined = origin.warm ? it.waiting : it.get({ signal: leave.signal });
      joined.catch(() => {});
      leave.abort('left');
      await expect(it.waiting).rejects.toBe('left');
      await expect(joined).rejects.toBe('left');
      if (origin.warm) await it.cache.delete('k');
      return it;
    };

    it('fires L’s own signal', async () => {
      const { L } = await left();
      if (L.context !== undefined) expect(L.context.signal.aborted).toBe(true);
    });

    it('starts a new flight for who comes after', async () => {
      const { cache, get, loads, turn, L } = await left();
      const after = get();
      await turn();
      expect(loads.begun).toHaveLength(2);
      expect(loads.last.context?.signal.aborted).toBe(false);
      L.succeed('L');
      await turn();
      expect(cache.has('k')).toBe(false);
      loads.last.succeed('N');
      await turn();
      expect(await after).toBe('N');
      expect(cache.peek('k')).toBe('N');
    });

    it('holds nothing of L when it ends after all', async () => {
      const { cache, turn, L } = await left();
      L.succeed('L');
      await turn();
      expect(cache.size).toBe(0);
    });

    it('starts a new flight in the very turn of the abort', async () => {
      if (origin.warm) return;
      const leave = new AbortController();
      const { get, loads, turn, L } = await flight(origin, {}, { signal: leave.signal });
      leave.abort();
      const after = get();
      expect(loads.begun).toHaveLength(2);
      L.fail(new Error('aborted'));
      loads.last.succeed('N');
      await turn();
      expect(await after).toBe('N');
    });
  });

  it('keeps the older value that is fresh still', async () => {
    const leave = new AbortController();
    const { cache, turn, L } = await flight(byRefresh, {}, { signal: leave.signal });
    leave.abort();
    L.succeed('L');
    await turn();
    expect(cache.peek('k')).toBe('old');
  });
});

describe('hard timeout', () => {
  describe.each(awaited)('L begun by $name', (origin) => {
    const late = async (options: Options = {}) => {
      const it = await flight(origin, options, { timeout: 50 });
      await it.clock.advance(49);
      return it;
    };

    it('rejects with LoadTimeoutError, at its time', async () => {
      const { clock, waiting } = await late();
      let settled = false;
      void waiting.catch(() => (settled = true));
      await clock.advance(0);
      expect(settled).toBe(false);
      await clock.advance(1);
      expect(settled).toBe(true);
      await expect(waiting).rejects.toBeInstanceOf(LoadTimeoutError);
      await expect(waiting).rejects.toMatchObject({
        key: 'k',
        code: expect.stringMatching(/^ERR_ACACHE_/) as string,
      });
    });

    it('fires L’s signal, and stores its late value', async () => {
      const { cache, clock, L } = await late();
      expect(L.context?.signal.aborted ?? false).toBe(false);
      await clock.advance(1);
      if (L.context !== undefined) expect(L.context.signal.aborted).toBe(true);
      L.succeed('L');
      await clock.advance(0);
      expect(cache.peek('k')).toBe('L');
    });

    it('lets later callers join: never a second load beside L', async () => {
      if (origin.warm) return; // 'old' is fresh: a hit
      const { cache, clock, get, meta, loads, L } = await late();
      await clock.advance(1);
      const after = [get(), cache.get('k')];
      const status = meta();
      const many = cache.getMany(['k'], loads.loadMany);
      await clock.advance(10);
      expect(loads.begun).toHaveLength(1);
      L.succeed('L');
      await clock.advance(0);
      expect(await Promise.all(after)).toEqual(['L', 'L']);
      expect(await status).toMatchObject({ value: 'L', status: 'joined' });
      expect([...(await many)]).toEqual([['k', 'L']]);
    });

    it.each([
      ['delete', (cache: AsyncCache<string, string>) => cache.delete('k')],
      ['clear', (cache: AsyncCache<string, string>) => cache.clear()],
      ['expire', (cache: AsyncCache<string, string>) => cache.expire('k')],
    ] as const)('stores no late value that %s revoked', async (_name, revoke) => {
      const { cache, clock, get, loads, L } = await late();
      await clock.advance(1);
      await revoke(cache);
      const after = get();
      expect(loads.begun).toHaveLength(2);
      L.succeed('L');
      await clock.advance(0);
      expect(cache.has('k')).toBe(false);
      loads.last.succeed('N');
      await clock.advance(0);
      expect(await after).toBe('N');
    });

    it('keeps v when it was set after the timeout', async () => {
      const { cache, clock, L } = await late();
      await clock.advance(1);
      await cache.set('k', 'v');
      L.succeed('L');
      await clock.advance(0);
      expect(cache.peek('k')).toBe('v');
    });

    it('starts a new flight after L failed late, and rejects nobody unheard', async () => {
      const { cache, clock, get, loads, L } = await late();
      await clock.advance(1);
      L.fail(new Error('late'));
      await clock.advance(0);
      await cache.delete('k');
      void get();
      expect(loads.begun).toHaveLength(2);
      loads.last.succeed('N');
      await clock.advance(0);
      expect(cache.peek('k')).toBe('N');
    });
  });

  it('gives L’s error to all who joined after it, with a loader or without', async () => {
    const { clock, cache, get, loads, L, waiting } = await flight(byGet, {}, { timeout: 50 });
    await clock.advance(50);
    await expect(waiting).rejects.toBeInstanceOf(LoadTimeoutError);
    const outcomes = [get(), cache.get('k'), cache.getMany(['k'], loads.loadMany)].map((caller) =>
      caller.then(
        () => 'a value',
        (reason: unknown) => reason,
      ),
    );
    await clock.advance(10);
    const error = new Error('L');
    L.fail(error);
    await clock.advance(0);
    expect(loads.begun).toHaveLength(1);
    for (const outcome of outcomes) expect(await outcome).toBe(error);
  });

  it('counts from each caller’s arrival, and L’s signal waits for the last', async () => {
    const it = bench();
    const ends: string[] = [];
    const caller = (name: string, timeout?: number) => {
      it.get(timeout === undefined ? {} : { timeout }).then(
        (value) => ends.push(`${name} ${value} ${it.clock.now() - start}`),
        () => ends.push(`${name} timeout ${it.clock.now() - start}`),
      );
    };
    const start = it.clock.now();
    caller('a', 100);
    await it.clock.advance(50);
    caller('b', 100);
    caller('c', 30);
    await it.clock.advance(50);
    expect(ends).toEqual(['c timeout 100', 'a timeout 100']);
    expect(it.loads.last.context?.signal.aborted).toBe(false);
    await it.clock.advance(50);
    expect(ends.at(-1)).toBe('b timeout 150');
    expect(it.loads.last.context?.signal.aborted).toBe(true);
    caller('d', 100);
    caller('e');
    await it.clock.advance(100);
    expect(ends.at(-1)).toBe('d timeout 250');
    it.loads.last.succeed('L');
    await it.turn();
    expect(ends.at(-1)).toBe('e L 250');
    expect(it.loads.begun).toHaveLength(1);
    expect(it.cache.getMetrics()).toMatchObject({ hits: 0, misses: 5, loads: 1 });
  });

  it('does not fire L’s signal while a caller without a timeout waits', async () => {
    const it = bench();
    const waiting = it.get();
    const joined = it.get({ timeout: 10 });
    joined.catch(() => {});
    await it.clock.advance(1000);
    await expect(joined).rejects.toBeInstanceOf(LoadTimeoutError);
    expect(it.loads.last.context?.signal.aborted).toBe(false);
    it.loads.last.succeed('L');
    await it.turn();
    expect(await waiting).toBe('L');
  });

  it('runs no second load beside a refresh that hangs, and stores its late value', async () => {
    const { clock, cache, get, loads, L } = await flight(byStale, { timeout: 10 });
    for (let ms = 0; ms < 100_000; ms += 10_000) {
      await clock.advance(10_000);
      expect(await get()).toBe('old');
    }
    expect(loads.begun).toHaveLength(1);
    L.succeed('L');
    await clock.advance(0);
    expect(cache.peek('k')).toBe('L');
  });

  it('serves a stale value inside staleIfError, to joiners too, and stores the late value', async () => {
    const it = bench({ ttl: 100, staleIfError: '1m', timeout: 50 });
    await it.cache.set('k', 'old');
    await it.clock.advance(100);
    const callers = [it.meta()];
    await it.clock.advance(20);
    callers.push(it.meta());
    await it.clock.advance(30);
    expect(await callers[0]).toMatchObject({ value: 'old', status: 'error-stale', age: 150 });
    await it.clock.advance(20);
    expect(await callers[1]).toMatchObject({ value: 'old', status: 'error-stale', age: 170 });
    const after = it.meta();
    await it.clock.advance(50);
    expect(await after).toMatchObject({ value: 'old', status: 'error-stale' });
    expect(it.loads.begun).toHaveLength(1);
    it.loads.last.succeed('L');
    await it.turn();
    expect(await it.meta()).toMatchObject({ value: 'L', status: 'hit' });
    expect(it.cache.getMetrics()).toMatchObject({ loads: 1, hits: 4, staleHits: 3, misses: 0 });
  });

  // A getMany whose first key ends at once waits for the load of another caller.
  describe.each<[string, (it: Bench) => unknown]>([
    ['is found', ({ cache }) => cache.set('first', 'x')],
    ['is missing', () => {}],
    [
      'has a remembered failure',
      ({ cache }) => cache.get('first', () => Promise.reject(new Error('first'))).catch(() => {}),
    ],
  ])('of a getMany of which one key %s', (_how, prepare) => {
    const begin = async (options: Get, keys = ['first', 'k']) => {
      const it = bench({ errorTtl: '1h' });
      await prepare(it);
      void it.get();
      const ends: string[] = [];
      it.cache.getMany(keys, options).then(
        () => ends.push('value'),
        (error: unknown) => ends.push(error instanceof Error ? error.name : String(error)),
      );
      await it.turn();
      return { ...it, ends };
    };

    it.each([[['first', 'k']], [['k', 'first']]])('ends it in time, keys %s', async (keys) => {
      const { clock, ends } = await begin({ timeout: 10 }, keys);
      await clock.advance(10);
      expect(ends).toHaveLength(1);
    });

    it.each([[['first', 'k']], [['k', 'first']]])('lets it abort, keys %s', async (keys) => {
      const leave = new AbortController();
      const { turn, ends } = await begin({ signal: leave.signal }, keys);
      leave.abort('left');
      await turn();
      expect(ends).toHaveLength(1);
    });
  });

  it('applies the cache’s timeout to getMany', async () => {
    const it = bench({ timeout: 50 });
    const many = it.cache.getMany(['a', 'k'], it.loads.loadMany);
    many.catch(() => {});
    await it.clock.advance(50);
    await expect(many).rejects.toBeInstanceOf(LoadTimeoutError);
    for (const load of it.loads.begun) load.succeed('L');
    await it.turn();
    expect(it.cache.peek('a')).toBe('L');
  });
});

describe('soft timeout', () => {
  const options: Options = { ttl: 100, staleIfError: '1m', softTimeout: 50 };
  const behind = async (more: Options = {}) => {
    const it = bench({ ...options, ...more });
    await it.cache.set('k', 'old');
    await it.clock.advance(100);
    return it;
  };

  it('serves the stale value, and the load goes on unaborted', async () => {
    const it = await behind();
    const caller = it.meta();
    await it.clock.advance(50);
    expect(await caller).toMatchObject({ value: 'old', status: 'error-stale', source: 'memory' });
    expect(it.loads.last.context?.signal.aborted).toBe(false);
    const after = it.meta();
    await it.clock.advance(50);
    expect(await after).toMatchObject({ value: 'old', status: 'error-stale' });
    expect(it.loads.begun).toHaveLength(1);
    it.loads.last.succeed('L');
    await it.turn();
    expect(it.cache.peek('k')).toBe('L');
  });

  it('waits on where there is nothing to serve', async () => {
    const it = bench(options);
    const caller = it.get();
    await it.clock.advance(1000);
    it.loads.last.succeed('L');
    await it.turn();
    expect(await caller).toBe('L');
  });

  it('waits on, until the hard timeout, where the value was deleted meanwhile', async () => {
    const it = await behind({ timeout: 80 });
    await it.cache.delete('k');
    const caller = it.get();
    caller.catch(() => {});
    await it.clock.advance(80);
    await expect(caller).rejects.toBeInstanceOf(LoadTimeoutError);
  });

  it('never serves a value deleted while L runs to who came after', async () => {
    const it = await behind();
    void it.get();
    await it.cache.delete('k');
    const after = it.get();
    await it.clock.advance(50);
    it.loads.last.succeed('N');
    await it.turn();
    expect(await after).toBe('N');
  });

  it('reports a failure after it, and never as an unhandled rejection', async () => {
    const it = await behind();
    const caller = it.get();
    await it.clock.advance(50);
    expect(await caller).toBe('old');
    it.loads.last.fail('late');
    await it.turn();
    expect(it.reported).toEqual(['late']);
    expect(it.cache.size).toBe(1);
  });
});

describe('refresh: true while L runs', () => {
  it('begins a load of its own, whose value stays', async () => {
    const it = bench();
    const waiting = it.get();
    const L = it.loads.last;
    await it.turn();
    const refreshed = it.get({ refresh: true });
    await it.turn();
    expect(it.loads.begun).toHaveLength(2);
    it.loads.last.succeed('N');
    await it.turn();
    expect(await refreshed).toBe('N');
    L.succeed('L');
    await it.turn();
    expect(await waiting).toBe('L');
    expect(it.cache.peek('k')).toBe('N');
  });

  it('stores its value although L ends before it', async () => {
    const it = bench();
    void it.get();
    const L = it.loads.last;
    await it.turn();
    const refreshed = it.get({ refresh: true });
    L.succeed('L');
    await it.turn();
    it.loads.last.succeed('N');
    await it.turn();
    expect(await refreshed).toBe('N');
    expect(it.cache.peek('k')).toBe('N');
  });

  it('shares its load with who comes after it', async () => {
    const it = bench();
    const refreshed = it.get({ refresh: true });
    await it.turn();
    const joined = it.get();
    const without = it.cache.get('k');
    it.loads.last.succeed('L');
    await it.turn();
    expect(await Promise.all([refreshed, joined, without])).toEqual(['L', 'L', 'L']);
    expect(it.loads.begun).toHaveLength(1);
  });

  it('refreshes many through getMany, as a load of their own', async () => {
    const it = bench();
    await it.cache.set('a', 'old');
    await it.cache.set('k', 'old');
    const many = it.cache.getMany(['a', 'k'], { loadMany: it.loads.loadMany, refresh: true });
    expect(it.loads.begun.map(({ key }) => key)).toEqual(['a', 'k']);
    for (const load of it.loads.begun) load.succeed('new');
    await it.turn();
    expect([...(await many).values()]).toEqual(['new', 'new']);
    expect([it.cache.peek('a'), it.cache.peek('k')]).toEqual(['new', 'new']);
  });
});

describe('a load that ends with what is not stored', () => {
  it.each<[string, Get]>([
    ['ttl 0', { ttl: 0 }],
    ['skipStore', { loader: (_key, context) => (context.skipStore(), 'L') }],
  ])('removes what was there: %s', async (_name, options) => {
    const it = bench();
    await it.cache.set('k', 'old');
    expect(await it.get({ loader: () => 'L', ...options, refresh: true })).toBe('L');
    expect(it.cache.size).toBe(0);
  });
});

describe('what a loader does to its own key while it runs', () => {
  it.each<[string, (it: Bench) => unknown, string | undefined]>([
    ['delete', ({ cache }) => cache.delete('k'), undefined],
    ['clear', ({ cache }) => cache.clear(), undefined],
    ['expire', ({ cache }) => cache.expire('k'), undefined],
    ['invalidateTags', ({ cache }) => cache.invalidateTags('t'), undefined],
    ['set', ({ cache }) => cache.set('k', 'v'), 'v'],
  ])('counts like another’s doing: %s, before its first await', async (_how, revoke, held) => {
    const it = bench();
    const load = async () => {
      void revoke(it);
      return 'L';
    };
    expect(await it.get({ loader: load, tags: ['t'] })).toBe('L');
    expect(it.cache.peek('k')).toBe(held);
    const many = it.cache.getMany(['m'], { loadMany: () => load().then(() => ['M']), tags: ['t'] });
    expect([...(await many)]).toEqual([['m', 'M']]);
  });

  it.each<[string, (it: Bench) => unknown, string | undefined]>([
    ['delete', ({ cache }) => cache.delete('k'), undefined],
    ['clear', ({ cache }) => cache.clear(), undefined],
    ['expire', ({ cache }) => cache.expire('k'), undefined],
    ['invalidateTags', ({ cache }) => cache.invalidateTags('t'), undefined],
    ['set', ({ cache }) => cache.set('k', 'v'), 'v'],
  ])(
    'counts like another’s doing, of a loader that is synchronous: %s',
    async (_how, revoke, held) => {
      const it = bench();
      const loader = () => {
        void revoke(it);
        return 'L';
      };
      expect(await it.get({ loader, tags: ['t'] })).toBe('L');
      expect(it.cache.peek('k')).toBe(held);
      expect(it.cache.size).toBe(held === undefined ? 0 : 1);
    },
  );

  it('gives a synchronous throw to all, as a rejection', async () => {
    const it = bench();
    const error = new Error('at once');
    const loader = () => {
      throw error;
    };
    const callers = [it.get({ loader }), it.cache.getMany(['k'], loader)];
    for (const caller of callers) await expect(caller).rejects.toBe(error);
    expect(await it.get({ loader: () => 'N' })).toBe('N');
  });

  it('may read its own key, without waiting for it: that read joins', async () => {
    const it = bench();
    let inner: Promise<unknown> | undefined;
    const waiting = it.get({
      loader: (key, context) => {
        inner = it.meta();
        return it.loads.loader(key, context);
      },
    });
    await it.turn();
    expect(it.loads.begun).toHaveLength(1);
    it.loads.last.succeed('L');
    await it.turn();
    expect(await waiting).toBe('L');
    expect(await inner).toMatchObject({ value: 'L', status: 'joined' });
  });

  it('leaves nothing of a loadMany that aborts its only caller before it returns', async () => {
    const it = bench();
    const leave = new AbortController();
    const many = it.cache.getMany(['a', 'k'], {
      signal: leave.signal,
      loadMany: (keys, context) => {
        leave.abort('left');
        return it.loads.loadMany(keys, context);
      },
    });
    await expect(many).rejects.toBe('left');
    const after = it.get({ loader: () => 'N' });
    for (const load of it.loads.begun) load.succeed('L');
    await it.turn();
    expect(await after).toBe('N');
    expect(it.cache.has('a')).toBe(false);
    expect(it.cache.peek('k')).toBe('N');
  });

  // "all waiting callers abort: nothing; L's own signal has fired", from the first moment on.
  describe.each(['a value', 'a promise'] as const)('which returns %s', (returned) => {
    const abortInside = async () => {
      const it = bench();
      const leave = new AbortController();
      const own: AbortSignal[] = [];
      const waiting = it.get({
        signal: leave.signal,
        loader: (key, context) => {
          own.push(context.signal);
          leave.abort('left');
          return returned === 'a value' ? 'L' : it.loads.loader(key, context);
        },
      });
      await expect(waiting).rejects.toBe('left');
      await it.turn();
      return { ...it, own };
    };

    it('fires its own signal when it aborts its only caller', async () => {
      const { own } = await abortInside();
      expect(own.map(({ aborted }) => aborted)).toEqual([true]);
    });

    it('is not joined after it aborted its only caller', async () => {
      const { cache, get, loads, turn } = await abortInside();
      const after = get({ loader: () => 'N' });
      for (const load of loads.begun) load.succeed('L');
      await turn();
      expect(await after).toBe('N');
      expect(cache.peek('k')).toBe('N');
    });

    it('leaves nothing in memory when it aborts its only caller', async () => {
      const { cache, loads, turn } = await abortInside();
      for (const load of loads.begun) load.succeed('L');
      await turn();
      expect(cache.size).toBe(0);
    });
  });
});

describe('what a listener does to the key', () => {
  it.each(['miss', 'load', 'hit', 'stale'] as const)('keeps it deleted: on %s', async (event) => {
    const it = bench({ ttl: 100, staleWhileRevalidate: 100 });
    await it.cache.set('k', 'old');
    if (event === 'stale') await it.clock.advance(150);
    if (event !== 'hit' && event !== 'stale') await it.cache.delete('k');
    it.cache.on(event, () => void it.cache.delete('k'));
    const caller = it.get();
    await it.turn();
    for (const load of it.loads.begun) load.succeed('L');
    await it.turn();
    expect(['L', 'old']).toContain(await caller);
    // The load may have begun after the deletion, or have ended before it: then no rule says more.
    if (event === 'load' || event === 'hit') expect(it.cache.peek('k')).toBeUndefined();
  });

  it('holds no more than maxSize when an eviction sets another key', async () => {
    const it = bench({ maxSize: 2 });
    let left = 5;
    it.cache.on('evict', ({ key }) => {
      if (left-- > 0) void it.cache.set(`${key ?? ''}'`, 'again');
    });
    for (const key of ['a', 'b', 'c', 'd']) {
      await it.cache.set(key, key);
      expect(it.cache.size).toBeLessThanOrEqual(2);
    }
  });
});
