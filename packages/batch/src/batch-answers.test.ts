import { runInNewContext } from 'node:vm';

import { AsyncCache, type BatchFunction } from '@acache/core';
import { batchLoader, createBatcher, DataLoader } from './index.js';

type Answer = BatchFunction<string, unknown>;

const ways = {
  batchLoader: (answer: Answer) => {
    const cache = new AsyncCache<string, unknown>();
    const load = batchLoader(answer, { window: 0 });
    return (key: string) => cache.get(key, load);
  },
  createBatcher: (answer: Answer) => {
    const cache = new AsyncCache<string, unknown>({ batcher: createBatcher({ window: 0 }) });
    return (key: string) => cache.get(key, { batchLoader: answer });
  },
  DataLoader: (answer: Answer) => {
    const loader = new DataLoader<string, unknown>(answer as never);
    return (key: string) => loader.load(key);
  },
  'DataLoader over a Cache': (answer: Answer) => {
    const cache = new AsyncCache<string, unknown>();
    const loader = new DataLoader<string, unknown>(answer as never, { cache });
    return (key: string) => loader.load(key);
  },
};

describe.each(Object.entries(ways))('a batch function that misbehaves (%s)', (_, way) => {
  const outcomes = async (answer: unknown) => {
    const get = way(answer as Answer);
    const settled = await Promise.allSettled([get('a'), get('b')]);
    return settled.map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error | undefined)?.message,
    );
  };
  const valuesOf = (keys: readonly string[]) => keys.map((key) => `value ${key}`);

  it('is heard once when it calls back twice', async () => {
    const twice = (keys: readonly string[]) => ({
      then(resolve: (values: unknown) => void) {
        resolve(valuesOf(keys));
        resolve(['other', 'values']);
        throw new Error('too late');
      },
    });
    expect(await outcomes(twice)).toEqual(['value a', 'value b']);
  });

  it('fails its callers when its thenable throws', async () => {
    const throwing = () => ({
      get then(): never {
        throw new Error('no then');
      },
    });
    expect(await outcomes(throwing)).toEqual(['no then', 'no then']);
  });

  it('fails one key alone whose result cannot be read', async () => {
    const trapped = async (keys: readonly string[]) =>
      Object.defineProperty(valuesOf(keys), 1, {
        get: () => {
          throw new Error('cannot be read');
        },
      });
    expect(await outcomes(trapped)).toEqual(['value a', 'cannot be read']);
  });

  it('fails one key alone whose result is a revoked proxy', async () => {
    const revoked = async (keys: readonly string[]) => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return [proxy, ...valuesOf(keys).slice(1)];
    };
    expect((await outcomes(revoked))[1]).toBe('value b');
  });

  it('is not believed when it changes its answer afterwards', async () => {
    const changing = async (keys: readonly string[]) => {
      const values = valuesOf(keys);
      void (async () => {
        for (let turns = 0; turns < 3; turns++) await Promise.resolve();
        values.fill('changed');
      })();
      return values;
    };
    expect(await outcomes(changing)).toEqual(['value a', 'value b']);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'ab'],
    ['a Set', new Set(['a', 'b'])],
    ['an Error', new Error('as an answer')],
    [
      'an instance of a class',
      new (class Rows {
        rows = 2;
      })(),
    ],
  ])('is refused when it answers with %s', async (_name, answer) => {
    const get = way((() => Promise.resolve(answer)) as unknown as Answer);
    await expect(get('a')).rejects.toMatchObject({ code: 'ERR_ACACHE_BATCH_RESULT' });
  });

  it('may answer with collections of another realm', async () => {
    const map = runInNewContext('new Map([["a", 1], ["b", 2]])') as Map<string, number>;
    expect(await outcomes(() => Promise.resolve(map))).toEqual([1, 2]);
  });

  it('fails a key by an Error of another realm, as vm and jest have them', async () => {
    const foreign = runInNewContext('new Error("of another realm")') as Error;
    expect(await outcomes(async () => [foreign, 'value b'])).toEqual([
      'of another realm',
      'value b',
    ]);
  });

  it('holds up the sibling of no key whose own result never settles', async () => {
    const get = way(async () => [new Promise(() => undefined), 'value b']);
    void get('a');
    expect(await get('b')).toBe('value b');
  });
});
