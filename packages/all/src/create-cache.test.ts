import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncCache, InvalidOptionError, type Persistence, type Tier } from '@acache/core';
import { fakeClock, memoryPersistence, memoryTier } from '@acache/core/testing';
import { createCache, type CreateCacheOptions } from './create-cache.js';

describe('createCache', () => {
  it('makes an AsyncCache with the options of one', async () => {
    const clock = fakeClock();
    const cache = createCache<string, number>({ name: 'users', ttl: '1s', clock });
    expect(cache).toBeInstanceOf(AsyncCache);
    expect(cache.name).toBe('users');
    await cache.set('a', 1);
    await clock.advance(1000);
    expect(cache.peek('a')).toBeUndefined();
  });

  it('batches by default', async () => {
    const cache = createCache<number, string>();
    const batches: number[][] = [];
    const batchLoader = (keys: readonly number[]) => {
      batches.push([...keys]);
      return Promise.resolve(keys.map((key) => `user ${key}`));
    };
    expect(await Promise.all([1, 2, 1].map((key) => cache.get(key, { batchLoader })))).toEqual([
      'user 1',
      'user 2',
      'user 1',
    ]);
    expect(batches).toEqual([[1, 2]]);
  });

  it('batches as it is told', async () => {
    const cache = createCache<number, number>({ batch: { maxBatchSize: 2, window: 0 } });
    const sizes: number[] = [];
    const batchLoader = (keys: readonly number[]) => {
      sizes.push(keys.length);
      return Promise.resolve([...keys]);
    };
    await Promise.all([1, 2, 3].map((key) => cache.get(key, { batchLoader })));
    expect(sizes).toEqual([2, 1]);
  });

  it.each([
    { how: 'a path', persist: (path: string) => path },
    { how: 'a path with options', persist: (path: string) => ({ path, flushInterval: 50 }) },
  ])('comes back from a file, given $how', async ({ persist }) => {
    const folder = await mkdtemp(join(tmpdir(), 'acache-all-'));
    try {
      const path = join(folder, 'cache');
      const first = createCache<string, string>({ persist: persist(path) });
      await first.set('k', 'kept');
      await first.close();
      const second = createCache<string, string>({ persist: persist(path) });
      expect(await second.get('k')).toBe('kept');
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('takes a part that is undefined as one that is not named', async () => {
    const none = { redis: undefined, persist: undefined, batch: undefined };
    const parts = { tier: memoryTier(), persistence: memoryPersistence() };
    for (const options of [none, { ...none, ...parts }]) {
      const cache = createCache<number, number>({ name: 'c', ...options });
      const batchLoader = (keys: readonly number[]) => Promise.resolve(keys.map((key) => 2 * key));
      expect(await cache.get(1, { batchLoader })).toBe(2);
      await cache.close();
    }
  });

  it('takes parts that were made elsewhere', async () => {
    const persistence = memoryPersistence();
    const cache = createCache<string, string>({ name: 'c', tier: memoryTier(), persistence });
    await cache.set('k', 'v');
    expect(await cache.get('k')).toBe('v');
    await cache.close();
  });

  const tier = {} as Tier;
  const persistence = {} as Persistence;
  it.each<[string, unknown]>([
    ['the options of createCache must be an object, got null', null],
    ['redis and tier say the same', { redis: 'redis://localhost', tier }],
    ['persist and persistence say the same', { persist: './file', persistence }],
    ['batch and batcher say the same', { batch: {}, batcher: {} }],
    ['persist must be the path of a file or { path, …options }, got 1', { persist: 1 }],
    ['persist must be the path of a file or { path, …options }, got an object', { persist: {} }],
    ['flushInterval', { persist: { path: './file', flushInterval: -1 } }],
    ['commandTimeout', { name: 'c', redis: { client: 'redis://localhost', commandTimeout: 'x' } }],
    ['name is required with a tier', { redis: 'redis://localhost' }],
    ['redis must', { name: 'c', redis: null }],
    ['redis must', { name: 'c', redis: { client: undefined } }],
    ['path must be the name of a file', { persist: '' }],
    ['persist must', { persist: null }],
    ['the options of batches must be an object', { batch: null }],
    ['maxBatchSize', { batch: { maxBatchSize: 1.5 } }],
    ['window', { batch: { window: -1 } }],
    ['maxSize', { maxSize: -1 }],
  ])('says what is wrong: %s', (message, options) => {
    const make = () => createCache(options as CreateCacheOptions);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
  });
});
