import { AsyncCache } from '@acache/core';
import { DataLoader } from './index.js';

const echo = async (keys: readonly number[]) => keys.map((key) => `value ${key}`);

describe('a DataLoader in programs written for dataloader', () => {
  it('has methods that map() can be given', async () => {
    const loader = new DataLoader(echo);
    // eslint-disable-next-line @typescript-eslint/unbound-method -- map() binds it
    expect(await Promise.all([1, 2].map(loader.load, loader))).toEqual(['value 1', 'value 2']);
    expect(await loader.load.bind(loader)(3)).toBe('value 3');
  });

  it('works behind a Proxy', async () => {
    const calls: PropertyKey[] = [];
    const traced = new Proxy(new DataLoader(echo), {
      get(target, property, receiver) {
        calls.push(property);
        return Reflect.get(target, property, receiver) as unknown;
      },
    });
    expect(await traced.load(1)).toBe('value 1');
    expect(calls).toContain('load');
  });

  it('works as a prototype of an object that overlays it', async () => {
    const overlay = Object.create(new DataLoader(echo)) as DataLoader<number, string>;
    expect(await overlay.load(1)).toBe('value 1');
  });

  it('is wrapped by assigning to load, and loadMany goes through the wrapper', async () => {
    const loader = new DataLoader(echo);
    const original = loader.load.bind(loader);
    const seen: number[] = [];
    loader.load = (key) => {
      seen.push(key);
      return original(key);
    };
    await loader.loadMany([1, 2]);
    expect(seen).toEqual([1, 2]);
  });

  it('is extended by a class that reads its fields in the batch function', async () => {
    class UserLoader extends DataLoader<number, string | null> {
      constructor(private readonly rows: ReadonlyMap<number, string>) {
        super(async (ids) => ids.map((id) => this.rows.get(id) ?? null));
      }
    }
    const users = new UserLoader(new Map([[1, 'Ann']]));
    expect(await users.loadMany([1, 2])).toEqual(['Ann', null]);
  });

  it('primes another loader from within a batch', async () => {
    const byId = new DataLoader<number, { id: number; name: string }>(() =>
      Promise.reject(new Error('must be primed')),
    );
    const byName = new DataLoader(async (names: readonly string[]) =>
      names.map((name, id) => {
        const user = { id, name };
        byId.prime(id, user);
        return user;
      }),
    );
    const ann = await byName.load('Ann');
    expect(await byId.load(0)).toBe(ann);
  });
});

describe('a list loaded under the signal of one request', () => {
  const countingSignal = () => {
    const controller = new AbortController();
    let now = 0;
    let most = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      most = Math.max(most, ++now);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      now--;
      remove(...args);
    };
    return { signal, most: () => most };
  };
  const ids = Array.from({ length: 40 }, (_, id) => id);
  const loaders = {
    'of a DataLoader': () => new DataLoader(echo),
    'of a DataLoader over a Cache': () =>
      new DataLoader(echo, { cache: new AsyncCache<number, string>() }),
  };

  it.each(Object.entries(loaders))(
    '%s adds few enough listeners that Node warns of no leak',
    async (_, loaderOf) => {
      const { signal, most } = countingSignal();
      await loaderOf().loadMany(ids, { signal });
      expect(most()).toBeLessThanOrEqual(10);
    },
  );
});
