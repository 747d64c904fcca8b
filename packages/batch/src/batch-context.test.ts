import { AsyncCache, type LoadContext } from '@acache/core';
import { batchLoader } from './index.js';

describe('a batch loader that is called by hand', () => {
  const double = async (keys: readonly number[]) => keys.map((key) => key * 2);

  it('loads without a context', async () => {
    const load = batchLoader(double, { window: 0 }) as (key: number) => Promise<number>;
    expect(await Promise.all([load(1), load(2)])).toEqual([2, 4]);
  });

  it.each([
    ['an empty context', {}],
    ['a context whose signal is null', { signal: null }],
    ['an index, as from ids.map(load)', 0],
  ])('holds nobody up with %s', async (_, context) => {
    const load = batchLoader(double, { window: 0 });
    const innocent = new AsyncCache<number, number>().get(5, load);
    const byHand = Promise.resolve().then(() => load(1, context as unknown as LoadContext<number>));
    byHand.catch(() => undefined);
    const settled = await Promise.race([
      innocent,
      new Promise((resolve) => setImmediate(() => setImmediate(resolve, 'never'))),
    ]);
    expect(settled).toBe(10);
  });
});

describe('the waiters of a batch that came without a cache', () => {
  it('takes a context without a signal for none', async () => {
    const signals: boolean[] = [];
    const load = batchLoader(
      async (keys: readonly number[], { signal }) => {
        signals.push(signal.aborted);
        return keys.map(String);
      },
      { window: 0 },
    );
    const odd = load(1, { abandoned: true } as never);
    expect(await Promise.all([odd, load(2)])).toEqual(['1', '2']);
    expect(signals).toEqual([false]);
  });

  it('leaves no listener on a signal that lives longer', async () => {
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    const load = batchLoader(
      async (keys: readonly number[], context) => {
        expect(context.signal.aborted).toBe(false);
        return keys.map(String);
      },
      { window: 0 },
    );
    await Promise.all([1, 2, 3].map((key) => load(key, { signal } as never)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });
});
