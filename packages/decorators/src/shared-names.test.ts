import { AsyncCache } from '@acache/core';
import { cached, invalidates } from './index.js';

describe('two classes of one name on a shared cache', () => {
  it('never see values of each other, and calls reject instead of throwing', async () => {
    const cache = new AsyncCache();
    const make = (value: string) =>
      class User {
        @cached({ cache, scope: 'class' })
        async find(): Promise<string> {
          return value;
        }
      };
    expect(await new (make('first'))().find()).toBe('first');

    const other = new (make('other'))();
    let call: Promise<string> | undefined;
    expect(() => (call = other.find())).not.toThrow();
    expect(await call?.catch((error: unknown) => (error as { code: string }).code)).not.toBe(
      'first',
    );
  });

  it('are told apart by instance without a name', async () => {
    const cache = new AsyncCache();
    const make = (value: string) =>
      class User {
        @cached({ cache })
        async find(): Promise<string> {
          return value;
        }
      };
    expect(await new (make('first'))().find()).toBe('first');
    expect(await new (make('other'))().find()).toBe('other');
  });
});

describe('two functions on a shared cache', () => {
  it('each count what is theirs', async () => {
    const cache = new AsyncCache<unknown, unknown>();
    const one = cached({ cache, name: 'one' })(async (x: number) => x);
    const two = cached({ cache, name: 'two' })(async (x: number) => x);
    await Promise.all([one(1), one(2), two(1)]);
    expect([one.getMetrics().loads, two.getMetrics().loads]).toEqual([2, 1]);
    expect([one.getMetrics().misses, two.getMetrics().misses]).toEqual([2, 1]);

    await one.clearCache();
    expect([one.getMetrics().loads, two.getMetrics().loads]).toEqual([0, 1]);
  });

  it('leave each other and the rest of the cache alone when one is cleared', async () => {
    const cache = new AsyncCache<unknown, unknown>();
    let loads = 0;
    const one = cached({ cache, name: 'one', key: (x: number) => `one:${x}` })(
      async (_: number) => ++loads,
    );
    const two = cached({ cache, name: 'two' })(async () => ++loads);
    await one(1);
    await two();
    await cache.set('one:9', 'set by hand');
    await one.clearCache();
    expect(cache.has('one:1')).toBe(false);
    expect(cache.has('one:9')).toBe(true);
    expect(await two()).toBe(2);
  });

  it('are told apart though a name of one looks like a key of the other', async () => {
    const cache = new AsyncCache();
    const one = cached({ cache, name: 'a|n1' })(async () => 'one');
    const two = cached({ cache, name: 'a' })(async (_: number) => 'two');
    const three = cached({ cache, name: 'a;' })(async () => 'three');
    expect(await one()).toBe('one');
    expect(await two(1)).toBe('two');
    expect(await three()).toBe('three');
  });
});

describe('a failure that errorTtl remembers', () => {
  it('is forgotten by invalidates with keys', async () => {
    let exists = false;
    const find = cached({ errorTtl: '1h', key: (id: number) => `remembered:${id}` })(async (
      id: number,
    ) => {
      if (!exists) throw new Error('not found');
      return id;
    });
    const create = invalidates({ keys: (id: number) => [`remembered:${id}`] })(async (
      _: number,
    ) => {
      exists = true;
    });
    await expect(find(1)).rejects.toThrow('not found');
    await create(1);
    expect(await find(1)).toBe(1);
  });

  it('is forgotten by invalidates with tags', async () => {
    let exists = false;
    const find = cached({ errorTtl: '1h', tags: (id: number) => [`remembered:${id}`] })(async (
      id: number,
    ) => {
      if (!exists) throw new Error('not found');
      return id;
    });
    const create = invalidates({ tags: (id: number) => [`remembered:${id}`] })(async (
      _: number,
    ) => {
      exists = true;
    });
    await expect(find(1)).rejects.toThrow('not found');
    await create(1);
    expect(await find(1)).toBe(1);
  });

  it('is forgotten by refresh, invalidateCache and clearCache', async () => {
    for (const forget of ['refresh', 'invalidateCache', 'clearCache'] as const) {
      let exists = false;
      const find = cached({ errorTtl: '1h' })(async () => {
        if (!exists) throw new Error('not found');
        return 1;
      });
      await expect(find()).rejects.toThrow('not found');
      exists = true;
      await find[forget]();
      expect(await find()).toBe(1);
    }
  });
});
