import { AsyncLocalStorage } from 'node:async_hooks';

import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { batchLoader, createBatcher, DataLoader } from './index.js';

type Load = (key: number, options?: { signal?: AbortSignal }) => Promise<number>;
type Query = (keys: readonly number[], context: { signal: AbortSignal }) => Promise<number[]>;

const ways: Record<string, (query: Query, size?: number) => Load> = {
  batchLoader: (query, maxBatchSize = 100) => {
    const cache = new AsyncCache<number, number>();
    const loader = batchLoader((keys: readonly number[], context) => query(keys, context), {
      window: 0,
      maxBatchSize,
    });
    return (key, options) => cache.get(key, { ...options, loader });
  },
  createBatcher: (query, maxBatchSize = 100) => {
    const cache = new AsyncCache<number, number>({
      batcher: createBatcher({ window: 0, maxBatchSize }),
    });
    const load = (keys: readonly number[], context: { signal: AbortSignal }) =>
      query(keys, context);
    return (key, options) => cache.get(key, { ...options, batchLoader: load });
  },
  DataLoader: (query, maxBatchSize = 100) => {
    const loader = new DataLoader<number, number>((keys, context) => query(keys, context), {
      maxBatchSize,
    });
    return (key, options) => loader.load(key, options);
  },
  'DataLoader over a Cache': (query, maxBatchSize = 100) => {
    const cache = new AsyncCache<number, number>();
    const loader = new DataLoader<number, number>((keys, context) => query(keys, context), {
      maxBatchSize,
      cache,
    });
    return (key, options) => loader.load(key, options);
  },
};

describe.each(Object.entries(ways))('loads in one turn of the event loop (%s)', (_, way) => {
  afterEach(() => jest.useRealTimers());

  it('go together from promise chains of any depth', async () => {
    const batches: number[][] = [];
    const load = way(async (keys) => {
      batches.push([...keys]);
      return [...keys];
    });
    const after = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      return load(turns);
    };
    await Promise.all([0, 1, 20, 300].map(after));
    expect(batches).toEqual([[0, 1, 20, 300]]);
  });

  it('are answered where a test has faked every timer and advances none', async () => {
    jest.useFakeTimers();
    const load = way(async (keys) => [...keys]);
    expect(await Promise.all([load(1), load(2)])).toEqual([1, 2]);
  });

  it('are answered when a test fakes timers while they gather', async () => {
    const load = way(async (keys) => [...keys]);
    const both = Promise.all([load(1), load(2)]);
    jest.useFakeTimers();
    expect(await both).toEqual([1, 2]);
  });

  it('fill two batches exactly, and begin a third', async () => {
    const batches: number[][] = [];
    const load = way(async (keys) => {
      batches.push([...keys]);
      return [...keys];
    }, 2);
    await Promise.all([1, 2, 3, 4, 1, 5].map((key) => load(key)));
    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('may be made by the batch function itself', async () => {
    const load: Load = way((keys) =>
      Promise.all(keys.map(async (key) => (key > 0 ? key + (await load(key - 2)) : 0))),
    );
    expect(await Promise.all([load(4), load(3)])).toEqual([6, 4]);
  });

  it('leave each caller its own async context', async () => {
    const storage = new AsyncLocalStorage<string>();
    const load = way(async (keys) => [...keys]);
    const callers = ['one', 'two'].map((name, key) =>
      storage.run(name, async () => {
        await load(key);
        return storage.getStore();
      }),
    );
    expect(await Promise.all(callers)).toEqual(['one', 'two']);
  });

  it('fire the signal of their batch once all have left, and load anew', async () => {
    const signals: AbortSignal[] = [];
    const load = way((keys, { signal }) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve([...keys]);
    });
    const [one, two] = [new AbortController(), new AbortController()];
    const left = Promise.allSettled([
      load(1, { signal: one.signal }),
      load(2, { signal: two.signal }),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    one.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    two.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await left;
    expect(await load(1)).toBe(1);
  });
});

describe('a window with a kept value in it', () => {
  it('does not begin earlier for it, nor hold it back', async () => {
    const clock = fakeClock();
    const loader = new DataLoader<number, number>(async (keys) => keys, { window: 100, clock });
    loader.prime(1, 1);
    expect(await loader.load(1)).toBe(1);
    await clock.advance(60);
    let settled = false;
    const second = loader.load(2).then(() => (settled = true));
    await clock.advance(99);
    expect(settled).toBe(false);
    await clock.advance(1);
    await second;
    expect(settled).toBe(true);
  });
});

describe('callers whose timeouts have all passed', () => {
  it('fire the signal of their batch', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock, timeout: 100 });
    let signal: AbortSignal | undefined;
    const load = batchLoader(
      (_: readonly number[], context) => {
        signal = context.signal;
        return new Promise<number[]>(() => undefined);
      },
      { clock, window: 5 },
    );
    const both = Promise.allSettled([cache.get(1, load), cache.get(2, load)]);
    await clock.advance(5);
    expect(signal?.aborted).toBe(false);
    await clock.advance(95);
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(signal?.aborted).toBe(true);
  });
});

describe('a cache that closes', () => {
  it.each(['gathers', 'runs'])('settles who waits for a batch that %s', async (phase) => {
    let calls = 0;
    const cache = new AsyncCache<number, number>();
    const load = batchLoader(
      () => {
        calls++;
        return new Promise<number[]>(() => undefined);
      },
      { window: 0 },
    );
    const waiting = cache.get(1, load);
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    if (phase === 'runs') await new Promise((resolve) => setImmediate(resolve));
    await cache.close();
    await outcome;
    expect(calls).toBe(phase === 'runs' ? 1 : 0);
  });
});
