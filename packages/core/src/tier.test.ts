import { AsyncLocalStorage } from 'node:async_hooks';
import { AsyncCache } from './async-cache.js';
import type { AsyncCacheOptions } from './cache-options.js';
import type { Entry } from './entry.js';
import {
  failingTier,
  fakeClock,
  hangingTier,
  laggingTier,
  memoryTier,
  type Ailment,
} from './testing.js';

/** A promise that the test settles. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function processes(count: number, options: AsyncCacheOptions<string, string> = {}) {
  const clock = fakeClock();
  const tier = memoryTier();
  const caches = Array.from(
    { length: count },
    () => new AsyncCache<string, string>({ name: 'c', tier, clock, ...options }),
  );
  return { clock, tier, caches: caches as [(typeof caches)[0], (typeof caches)[0]] };
}

describe('a cache with a tier', () => {
  it('requires a name', () => {
    expect(() => new AsyncCache({ tier: memoryTier() })).toThrow(/name is required/);
  });

  it('finds in the tier what another process stored', async () => {
    const { caches } = processes(2);
    const [a, b] = caches;
    await a.set('k', 'v');
    expect(await b.getWithMeta('k')).toMatchObject({ value: 'v', status: 'hit', source: 'tier' });
    expect(await b.getWithMeta('k')).toMatchObject({ value: 'v', status: 'hit', source: 'memory' });
    expect(b.getMetrics()).toMatchObject({ hits: 2, misses: 0, tierHits: 1, loads: 0 });
  });

  it('counts every caller that the tier answered as a hit', async () => {
    const { caches } = processes(2);
    const [a, b] = caches;
    await a.set('k', 'v');
    await Promise.all(Array.from({ length: 10 }, () => b.get('k', () => 'loaded')));
    expect(b.getMetrics()).toMatchObject({ hits: 10, misses: 0, tierHits: 10, loads: 0 });
  });

  it('loads once for all processes', async () => {
    const { caches } = processes(4);
    let loads = 0;
    const values = await Promise.all(
      caches.map((cache) =>
        cache.get('k', async () => {
          loads++;
          await Promise.resolve();
          return 'v';
        }),
      ),
    );
    expect(values).toEqual(['v', 'v', 'v', 'v']);
    expect(loads).toBe(1);
  });

  it('lets each other process load for itself once the loader of one failed', async () => {
    const { caches } = processes(2);
    const [a, b] = caches;
    const failing = deferred<string>();
    const first = a.get('k', () => failing.promise);
    await Promise.resolve();
    const second = b.get('k', () => 'mine');
    failing.reject(new Error('down'));
    await expect(first).rejects.toThrow('down');
    expect(await second).toBe('mine');
  });

  const invalidations: [string, (cache: AsyncCache<string, string>) => Promise<unknown>][] = [
    ['delete', (cache) => cache.delete('k')],
    ['expire', (cache) => cache.expire('k')],
    ['invalidateTags', (cache) => cache.invalidateTags('t')],
    ['clear', (cache) => cache.clear()],
  ];
  for (const [name, invalidate] of invalidations) {
    it(`stores nowhere what was loading when another process called ${name}`, async () => {
      const { caches } = processes(2);
      const [a, b] = caches;
      const loading = deferred<string>();
      const loaded = a.get('k', { loader: () => loading.promise, tags: ['t'] });
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      await invalidate(b);
      loading.resolve('old');
      expect(await loaded).toBe('old');
      expect(a.peek('k')).toBeUndefined();
      expect(await b.get('k')).toBeUndefined();
      expect(await a.get('k', () => 'new')).toBe('new');
    });

    it(`is forgotten in every memory after ${name} in one process`, async () => {
      const { caches } = processes(2);
      const [a, b] = caches;
      await a.set('k', 'v', { tags: ['t'] });
      expect(await b.get('k')).toBe('v');
      await invalidate(b);
      expect(a.peek('k')).toBeUndefined();
      expect(b.peek('k')).toBeUndefined();
      expect(await a.get('k')).toBeUndefined();
    });
  }

  it('stores nothing when a tag that the loader names only afterwards was invalidated elsewhere', async () => {
    const { caches } = processes(2);
    const [a, b] = caches;
    const loading = deferred<string>();
    const loaded = a.get('k', async (_, context) => {
      const value = await loading.promise;
      context.tag('late');
      return value;
    });
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    await b.invalidateTags('late');
    loading.resolve('old');
    expect(await loaded).toBe('old');
    expect(a.peek('k')).toBeUndefined();
    expect(await b.get('k')).toBeUndefined();
  });

  it('lets one process refresh what is stale, and serves it meanwhile', async () => {
    const { caches, clock } = processes(2, { ttl: 100, staleWhileRevalidate: 1000 });
    const [a, b] = caches;
    await a.set('k', 'old');
    await b.get('k');
    await clock.advance(150);
    let loads = 0;
    const loading = deferred<string>();
    const load = () => {
      loads++;
      return loading.promise;
    };
    expect(await a.get('k', load)).toBe('old');
    expect(await b.get('k', load)).toBe('old');
    await clock.advance(0);
    expect(loads).toBe(1);
    loading.resolve('new');
    await clock.advance(0);
    expect(await b.get('k')).toBe('new');
    expect(a.peek('k')).toBe('new');
  });

  it('loads anew for a refresh although another process loads', async () => {
    const { caches } = processes(2);
    const [a, b] = caches;
    const older = deferred<string>();
    const first = a.get('k', () => older.promise);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(await b.get('k', { refresh: true, loader: () => 'newer' })).toBe('newer');
    older.resolve('older');
    expect(await first).toBe('older');
    expect(await a.get('k')).toBe('newer');
  });

  it('asks for all keys of getMany, and of one turn, in one lookup', async () => {
    const clock = fakeClock();
    const lookups: string[][] = [];
    const behind = memoryTier();
    const cache = new AsyncCache<string, string>({
      name: 'c',
      clock,
      tier: {
        attach(name, host) {
          const space = behind.attach(name, host);
          const lookup = space.lookup.bind(space);
          space.lookup = (requests) => {
            lookups.push(requests.map(({ key }) => key));
            return lookup(requests);
          };
          return space;
        },
      },
    });
    const batches: (readonly string[])[] = [];
    const values = await cache.getMany(['a', 'b', 'c'], (keys) => {
      batches.push(keys);
      return keys.map((key) => key.toUpperCase());
    });
    expect([...values]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
      ['c', 'C'],
    ]);
    expect(batches).toEqual([['a', 'b', 'c']]);
    await Promise.all([cache.get('d'), cache.get('e')]);
    expect(lookups.map((keys) => keys.length)).toEqual([3, 2]);
  });

  it('calls each loader in the async context of its caller, though lookups travel together', async () => {
    const requests = new AsyncLocalStorage<string>();
    const { caches } = processes(1);
    const [cache] = caches;
    const keys = ['a', 'b', 'c'];
    const loader = () => `loaded for ${requests.getStore()}`;
    const read = (key: string) => requests.run(key, () => cache.get(key, loader));
    expect(await Promise.all(keys.map(read))).toEqual(keys.map((key) => `loaded for ${key}`));
  });

  it('takes the loader of a caller who joins a mere look', async () => {
    const { caches } = processes(1);
    const [cache] = caches;
    const looking = cache.get('k');
    const loading = cache.get('k', () => 'loaded');
    expect(await loading).toBe('loaded');
    expect([undefined, 'loaded']).toContain(await looking);
  });

  it('rejects a key that has no text, before anything changes', async () => {
    const cache = new AsyncCache<unknown, string>({ name: 'c', tier: memoryTier() });
    await expect(cache.set(Symbol('s'), 'v')).rejects.toMatchObject({
      code: 'ERR_ACACHE_UNKEYABLE',
    });
    await expect(cache.get(Symbol('s'), () => 'v')).rejects.toMatchObject({
      code: 'ERR_ACACHE_UNKEYABLE',
    });
  });
});

describe('a tier that is ill', () => {
  const ills = [
    ['fails', failingTier],
    ['hangs', hangingTier],
  ] as const;
  for (const [what, makeIll] of ills) {
    it(`still gets the loader's value when it ${what}`, async () => {
      const clock = fakeClock();
      const cache = new AsyncCache<string, string>({
        name: 'c',
        clock,
        tier: makeIll(memoryTier()),
      });
      const errors: unknown[] = [];
      cache.on('error', ({ source }) => errors.push(source));
      const value = cache.get('k', () => 'loaded');
      await clock.advance(0);
      await clock.advance(1000);
      expect(await value).toBe('loaded');
      expect(errors).toContain('tier');
      expect(cache.getMetrics().tierErrors).toBeGreaterThan(0);
    });

    it(`keeps what it loaded while the tier ${what}, for a short time`, async () => {
      const clock = fakeClock();
      const cache = new AsyncCache<string, string>({
        name: 'c',
        clock,
        tier: makeIll(memoryTier()),
      });
      const value = cache.get('k', () => 'first');
      await clock.advance(0);
      await clock.advance(1000);
      await value;
      expect(await cache.get('k', () => 'second')).toBe('first');
      await clock.advance(2000);
      const later = cache.get('k', () => 'second');
      await clock.advance(0);
      await clock.advance(1000);
      expect(await later).toBe('second');
    });

    it(`lets set, delete and the others settle when it ${what}, and flush reject or wait`, async () => {
      const clock = fakeClock();
      const cache = new AsyncCache<string, string>({
        name: 'c',
        clock,
        tier: makeIll(memoryTier()),
      });
      const changes = Promise.all([
        cache.set('k', 'v'),
        cache.setMany([['l', 'v']]),
        cache.delete('k'),
        cache.expire('k'),
        cache.invalidateTags('t'),
        cache.clear(),
      ]);
      await clock.advance(1000);
      await changes;
    });

    it(`closes when it ${what}`, async () => {
      const clock = fakeClock();
      const cache = new AsyncCache<string, string>({
        name: 'c',
        clock,
        tier: makeIll(memoryTier()),
      });
      const closed = cache.close();
      await clock.advance(3000);
      await closed;
    });
  }

  it('serves what was set while the tier is away', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      name: 'c',
      clock,
      tier: failingTier(memoryTier()),
    });
    await cache.set('k', 'v');
    expect(await cache.get('k')).toBe('v');
  });

  it('does not serve what the tier stood behind once it no longer vouches for memory', async () => {
    const { caches, tier } = processes(1);
    const [cache] = caches;
    await cache.set('k', 'v');
    expect(cache.peek('k')).toBe('v');
    tier.cut(true);
    expect(cache.peek('k')).toBeUndefined();
    expect(cache.has('k')).toBe(false);
  });

  it('forgets everything when anything may have changed', async () => {
    const { caches, tier } = processes(1);
    const [cache] = caches;
    await cache.set('k', 'v');
    tier.cut(true);
    tier.cut(false);
    expect(cache.size).toBe(0);
    expect(await cache.get('k')).toBe('v');
  });

  it('gives back a lease that came too late for the caller', async () => {
    const clock = fakeClock();
    const shared = memoryTier();
    const slow = new AsyncCache<string, string>({
      name: 'c',
      clock,
      tier: laggingTier(shared, clock, 5000),
    });
    const other = new AsyncCache<string, string>({ name: 'c', clock, tier: shared });
    const value = slow.get('k', () => 'slow');
    await clock.advance(0);
    await clock.advance(1000);
    expect(await value).toBe('slow');
    await clock.advance(5000);
    expect(await other.get('k', () => 'other')).toBe('other');
  });

  it('recovers with the tier', async () => {
    const clock = fakeClock();
    const ailment: Ailment = { active: true };
    const shared = memoryTier();
    const cache = new AsyncCache<string, string>({
      name: 'c',
      clock,
      tier: failingTier(shared, ailment),
    });
    const other = new AsyncCache<string, string>({ name: 'c', clock, tier: shared });
    await cache.get('k', () => 'alone');
    ailment.active = false;
    await cache.set('k', 'together');
    expect(await other.get('k')).toBe('together');
    await expect(cache.flush()).resolves.toBeUndefined();
  });

  it('rejects flush while it fails', async () => {
    const cache = new AsyncCache<string, string>({ name: 'c', tier: failingTier(memoryTier()) });
    await expect(cache.flush()).rejects.toThrow('out of order');
  });

  it('is no reason for a value of the tier to outlive its own instants', async () => {
    const { caches, clock } = processes(2, { ttl: 1000 });
    const [a, b] = caches;
    await a.set('k', 'v');
    await clock.advance(900);
    expect(await b.getWithMeta('k')).toMatchObject({ value: 'v', age: 900, ttlLeft: 100 });
    await clock.advance(100);
    expect(b.peek('k')).toBeUndefined();
  });
});

describe('what crosses the tier port', () => {
  it('is an entry with absolute instants', async () => {
    const clock = fakeClock();
    const entries: [string, Entry][] = [];
    const behind = memoryTier();
    const cache = new AsyncCache<unknown, string>({
      name: 'c',
      clock,
      ttl: '1m',
      staleIfError: '1h',
      tier: {
        attach(name, host) {
          const space = behind.attach(name, host);
          const set = space.set.bind(space);
          space.set = (key, entry) => {
            entries.push([key, entry]);
            return set(key, entry);
          };
          return space;
        },
      },
    });
    await cache.set({ b: 1, a: 2 }, 'v', { tags: ['t', 't'] });
    expect(entries).toEqual([
      [
        expect.any(String),
        expect.objectContaining({
          value: 'v',
          createdAt: clock.now(),
          freshUntil: clock.now() + 60_000,
          staleWhileRevalidate: 0,
          staleIfError: 3_600_000,
          tags: ['t'],
        }),
      ],
    ]);
  });
});
