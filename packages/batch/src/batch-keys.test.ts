import { AsyncCache } from '@acache/core';
import { batchLoader, createBatcher, DataLoader } from './index.js';

interface Filter {
  q: string;
  page: number;
}

const rowsOf = async (filters: readonly Filter[]) => filters.map(({ page }) => `rows of ${page}`);

const ways = {
  batchLoader: (cache: AsyncCache<Filter, string>) => {
    const load = batchLoader(rowsOf, { window: 0 });
    return (filter: Filter) => cache.get(filter, load);
  },
  createBatcher: (cache: AsyncCache<Filter, string>) => (filter: Filter) =>
    cache.get(filter, { batchLoader: rowsOf }),
  'DataLoader over a Cache': (cache: AsyncCache<Filter, string>) => {
    const loader = new DataLoader<Filter, string>(rowsOf, { cache });
    return (filter: Filter) => loader.load(filter);
  },
};

describe.each(Object.entries(ways))('a key object that its caller goes on using (%s)', (_, way) => {
  const cacheOf = () =>
    new AsyncCache<Filter, string>({ batcher: createBatcher({ window: 0 }), maxSize: null });

  it('never keeps the value of another key', async () => {
    const cache = cacheOf();
    const get = way(cache);
    const filter = { q: 'x', page: 0 };
    const loads = [1, 2, 3].map((page) => {
      filter.page = page;
      return get(filter);
    });
    await Promise.allSettled(loads);
    for (const page of [1, 2, 3]) {
      expect([undefined, `rows of ${page}`]).toContain(cache.peek({ q: 'x', page }));
    }
  });

  it('never gives a caller the value of another key', async () => {
    const get = way(cacheOf());
    const filter = { q: 'x', page: 1 };
    const first = get(filter);
    filter.page = 2;
    const [outcome] = await Promise.allSettled([first]);
    expect(outcome).not.toEqual({ status: 'fulfilled', value: 'rows of 2' });
  });
});

describe('keys that are easily mixed up', () => {
  const keys = [NaN, 0, 1, '1', 1n, '1n', '', '\0', 'a\0b', true, 'true', 'undefined', Infinity];

  it('are loaded once each, with their own values', async () => {
    const batches: unknown[][] = [];
    const echo = async (asked: readonly unknown[]) => {
      batches.push([...asked]);
      return asked.map((key) => ({ key }));
    };
    const cache = new AsyncCache<unknown, { key: unknown }>();
    const load = batchLoader(echo, { window: 0 });
    const twice = [...keys, ...keys];
    const values = await Promise.all(twice.map((key) => cache.get(key, load)));
    expect(values.map(({ key }) => key)).toEqual(twice);
    expect(batches).toEqual([keys]);
  });

  it('are read from a record by own properties only', async () => {
    const cache = new AsyncCache<string, number>();
    const load = batchLoader(async (_: readonly string[]) => ({ length: 2 }), { window: 0 });
    const names = ['length', 'constructor', 'toString', '__proto__', 'hasOwnProperty'];
    expect(await Promise.all(names.map((name) => cache.get(name, load)))).toEqual([
      2,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a key that was deleted while its batch gathers', () => {
  it('is in the batch once when it is asked for again', async () => {
    const batches: string[][] = [];
    const cache = new AsyncCache<string, string>();
    const loader = new DataLoader<string, string>(
      async (keys) => {
        batches.push([...keys]);
        return keys;
      },
      { cache },
    );
    const first = loader.load('a');
    void cache.delete('a');
    await Promise.all([first, loader.load('a')]);
    expect(batches).toEqual([['a']]);
  });
});
