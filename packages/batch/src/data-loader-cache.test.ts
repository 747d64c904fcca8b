import { AsyncCache, CacheError, LoadTimeoutError } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { deferred, nextTurn } from '../test/deferred.js';
import { controlled, recorded } from '../test/loaders.js';
import { errorOf, failOnUnhandledRejections, outcomeOf } from '../test/outcome.js';
import { DataLoader, type DataLoaderOptions } from './index.js';

failOnUnhandledRejections();

describe('a DataLoader with a Cache', () => {
  function cached(
    cache: AsyncCache<number, string>,
    options: Omit<DataLoaderOptions<number, string>, 'cache'> = {},
  ) {
    return { cache, ...recorded({ ...options, cache }) };
  }

  it('keeps values in it, across loaders', async () => {
    const cache = new AsyncCache<number, string>();
    const [one, other] = [cached(cache), cached(cache)];
    expect(await one.loader.loadMany([1, 2, 1])).toEqual(['v:1', 'v:2', 'v:1']);
    expect(one.batches).toEqual([[1, 2]]);
    expect([cache.peek(1), cache.size]).toEqual(['v:1', 2]);

    expect(await other.loader.loadMany([1, 3])).toEqual(['v:1', 'v:3']);
    expect(other.batches).toEqual([[3]]);
    await cache.set(4, 'set');
    expect(await one.loader.load(4)).toBe('set');
  });

  it('lets loaders share a load that runs', async () => {
    const cache = new AsyncCache<number, string>();
    const one = controlled<number, string>({ cache });
    const other = controlled<number, string>({ cache });
    const loads = Promise.all([one.loader.load(1), other.loader.load(1)]);
    await nextTurn();
    one.sent[0]?.resolve(['one']);

    expect(await loads).toEqual(['one', 'one']);
    expect(other.sent).toEqual([]);
  });

  it('gives what is cached, and what others load, with the batch of the turn', async () => {
    const cache = new AsyncCache<number, string>();
    await cache.set(1, 'cached');
    const { loader, batches } = cached(cache);
    const running = deferred<string>();
    const elsewhere = cache.get(3, () => running.promise);
    const chain = async (id: number): Promise<string> => {
      await loader.load(id);
      return loader.load(id * 10);
    };
    const chains = Promise.all([chain(1), chain(2), chain(3)]);
    running.resolve('elsewhere');
    await Promise.all([chains, elsewhere]);

    expect(batches.map((keys) => keys.toSorted())).toEqual([[2], [10, 20, 30]]);
  });

  it('gives what is cached although a batch of another turn hangs', async () => {
    const cache = new AsyncCache<number, string>();
    await cache.set(1, 'cached');
    const { loader } = controlled<number, string>({ cache });
    void loader.load(2);
    await nextTurn();

    expect(await outcomeOf(loader.load(1))).toBe('cached');
  });

  it('gives what is cached when the batch of its turn fails', async () => {
    const cache = new AsyncCache<number, string>();
    await cache.set(1, 'cached');
    const { loader, sent } = controlled<number, string>({ cache });
    const [kept, other] = [loader.load(1), errorOf(loader.load(2))];
    await nextTurn();
    const error = new Error('down');
    sent[0]?.reject(error);

    expect(await kept).toBe('cached');
    expect(await other).toBe(error);
  });

  it('plans no batch that is not needed', async () => {
    const planned = jest.fn((dispatch: () => void) => void setImmediate(dispatch));
    const { loader, batches } = cached(new AsyncCache(), {
      maxBatchSize: 1,
      batchScheduleFn: planned,
    });
    await loader.loadMany([1, 2]);

    expect(batches).toEqual([[1], [2]]);
    expect(planned).toHaveBeenCalledTimes(2);
  });

  it('holds the loads of promise callbacks in one batch, too', async () => {
    const { loader, batches } = cached(new AsyncCache());
    const chain = async (id: number): Promise<string> => {
      await loader.load(id);
      return loader.load(id * 10);
    };
    await Promise.all([chain(1), chain(2), Promise.resolve().then(() => loader.load(3))]);

    expect(batches).toEqual([
      [1, 2, 3],
      [10, 20],
    ]);
  });

  it('loads anew after its ttl', async () => {
    const clock = fakeClock();
    const { loader, batches } = cached(new AsyncCache({ clock, ttl: '1m' }));
    await loader.load(1);
    await clock.advance(59_999);
    await loader.load(1);
    await clock.advance(1);
    await loader.load(1);

    expect(batches).toEqual([[1], [1]]);
  });

  it('refreshes a stale value in a batch behind it', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.setMany([
      [1, 'old'],
      [2, 'old'],
    ]);
    await clock.advance(2_000);
    const { loader, batches } = cached(cache);
    expect(await loader.loadMany([1, 2])).toEqual(['old', 'old']);
    await nextTurn();

    expect(batches).toEqual([[1, 2]]);
    expect([cache.peek(1), cache.peek(2)]).toEqual(['v:1', 'v:2']);
  });

  it('is bounded by it', async () => {
    const { loader, cache, batches } = cached(new AsyncCache({ maxSize: 2 }));
    await loader.loadMany([1, 2, 3]);
    expect(cache.size).toBe(2);
    await loader.load(1);

    expect(batches).toEqual([[1, 2, 3], [1]]);
  });

  it('counts in its metrics', async () => {
    const { loader, cache } = cached(new AsyncCache());
    await loader.loadMany([1, 2, 1]);
    await loader.load(1);

    expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 3, joined: 1, loads: 2 });
  });

  it('is by value, as its keys are', async () => {
    const cache = new AsyncCache<{ id: number }, string>();
    const { loader, batches } = recorded<{ id: number }>({ cache });
    await loader.loadMany([{ id: 1 }, { id: 1 }]);

    expect(batches).toEqual([[{ id: 1 }]]);
  });

  it('is by cacheKeyFn, while the batch function gets the key', async () => {
    const cache = new AsyncCache<string, string>();
    const { loader, batches } = recorded<{ id: number }, string>({
      cache,
      cacheKeyFn: ({ id }) => `user:${id}`,
    });
    await loader.loadMany([{ id: 1 }, { id: 1 }]);
    expect(batches).toEqual([[{ id: 1 }]]);
    expect(cache.has('user:1')).toBe(true);
    loader.prime({ id: 2 }, 'primed').clear({ id: 1 });

    expect([cache.has('user:1'), cache.peek('user:2')]).toEqual([false, 'primed']);
  });

  it('rejects for a key that has no text', async () => {
    const cache = new AsyncCache<unknown, string>();
    const { loader } = recorded<unknown>({ cache });

    expect((await errorOf(loader.load(() => 1))).code).toBe('ERR_ACACHE_UNKEYABLE');
  });

  it('keeps a key that was deleted while it was loaded deleted', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const loads = loader.loadMany([1, 2]);
    await nextTurn();
    await cache.delete(1);
    sent[0]?.resolve(['one', 'two']);

    expect(await loads).toEqual(['one', 'two']);
    expect([cache.has(1), cache.peek(2)]).toEqual([false, 'two']);
  });

  it('clear deletes from it, clearAll empties it', async () => {
    const { loader, cache, batches } = cached(new AsyncCache());
    await loader.loadMany([1, 2, 3]);
    expect(loader.clear(1)).toBe(loader);
    expect([cache.has(1), cache.has(2)]).toEqual([false, true]);
    expect(loader.clearAll()).toBe(loader);
    expect(cache.size).toBe(0);
    await loader.load(1);

    expect(batches).toEqual([[1, 2, 3], [1]]);
  });

  it('clear while a key is loaded loads it anew for who comes then', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const first = loader.load(1);
    await nextTurn();
    const second = loader.clear(1).load(1);
    await nextTurn();
    sent[1]?.resolve(['new']);
    sent[0]?.resolve(['old']);

    expect([await first, await second]).toEqual(['old', 'new']);
    expect(cache.peek(1)).toBe('new');
  });

  it('prime keeps a value where there is none', async () => {
    const { loader, cache, batches } = cached(new AsyncCache());
    expect(loader.prime(1, 'primed').prime(1, 'again')).toBe(loader);
    expect(cache.peek(1)).toBe('primed');

    expect(await loader.load(1)).toBe('primed');
    expect(batches).toEqual([]);
  });

  it('prime changes nothing for a key that is loaded', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const load = loader.load(1);
    await nextTurn();
    loader.prime(1, 'primed');
    sent[0]?.resolve(['loaded']);

    expect(await load).toBe('loaded');
    expect(await outcomeOf(loader.load(1))).toBe('loaded');
  });

  it('prime keeps what a promise brings', async () => {
    const { loader, cache, batches } = cached(new AsyncCache());
    loader.prime(1, Promise.resolve('late'));

    expect(await loader.load(1)).toBe('late');
    expect(cache.peek(1)).toBe('late');
    expect(batches).toEqual([]);
  });

  it('prime keeps no error, unless errorTtl says so', async () => {
    const error = new Error('known');
    const plain = cached(new AsyncCache());
    plain.loader.prime(1, error).prime(2, Promise.reject(error));
    await nextTurn();
    expect(await plain.loader.loadMany([1, 2])).toEqual(['v:1', 'v:2']);

    const remembering = cached(new AsyncCache({ errorTtl: '1m' }));
    remembering.loader.prime(1, error);
    await nextTurn();
    expect(await errorOf(remembering.loader.load(1))).toBe(error);
  });

  it('remembers no failure of a key', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const loads = loader.loadMany([1, 2]);
    await nextTurn();
    const error = new Error('no 1');
    sent[0]?.resolve([error, 'two']);
    expect(await loads).toEqual([error, 'two']);
    expect([cache.has(1), cache.peek(2)]).toEqual([false, 'two']);

    const again = loader.load(1);
    await nextTurn();
    sent[1]?.resolve(['one']);
    expect(await again).toBe('one');
  });

  it('remembers no failure of a batch', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const load = errorOf(loader.load(1));
    await nextTurn();
    const error = new Error('down');
    sent[0]?.reject(error);

    expect(await load).toBe(error);
    expect(cache.size).toBe(0);
  });

  it('tells of wrong use as without one', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const load = errorOf(loader.load(1));
    await nextTurn();
    sent[0]?.resolve([]);

    expect(await load).toBeInstanceOf(TypeError);
    expect((await load).code).toBe('ERR_ACACHE_BATCH_LENGTH');
  });

  it('may answer with a Map', async () => {
    const cache = new AsyncCache<number, string | undefined>();
    const loader = new DataLoader<number, string | undefined>(async () => new Map([[1, 'one']]), {
      cache,
    });

    expect(await loader.loadMany([1, 2])).toEqual(['one', undefined]);
    expect([cache.peek(1), cache.has(2)]).toEqual(['one', true]);
  });

  it('loads anew what is invalidated by a tag', async () => {
    const cache = new AsyncCache<number, string>();
    await cache.set(1, 'tagged', { tags: ['users'] });
    const { loader } = cached(cache);
    expect(await loader.load(1)).toBe('tagged');
    await cache.invalidateTags('users');

    expect(await loader.load(1)).toBe('v:1');
  });

  it('keeps to its timeout', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock, timeout: 50 });
    const { loader } = controlled<number, string>({ cache });
    const load = errorOf(loader.load(1));
    await nextTurn();
    await clock.advance(50);

    expect(await load).toBeInstanceOf(LoadTimeoutError);
  });

  it('lets callers leave: a key that all have left is not sent', async () => {
    const { loader, batches } = cached(new AsyncCache());
    const leave = new AbortController();
    const left = [1, 2, 2].map((key) => outcomeOf(loader.load(key, { signal: leave.signal })));
    const staying = loader.load(2);
    leave.abort('left');

    expect(await Promise.all(left)).toEqual(Array(3).fill({ error: 'left' }));
    expect(await staying).toBe('v:2');
    expect(batches).toEqual([[2]]);
  });

  it('lets callers leave: the signal of the batch fires when all have, and nothing is stored', async () => {
    const cache = new AsyncCache<number, string>();
    const results = deferred<string[]>();
    let signal: AbortSignal | undefined;
    const loader = new DataLoader<number, string>(
      (_keys, context) => {
        signal = context.signal;
        return results.promise;
      },
      { cache },
    );
    const leave = [new AbortController(), new AbortController()];
    const left = leave.map((each, key) => outcomeOf(loader.load(key, { signal: each.signal })));
    await Promise.all(left);
    leave[0]?.abort('one');
    expect(signal?.aborted).toBe(false);
    leave[1]?.abort('other');
    expect(signal?.aborted).toBe(true);
    results.resolve(['late', 'late']);
    await nextTurn();

    expect(cache.size).toBe(0);
  });

  it('lets one leave at once who joined a load, while its batch hangs', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const staying = loader.load(1);
    const leave = new AbortController();
    const early = loader.load(1, { signal: leave.signal });
    expect(await outcomeOf(early)).toBe('pending');
    expect(sent).toHaveLength(1);
    const late = loader.load(1, { signal: leave.signal });
    leave.abort('left');

    expect(await outcomeOf(early)).toEqual({ error: 'left' });
    expect(await outcomeOf(late)).toEqual({ error: 'left' });
    sent[0]?.resolve(['one']);
    expect(await staying).toBe('one');
  });

  it('lets one leave at once who waits for what is cached with a batch that hangs', async () => {
    const cache = new AsyncCache<number, string>();
    await cache.set(1, 'cached');
    const { loader, sent } = controlled<number, string>({ cache });
    const other = loader.load(2);
    const leave = new AbortController();
    const left = loader.load(1, { signal: leave.signal });
    await nextTurn();
    leave.abort('left');

    // Whether it was given at once or held until the batch ends: nobody waits who has left.
    expect(['cached', { error: 'left' }]).toContainEqual(await outcomeOf(left));
    sent[0]?.resolve(['two']);
    expect(await other).toBe('two');
  });

  it('keeps to its timeout for one who joined, while its batch hangs', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock, timeout: 50 });
    const { loader } = controlled<number, string>({ cache });
    const loads = [outcomeOf(loader.load(1)), outcomeOf(loader.load(1))];
    await Promise.all(loads);
    const late = [loader.load(1), loader.load(1)].map(errorOf);
    await nextTurn();
    await clock.advance(50);

    for (const error of await Promise.all(late)) expect(error).toBeInstanceOf(LoadTimeoutError);
  });

  it('works with a window and with full batches', async () => {
    const clock = fakeClock();
    const { loader, batches } = cached(new AsyncCache(), { window: 5, maxBatchSize: 2, clock });
    const loads = loader.loadMany([1, 2, 3]);
    expect(batches).toEqual([[1, 2]]);
    await clock.advance(5);

    expect(await loads).toEqual(['v:1', 'v:2', 'v:3']);
    expect(clock.pending).toBe(0);
  });

  it('that is closed rejects loads, and has nothing to clear', async () => {
    const { loader, cache, batches } = cached(new AsyncCache());
    await loader.load(1);
    await cache.close();

    const error = await errorOf(loader.load(1));
    expect(error).toBeInstanceOf(CacheError);
    expect(error.code).toBe('ERR_ACACHE_CLOSED');
    expect(loader.clear(1).clearAll()).toBe(loader);
    expect(batches).toEqual([[1]]);
  });

  it('that is closed has nothing to prime', async () => {
    const { loader, cache } = cached(new AsyncCache());
    await cache.close();

    expect(loader.prime(1, 'x').prime(2, new Error('x')).prime(3, Promise.resolve('x'))).toBe(
      loader,
    );
  });

  it('that is closed settles loads that wait', async () => {
    const cache = new AsyncCache<number, string>();
    const { loader, sent } = controlled<number, string>({ cache });
    const load = errorOf(loader.load(1));
    await nextTurn();
    await cache.close();

    expect((await load).code).toBe('ERR_ACACHE_CLOSED');
    sent[0]?.resolve(['late']);
  });
});
