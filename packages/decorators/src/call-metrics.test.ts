import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import { deferred, settle, type Deferred } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { cached, type CachedFunction } from './index.js';

failOnUnhandledRejections();

interface Subject {
  readonly fn: CachedFunction<(id: number) => Promise<string>>;
  readonly loads: Deferred<string>[];
  readonly clock: FakeClock;
}

function subject(options: AsyncCacheOptions, isShared: boolean): Subject {
  const clock = fakeClock();
  const loads: Deferred<string>[] = [];
  const find = (_id: number): Promise<string> => {
    const load = deferred<string>();
    loads.push(load);
    return load.promise;
  };
  const given = isShared
    ? { cache: new AsyncCache({ ...options, clock }), name: 'find' }
    : { ...options, clock };
  return { fn: cached(find, given), loads, clock };
}

/** What is counted of a scene by a function on its own cache, and by one on a cache that is given. */
async function counted(options: AsyncCacheOptions, scene: (subject: Subject) => Promise<void>) {
  const metrics = [];
  for (const isShared of [false, true]) {
    const one = subject(options, isShared);
    await scene(one);
    await settle();
    const { loadTimeMs: _real, ...counts } = one.fn.getMetrics();
    metrics.push(counts);
  }
  return { own: metrics[0], given: metrics[1] };
}

const ignore = () => undefined;

describe('a function on a cache that is given counts as on its own', () => {
  it.each<[what: string, options: AsyncCacheOptions, scene: (subject: Subject) => Promise<void>]>([
    [
      'hits and misses',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        await fn(1);
        await fn(1);
      },
    ],
    [
      'who joined',
      {},
      async ({ fn, loads }) => {
        const calls = [fn(1), fn(1), fn(1)];
        await settle();
        loads[0]!.resolve('v');
        await Promise.all(calls);
      },
    ],
    [
      'a load that fails, and who joined it',
      {},
      async ({ fn, loads }) => {
        const calls = [fn(1).catch(ignore), fn(1).catch(ignore)];
        await settle();
        loads[0]!.reject(new Error('down'));
        await Promise.all(calls);
      },
    ],
    [
      'a stale value',
      { ttl: 10, staleWhileRevalidate: 100 },
      async ({ fn, loads, clock }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        await clock.advance(20);
        await fn(1);
        loads[1]!.resolve('w');
        await settle();
        await fn(1);
      },
    ],
    [
      'a refresh behind a value that fails',
      { ttl: 10, staleWhileRevalidate: 100 },
      async ({ fn, loads, clock }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        await clock.advance(20);
        await fn(1);
        loads[1]!.reject(new Error('down'));
        await settle();
      },
    ],
    [
      'a stale value in the place of an error',
      { ttl: 10, staleIfError: 100 },
      async ({ fn, loads, clock }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        await clock.advance(20);
        const calls = [fn(1), fn(1)];
        await settle();
        loads[1]!.reject(new Error('down'));
        await Promise.all(calls);
      },
    ],
    [
      'an error that is remembered',
      { errorTtl: 100 },
      async ({ fn, loads }) => {
        const first = fn(1).catch(ignore);
        await settle();
        loads[0]!.reject(new Error('down'));
        await first;
        await fn(1).catch(ignore);
      },
    ],
    [
      'a timeout',
      { timeout: 50 },
      async ({ fn, loads, clock }) => {
        const calls = [fn(1).catch(ignore), fn(1).catch(ignore)];
        await settle();
        await clock.advance(50);
        await Promise.all(calls);
        loads[0]!.resolve('late');
        await settle();
        await fn(1);
      },
    ],
    [
      'a stale value in the place of a load that is slow',
      { ttl: 10, staleIfError: 1_000, softTimeout: 5 },
      async ({ fn, loads, clock }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        await clock.advance(20);
        const slow = fn(1);
        await clock.advance(5);
        await slow;
        loads[1]!.resolve('late');
        await settle();
      },
    ],
    [
      'refreshes',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        loads[0]!.resolve('v');
        await first;
        const second = fn.refresh(1);
        loads[1]!.resolve('w');
        await second;
      },
    ],
    [
      'an invalidation under a call',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        await settle();
        await fn.invalidateCache(1);
        const second = fn(1);
        await settle();
        loads[0]!.resolve('v');
        loads[1]!.resolve('w');
        await Promise.all([first, second]);
        await fn(1);
      },
    ],
    [
      'a refresh that fails beside a load that runs',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        await settle();
        const refresh = fn.refresh(1).catch(ignore);
        await settle();
        loads[1]!.reject(new Error('down'));
        loads[0]!.resolve('v');
        await Promise.all([first, refresh]);
      },
    ],
    [
      'a load that fails beside one that was made invalid',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        await settle();
        await fn.invalidateCache(1);
        const second = fn(1).catch(ignore);
        await settle();
        loads[1]!.reject(new Error('down'));
        loads[0]!.resolve('v');
        await Promise.all([first, second]);
      },
    ],
    [
      'who joined a load that fails beside another one',
      {},
      async ({ fn, loads }) => {
        const first = fn(1).catch(ignore);
        await settle();
        await fn.invalidateCache(1);
        const others = [fn(1).catch(ignore), fn(1).catch(ignore)];
        await settle();
        loads[0]!.reject(new Error('down'));
        loads[1]!.reject(new Error('down'));
        await Promise.all([first, ...others]);
      },
    ],
    [
      'nothing of a call that began before a clear',
      {},
      async ({ fn, loads }) => {
        const first = fn(1);
        await settle();
        await fn.clearCache();
        loads[0]!.resolve('v');
        await first;
      },
    ],
    [
      'arguments that cannot be a key',
      {},
      async ({ fn }) => {
        await fn(Symbol('s') as never).catch(ignore);
        await fn((() => 1) as never).catch(ignore);
      },
    ],
    [
      'evictions and the size',
      { maxSize: 2 },
      async ({ fn, loads }) => {
        for (const id of [1, 2, 3]) {
          const call = fn(id);
          await settle();
          loads.at(-1)!.resolve('v');
          await call;
        }
      },
    ],
  ])('%s', async (_what, options, scene) => {
    const { own, given } = await counted(options, scene);

    expect(given).toEqual(own);
  });

  it('the time of its loads', async () => {
    const cache = new AsyncCache();
    const fn = cached(async () => 1, { cache, name: 'fn' });
    await fn();

    expect(fn.getMetrics().loadTimeMs).toBeGreaterThan(0);
  });

  it('nothing of a cache that is closed', async () => {
    const cache = new AsyncCache();
    const fn = cached(async () => 1, { cache, name: 'fn' });
    await cache.close();
    await fn().catch(ignore);

    expect(fn.getMetrics()).toMatchObject({ hits: 0, misses: 0, joined: 0 });
  });
});
