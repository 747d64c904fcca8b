import { AsyncCache, LoadTimeoutError, type LoadContext } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { controlledBatches } from '../test/controlled-batches.js';
import { nextTurn } from '../test/deferred.js';
import { errorOf, failOnUnhandledRejections, outcomeOf, thrownBy } from '../test/outcome.js';
import { createBatcher, type BatchOptions } from './index.js';

failOnUnhandledRejections();

/** A cache with a batcher, on one clock. */
function bench(options?: BatchOptions) {
  const clock = fakeClock();
  const batcher = createBatcher({ clock, ...options });
  return { clock, batcher, cache: new AsyncCache<number, string>({ clock, batcher }) };
}

/** A batch function that answers `<name>:<key>`. */
function named(name: string) {
  return jest.fn(async (keys: readonly number[]) => keys.map((key) => `${name}:${key}`));
}

describe('createBatcher', () => {
  it('lets a cache load in batches', async () => {
    const { clock, cache } = bench();
    const batchLoader = named('v');
    const values = Promise.all([1, 2, 1].map((key) => cache.get(key, { batchLoader })));
    await clock.advance(5);

    expect(await values).toEqual(['v:1', 'v:2', 'v:1']);
    expect(batchLoader.mock.calls).toEqual([[[1, 2]]]);
    expect([cache.peek(1), cache.peek(2)]).toEqual(['v:1', 'v:2']);
    expect(await cache.get(1, { batchLoader })).toBe('v:1');
    expect(clock.pending).toBe(0);
  });

  it('lets getWithMeta and getMany do so, too', async () => {
    const { clock, cache } = bench();
    const batchLoader = named('v');
    const one = cache.getWithMeta(1, { batchLoader });
    const many = cache.getMany([2, 3], { batchLoader });
    await clock.advance(5);

    expect(await one).toMatchObject({ value: 'v:1', status: 'miss', source: 'loader' });
    expect([...(await many).values()]).toEqual(['v:2', 'v:3']);
    expect(batchLoader.mock.calls).toEqual([[[1, 2, 3]]]);
  });

  it('never lets different batch functions share a batch', async () => {
    const { clock, cache } = bench();
    const [users, posts] = [named('user'), named('post')];
    const values = Promise.all([
      cache.get(1, { batchLoader: users }),
      cache.get(2, { batchLoader: posts }),
      cache.get(3, { batchLoader: users }),
      cache.get(4, { batchLoader: posts }),
    ]);
    await clock.advance(5);

    expect(await values).toEqual(['user:1', 'post:2', 'user:3', 'post:4']);
    expect(users.mock.calls).toEqual([[[1, 3]]]);
    expect(posts.mock.calls).toEqual([[[2, 4]]]);
  });

  it('has a window and a size for each batch function', async () => {
    const { clock, cache } = bench({ window: 10, maxBatchSize: 2 });
    const [users, posts] = [named('user'), named('post')];
    const values = [cache.get(1, { batchLoader: users })];
    await clock.advance(6);
    values.push(cache.get(2, { batchLoader: posts }));
    expect(clock.pending).toBe(2);
    await clock.advance(4);
    expect([users.mock.calls, posts.mock.calls]).toEqual([[[[1]]], []]);
    values.push(cache.get(3, { batchLoader: posts }));

    expect(posts.mock.calls).toEqual([[[2, 3]]]);
    expect(clock.pending).toBe(0);
    await Promise.all(values);
  });

  it('takes functions that are made for each call, each in a batch of its own', async () => {
    const { clock, cache } = bench();
    const calls: (readonly number[])[] = [];
    const get = (key: number) =>
      cache.get(key, {
        batchLoader: async (keys) => {
          calls.push(keys);
          return keys.map(String);
        },
      });
    const values = Promise.all([get(1), get(2)]);
    await clock.advance(5);

    expect(await values).toEqual(['1', '2']);
    expect(calls).toEqual([[1], [2]]);
  });

  it('serves several caches, where one key of both is loaded once', async () => {
    const { clock, cache, batcher } = bench();
    const other = new AsyncCache<number, string>({ clock, batcher });
    const batchLoader = named('v');
    const values = Promise.all([
      cache.get(1, { batchLoader }),
      other.get(1, { batchLoader }),
      other.get(2, { batchLoader }),
    ]);
    await clock.advance(5);

    expect(await values).toEqual(['v:1', 'v:1', 'v:2']);
    expect(batchLoader.mock.calls).toEqual([[[1, 2]]]);
  });

  it('sends with the turn, where the window is 0', async () => {
    const { cache, clock } = bench({ window: 0 });
    const batchLoader = named('v');
    const chain = async (key: number): Promise<string> => {
      await cache.get(key, { batchLoader });
      return cache.get(key * 10, { batchLoader });
    };

    expect(await Promise.all([chain(1), chain(2)])).toEqual(['v:10', 'v:20']);
    expect(batchLoader.mock.calls).toEqual([[[1, 2]], [[10, 20]]]);
    expect(clock.pending).toBe(0);
  });

  it('keeps to the options of the read', async () => {
    const { clock, cache } = bench();
    const batches = controlledBatches<number, string[]>();
    const leave = new AbortController();
    const batchLoader = batches.load;
    const late = errorOf(cache.get(1, { batchLoader, timeout: 50 }));
    const left = outcomeOf(cache.get(2, { batchLoader, signal: leave.signal }));
    const tagged = cache.get(3, { batchLoader, ttl: '1s', tags: ['t'] });
    leave.abort('left');
    await clock.advance(5);
    expect(batches.keys).toEqual([[1, 3]]);
    expect(await left).toEqual({ error: 'left' });
    await clock.advance(45);
    expect(await late).toBeInstanceOf(LoadTimeoutError);
    batches.sent[0]?.resolve(['one', 'three']);
    expect(await tagged).toBe('three');

    expect((await cache.getWithMeta(3)).ttlLeft).toBe(1_000);
    await cache.invalidateTags('t');
    expect([cache.peek(1), cache.has(3)]).toEqual(['one', false]);
  });

  it('loads anew with refresh, and refreshes behind stale values, in batches', async () => {
    const clock = fakeClock();
    const batcher = createBatcher({ clock });
    const cache = new AsyncCache<number, string>({
      clock,
      batcher,
      ttl: 1_000,
      staleWhileRevalidate: '1h',
    });
    await cache.setMany([1, 2, 3].map((key) => [key, 'old']));
    const batchLoader = named('v');
    const refreshed = cache.get(3, { batchLoader, refresh: true });
    await clock.advance(5);
    expect(await refreshed).toBe('v:3');
    await clock.advance(1_000);

    expect(await cache.get(1, { batchLoader })).toBe('old');
    expect(await cache.get(2, { batchLoader })).toBe('old');
    await clock.advance(5);
    expect(batchLoader.mock.calls).toEqual([[[3]], [[1, 2]]]);
    expect([cache.peek(1), cache.peek(2)]).toEqual(['v:1', 'v:2']);
  });

  it('refuses what is no batch function', () => {
    const { batcher } = bench();
    const context = {} as LoadContext<string>;
    const error = thrownBy(() => batcher.load(1, 5 as never, context));

    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch(/a batch function must be a function, got 5/);
  });

  it('makes the cache refuse one', async () => {
    const { cache } = bench();
    const error = await errorOf(cache.get(1, { batchLoader: 5 as never }));

    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
  });

  it.each([
    [{ window: '5 minutes' }],
    [{ window: -1 }],
    [{ maxBatchSize: 0 }],
    [{ maxBatchSize: 1.5 }],
    [null],
  ])('refuses options such as %p when it is made', (options) => {
    expect(thrownBy(() => createBatcher(options as never)).code).toBe('ERR_ACACHE_INVALID_OPTION');
  });

  it('has the window and the size of batchLoader, where nothing else is said', async () => {
    const { clock, cache } = bench();
    const batchLoader = named('v');
    const values = Array.from({ length: 101 }, (_, key) => cache.get(key, { batchLoader }));
    expect(batchLoader.mock.calls.map(([keys]) => keys.length)).toEqual([100]);
    await clock.advance(4);
    expect(batchLoader).toHaveBeenCalledTimes(1);
    await clock.advance(1);

    expect(batchLoader.mock.calls.map(([keys]) => keys.length)).toEqual([100, 1]);
    await Promise.all(values);
  });

  it('leaves a key out that all have left when the cache is closed', async () => {
    const { clock, cache } = bench();
    const batchLoader = named('v');
    const value = errorOf(cache.get(1, { batchLoader }));
    await cache.close();
    await clock.advance(5);
    await nextTurn();

    expect((await value).code).toBe('ERR_ACACHE_CLOSED');
    expect(batchLoader).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });
});

describe('batchLoader in a cache without a batcher', () => {
  it('is refused', async () => {
    const cache = new AsyncCache<number, string>();
    const batchLoader = named('v');
    for (const read of [
      () => cache.get(1, { batchLoader }),
      () => cache.getWithMeta(1, { batchLoader }),
      () => cache.getMany([1], { batchLoader }),
    ]) {
      const error = await errorOf(read());
      expect(error.code).toBe('ERR_ACACHE_NO_BATCHER');
      expect(error.message).toMatch(/createBatcher\(\) of @acache\/batch/);
    }
    expect(batchLoader).not.toHaveBeenCalled();
  });

  it('is refused beside a loader, with one', async () => {
    const { cache } = bench();
    const both = { batchLoader: named('v'), loader: () => 'x' } as never;

    expect((await errorOf(cache.get(1, both))).code).toBe('ERR_ACACHE_INVALID_OPTION');
  });
});
