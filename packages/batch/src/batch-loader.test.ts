import {
  AsyncCache,
  CacheError,
  LoadTimeoutError,
  type LoadContext,
  type Loader,
} from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { controlledBatches } from '../test/controlled-batches.js';
import { deferred, nextTurn } from '../test/deferred.js';
import { errorOf, failOnUnhandledRejections, outcomeOf, thrownBy } from '../test/outcome.js';
import { batchLoader, type BatchOptions } from './index.js';

failOnUnhandledRejections();

/** A cache, and a batch loader on its clock that answers `v:<key>` and notes the keys it is asked for. */
function bench<K = number>(options?: BatchOptions) {
  const clock = fakeClock();
  const cache = new AsyncCache<K, string>({ clock });
  const batches: (readonly K[])[] = [];
  const load = batchLoader<K, string>(
    async (keys) => {
      batches.push([...keys]);
      return keys.map((key) => `v:${JSON.stringify(key)}`);
    },
    { clock, ...options },
  );
  return { clock, cache, batches, get: (key: K) => cache.get(key, load) };
}

/** The same with batches that the test settles. */
function controlled<V = string>(options?: BatchOptions) {
  const clock = fakeClock();
  const cache = new AsyncCache<number, V>({ clock });
  const { sent, keys, load: answer } = controlledBatches<number, readonly (V | Error)[]>();
  const load = batchLoader<number, V>(answer, { clock, ...options });
  return { clock, cache, load, sent, keys, get: (key: number) => cache.get(key, load) };
}

describe('batchLoader', () => {
  it('loads what is asked for within its window in one call', async () => {
    const { clock, batches, get } = bench();
    const values = [get(1)];
    await clock.advance(4);
    values.push(get(2));
    expect(batches).toEqual([]);
    expect(clock.pending).toBe(1);
    await clock.advance(1);

    expect(batches).toEqual([[1, 2]]);
    expect(await Promise.all(values)).toEqual(['v:1', 'v:2']);
    expect(clock.pending).toBe(0);
  });

  it('begins a window with the first key after the last one ended', async () => {
    const { clock, batches, get } = bench({ window: '10ms' });
    const first = get(1);
    await clock.advance(100);
    expect(batches).toEqual([[1]]);
    const second = get(2);
    await clock.advance(9);
    expect(batches).toHaveLength(1);
    await clock.advance(1);

    expect(batches).toEqual([[1], [2]]);
    await Promise.all([first, second]);
  });

  it('sends a full batch at once, and leaves no timer of it', async () => {
    const { clock, batches, get } = bench({ maxBatchSize: 2 });
    const values = [get(1), get(2)];
    expect(batches).toEqual([[1, 2]]);
    expect(clock.pending).toBe(0);
    values.push(get(3));
    expect(clock.pending).toBe(1);
    await clock.advance(5);

    expect(batches).toEqual([[1, 2], [3]]);
    expect(await Promise.all(values)).toEqual(['v:1', 'v:2', 'v:3']);
  });

  it('holds 100 keys, where nothing else is said', async () => {
    const { clock, batches, get } = bench();
    const values = Array.from({ length: 101 }, (_, key) => get(key));
    expect(batches.map((keys) => keys.length)).toEqual([100]);
    await clock.advance(5);

    expect(batches.map((keys) => keys.length)).toEqual([100, 1]);
    await Promise.all(values);
  });

  it('may have no bound', async () => {
    const { clock, batches, get } = bench({ maxBatchSize: Infinity });
    const values = Array.from({ length: 1_000 }, (_, key) => get(key));
    await clock.advance(5);

    expect(batches.map((keys) => keys.length)).toEqual([1_000]);
    await Promise.all(values);
  });

  it('of one key each waits for none', async () => {
    const { clock, batches, get } = bench({ maxBatchSize: 1 });
    const values = [get(1), get(2)];

    expect(batches).toEqual([[1], [2]]);
    expect(clock.pending).toBe(0);
    await Promise.all(values);
  });

  it('with a window of 0 gathers until the promise callbacks of the turn are through', async () => {
    const { clock, batches, get } = bench({ window: 0 });
    const late = async (): Promise<string> => {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      return get(2);
    };
    const values = [get(1), late()];
    await nextTurn();
    expect(batches).toEqual([[1, 2]]);
    expect(clock.pending).toBe(0);
    values.push(get(3));

    expect(await Promise.all(values)).toEqual(['v:1', 'v:2', 'v:3']);
    expect(batches).toEqual([[1, 2], [3]]);
  });

  it('with a window of 0 sends a full batch at once, and not again', async () => {
    const { batches, get } = bench({ window: 0, maxBatchSize: 2 });
    const values = [get(1), get(2)];
    expect(batches).toEqual([[1, 2]]);
    values.push(get(3));
    await Promise.all(values);

    expect(batches).toEqual([[1, 2], [3]]);
  });

  it('keeps loads of different batch functions apart', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const load = jest.fn(async (keys: readonly string[]) => keys.map((key) => `v:${key}`));
    const other = jest.fn(async (keys: readonly string[]) => keys.map((key) => `o:${key}`));
    const [one, two, three] = [load, load, other].map((each) => batchLoader(each, { clock }));
    const values = Promise.all([
      cache.get('a', one as NonNullable<typeof one>),
      cache.get('b', two as NonNullable<typeof two>),
      cache.get('c', three as NonNullable<typeof three>),
    ]);
    await clock.advance(5);

    expect(await values).toEqual(['v:a', 'v:b', 'o:c']);
    // What batchLoader made of one function twice are two loaders.
    expect(load.mock.calls).toEqual([[['a']], [['b']]]);
    expect(other.mock.calls).toEqual([[['c']]]);
  });

  it('serves several caches in one batch', async () => {
    const clock = fakeClock();
    const { load, sent } = controlled({ clock });
    const caches = [new AsyncCache<number, string>(), new AsyncCache<number, string>()];
    const values = Promise.all([
      caches[0]?.get(1, load),
      caches[1]?.get(1, load),
      caches[1]?.get(2, load),
    ]);
    await clock.advance(5);
    expect(sent.map(({ keys }) => keys)).toEqual([[1, 2]]);
    sent[0]?.resolve(['one', 'two']);

    expect(await values).toEqual(['one', 'one', 'two']);
    expect(caches.map((cache) => cache.size)).toEqual([1, 2]);
  });

  it('needs no cache', async () => {
    const clock = fakeClock();
    const { load, sent } = controlled({ clock });
    const { signal } = new AbortController();
    const context = { signal } as LoadContext<string>;
    const values = [1, 2, 1].map(async (key) => load(key, context));
    await clock.advance(5);
    sent[0]?.resolve(['one', 'two']);

    expect(await Promise.all(values)).toEqual(['one', 'two', 'one']);
    expect(sent[0]?.keys).toEqual([1, 2]);
  });

  it('takes the platform’s clock, where none is given', async () => {
    const load = batchLoader(async (keys: readonly number[]) => keys, { window: 1 });
    const cache = new AsyncCache<number, number>();

    expect(await Promise.all([cache.get(1, load), cache.get(2, load)])).toEqual([1, 2]);
  });

  it('may load other keys of its own while it loads', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock });
    const batches: (readonly number[])[] = [];
    const load: Loader<number, string> = batchLoader(
      async (keys) => {
        batches.push(keys);
        if (keys[0] !== 1) return keys.map(String);
        return [`1 and ${await cache.get(2, load)}`];
      },
      { clock },
    );
    const value = cache.get(1, load);
    await clock.advance(5);
    await clock.advance(5);

    expect(await value).toBe('1 and 2');
    expect(batches).toEqual([[1], [2]]);
  });
});

describe('a key that is asked for twice', () => {
  it('is in a batch once', async () => {
    const clock = fakeClock();
    const { load, sent } = controlled({ clock });
    const caches = Array.from({ length: 3 }, () => new AsyncCache<number, string>());
    const values = Promise.all(caches.map((cache) => cache.get(1, load)));
    await clock.advance(5);
    sent[0]?.resolve(['one']);

    expect(sent[0]?.keys).toEqual([1]);
    expect(await values).toEqual(['one', 'one', 'one']);
  });

  it('is one key as in a cache: objects by value, 1 and "1" apart', async () => {
    const clock = fakeClock();
    const batches: (readonly unknown[])[] = [];
    const load = batchLoader<unknown, number>(
      async (keys) => {
        batches.push(keys);
        return keys.map((_, place) => place);
      },
      { clock },
    );
    const { signal } = new AbortController();
    const context = { signal } as LoadContext<number>;
    const keys = [{ a: 1, b: 2 }, { b: 2, a: 1 }, ['u', 1], ['u', 1], 1, '1', NaN, NaN, 0, -0];
    const values = Promise.all(keys.map(async (key) => load(key, context)));
    await clock.advance(5);

    expect(await values).toEqual([0, 0, 1, 1, 2, 3, 4, 4, 5, 5]);
    expect(batches).toEqual([[{ a: 1, b: 2 }, ['u', 1], 1, '1', NaN, 0]]);
  });

  it('counts once for maxBatchSize', async () => {
    const clock = fakeClock();
    const { load, sent } = controlled({ clock, maxBatchSize: 2 });
    const caches = Array.from({ length: 3 }, () => new AsyncCache<number, string>());
    const values = Promise.all(caches.map((cache) => cache.get(1, load)));
    expect(sent).toEqual([]);
    await clock.advance(5);
    sent[0]?.resolve(['one']);

    await values;
  });

  it('after its batch went is in the next one', async () => {
    const { clock, cache, load, sent, keys } = controlled();
    const first = cache.get(1, load);
    await clock.advance(5);
    await cache.delete(1);
    const second = cache.get(1, load);
    await clock.advance(5);
    sent[0]?.resolve(['old']);
    sent[1]?.resolve(['new']);

    expect([await first, await second]).toEqual(['old', 'new']);
    expect(keys).toEqual([[1], [1]]);
    expect(cache.peek(1)).toBe('new');
  });

  it('and has no text is refused alone', async () => {
    const { clock, batches, get } = bench<unknown>();
    const refused = errorOf(get({ key: () => 1 }));
    const value = get(1);
    await clock.advance(5);

    expect((await refused).code).toBe('ERR_ACACHE_UNKEYABLE');
    expect(await value).toBe('v:1');
    expect(batches).toEqual([[1]]);
  });

  it('and has no text is refused alone without a cache, too', async () => {
    const { load, clock, sent } = controlled();
    const context = { signal: new AbortController().signal } as LoadContext<string>;
    const loads = [load((() => 1) as never, context), load(1, context)] as Promise<string>[];
    const refused = errorOf(loads[0] as Promise<string>);
    await clock.advance(5);
    sent[0]?.resolve(['one']);

    expect((await refused).code).toBe('ERR_ACACHE_UNKEYABLE');
    expect(await loads[1]).toBe('one');
  });
});

describe('what a batch function may answer', () => {
  const ask = async (results: unknown, keys: readonly unknown[] = ['a', 'b']) => {
    const clock = fakeClock();
    const cache = new AsyncCache<unknown, unknown>({ clock });
    const load = batchLoader<unknown, unknown>(() => results as never, { clock });
    const values = keys.map((key) => outcomeOf(cache.get(key, load)));
    await clock.advance(5);
    return { cache, values: await Promise.all(values) };
  };

  it('an array, in the order of the keys', async () => {
    const { cache, values } = await ask(Promise.resolve(['A', 'B']));

    expect(values).toEqual(['A', 'B']);
    expect([cache.peek('a'), cache.peek('b')]).toEqual(['A', 'B']);
  });

  it('a Map; a key that is missing is undefined', async () => {
    const results = new Map([
      ['b', 'B'],
      ['z', 'Z'],
    ]);

    expect((await ask(Promise.resolve(results))).values).toEqual([undefined, 'B']);
  });

  it('a Map by value, for keys that are objects', async () => {
    const results = new Map<unknown, string>([
      [{ id: 2 }, 'two'],
      [['u', 1], 'user'],
    ]);

    expect((await ask(results, [['u', 1], { id: 2 }, { id: 3 }])).values).toEqual([
      'user',
      'two',
      undefined,
    ]);
  });

  it('a record; a key that is missing is undefined', async () => {
    expect((await ask({ b: 'B', 7: 'seven' }, ['a', 'b', 7, 'constructor'])).values).toEqual([
      undefined,
      'B',
      'seven',
      undefined,
    ]);
  });

  it('any of them without a promise, or by any thenable', async () => {
    const thenable = { then: (resolve: (results: string[]) => void) => resolve(['A', 'B']) };

    expect((await ask(['A', 'B'])).values).toEqual(['A', 'B']);
    expect((await ask(thenable)).values).toEqual(['A', 'B']);
  });

  it('an Error for one key: it rejects that key alone, and is not cached', async () => {
    const error = new Error('no a');
    for (const results of [
      [error, 'B'],
      new Map<string, unknown>([
        ['a', error],
        ['b', 'B'],
      ]),
      { a: error, b: 'B' },
    ]) {
      const { cache, values } = await ask(Promise.resolve(results));

      expect(values).toEqual([{ error }, 'B']);
      expect([cache.has('a'), cache.peek('b')]).toEqual([false, 'B']);
    }
  });

  it('no array of another length: every caller is told', async () => {
    for (const results of [[], ['A'], ['A', 'B', 'C']]) {
      const { cache, values } = await ask(Promise.resolve(results));
      const [first, second] = values as { error: CacheError }[];

      expect(first?.error).toBeInstanceOf(CacheError);
      expect(first?.error.code).toBe('ERR_ACACHE_BATCH_LENGTH');
      expect(first?.error.message).toMatch(`expected 2, got ${results.length}`);
      expect(second?.error).toBe(first?.error);
      expect(cache.size).toBe(0);
    }
  });

  it.each([undefined, null, 5, 'ab', () => []])('no %p: every caller is told', async (results) => {
    const { cache, values } = await ask(Promise.resolve(results));
    const [first, second] = values as { error: CacheError }[];

    expect(first?.error.code).toBe('ERR_ACACHE_BATCH_RESULT');
    expect(second?.error).toBe(first?.error);
    expect(cache.size).toBe(0);
  });

  it('no record for keys that are objects', async () => {
    const { values } = await ask({ a: 'A' }, [{ id: 1 }]);

    expect(values).toEqual([
      { error: expect.objectContaining({ code: 'ERR_ACACHE_BATCH_RESULT' }) },
    ]);
  });
});

describe('a batch function that fails', () => {
  it('rejects every caller of its batch with just that, and no other batch', async () => {
    const { clock, cache, sent, get } = controlled({ maxBatchSize: 2 });
    const failed = [outcomeOf(get(1)), outcomeOf(get(2))];
    const fine = [get(3), get(4)];
    const error = new Error('down');
    sent[0]?.reject(error);
    sent[1]?.resolve(['three', 'four']);

    expect(await Promise.all(failed)).toEqual([{ error }, { error }]);
    expect(((await failed[0]) as { error: unknown }).error).toBe(error);
    expect(((await failed[1]) as { error: unknown }).error).toBe(error);
    expect(await Promise.all(fine)).toEqual(['three', 'four']);
    expect(cache.has(1)).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('by throwing at once does so, too: within the load of the last key', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock });
    const error = new Error('at once');
    const load = batchLoader<number, string>(
      () => {
        throw error;
      },
      { clock, maxBatchSize: 2 },
    );
    const loads = [errorOf(cache.get(1, load)), errorOf(cache.get(2, load))];

    expect(await Promise.all(loads)).toEqual([error, error]);
    expect(clock.pending).toBe(0);
  });

  it('may fail with anything', async () => {
    const clock = fakeClock();
    for (const reason of [undefined, null, 'text', 0]) {
      const load = batchLoader<number, string>(() => Promise.reject(reason), { clock });
      const value = outcomeOf(new AsyncCache<number, string>().get(1, load));
      await clock.advance(5);

      expect(await value).toEqual({ error: reason });
    }
  });

  it('is called anew by the next who asks', async () => {
    const { clock, sent, get } = controlled();
    const first = errorOf(get(1));
    await clock.advance(5);
    sent[0]?.reject(new Error('down'));
    await first;
    const second = get(1);
    await clock.advance(5);
    sent[1]?.resolve(['up']);

    expect(await second).toBe('up');
  });

  it('by sorting its keys in place is told so', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock });
    const load = batchLoader<number, number>(async (keys) => (keys as number[]).sort(), { clock });
    const loads = [errorOf(cache.get(2, load)), errorOf(cache.get(1, load))];
    await clock.advance(5);

    expect(await loads[0]).toBeInstanceOf(TypeError);
    expect(await loads[1]).toBe(await loads[0]);
  });
});

describe('a batch function that never settles', () => {
  it('does not keep callers from their timeout or their signal', async () => {
    const { clock, cache, load, sent } = controlled();
    const leave = new AbortController();
    const loads = [
      outcomeOf(cache.get(1, { loader: load, timeout: 50 })),
      outcomeOf(cache.get(2, { loader: load, signal: leave.signal })),
      cache.get(3, load),
    ] as const;
    await clock.advance(5);
    expect(sent).toHaveLength(1);
    leave.abort('left');
    const late = errorOf(cache.get(1, { loader: load, timeout: 45 }));
    await clock.advance(45);

    expect(await late).toBeInstanceOf(LoadTimeoutError);
    expect(await outcomeOf(loads[2])).toBe('pending');
    sent[0]?.resolve(['one', 'two', 'three']);
    expect(await loads[2]).toBe('three');
  });

  it('tells who waits of its timeout', async () => {
    const { clock, cache, load } = controlled();
    const value = errorOf(cache.get(1, { loader: load, timeout: 50 }));
    await clock.advance(50);

    expect(await value).toBeInstanceOf(LoadTimeoutError);
    expect(clock.pending).toBe(0);
  });

  it('holds up no later batch', async () => {
    const { clock, sent, get } = controlled();
    const hanging = get(1);
    await clock.advance(5);
    const later = get(2);
    await clock.advance(5);
    sent[1]?.resolve(['two']);

    expect(await later).toBe('two');
    expect(await outcomeOf(hanging)).toBe('pending');
  });
});

describe('callers who leave', () => {
  it('before the batch goes: their key is not sent', async () => {
    const { clock, cache, load, sent, keys } = controlled();
    const leave = new AbortController();
    const left = [1, 2].map((key) =>
      outcomeOf(cache.get(key, { loader: load, signal: leave.signal })),
    );
    const staying = [cache.get(2, load), cache.get(3, load)];
    leave.abort('left');
    expect(await Promise.all(left)).toEqual([{ error: 'left' }, { error: 'left' }]);
    await clock.advance(5);
    expect(keys).toEqual([[2, 3]]);
    sent[0]?.resolve(['two', 'three']);

    expect(await Promise.all(staying)).toEqual(['two', 'three']);
    expect(cache.size).toBe(2);
  });

  it('before the batch goes: the function is not called when no key is left', async () => {
    const { clock, cache, load, sent } = controlled();
    const leave = new AbortController();
    const left = outcomeOf(cache.get(1, { loader: load, signal: leave.signal }));
    leave.abort('left');
    await left;
    await clock.advance(5);

    expect(sent).toEqual([]);
    expect(clock.pending).toBe(0);
    const again = cache.get(1, load);
    await clock.advance(5);
    sent[0]?.resolve(['one']);
    expect(await again).toBe('one');
  });

  it('before the batch goes: who asks afterwards is in it', async () => {
    const { clock, cache, load, sent, keys } = controlled();
    const leave = new AbortController();
    const left = outcomeOf(cache.get(1, { loader: load, signal: leave.signal }));
    const other = cache.get(2, load);
    leave.abort('left');
    await left;
    const again = cache.get(1, load);
    await clock.advance(5);
    expect(keys).toEqual([[1, 2]]);
    sent[0]?.resolve(['one', 'two']);

    expect(await Promise.all([again, other])).toEqual(['one', 'two']);
  });

  it('before the batch goes: a key counts as sent for its size', async () => {
    const { cache, load, sent, keys } = controlled({ maxBatchSize: 2 });
    const leave = new AbortController();
    const left = outcomeOf(cache.get(1, { loader: load, signal: leave.signal }));
    leave.abort('left');
    await left;
    const staying = cache.get(2, load);
    expect(keys).toEqual([[2]]);
    sent[0]?.resolve(['two']);

    expect(await staying).toBe('two');
  });

  it('before the batch goes, without a cache: what is left of them rejects', async () => {
    const { clock, load, sent } = controlled();
    const reason = new Error('gone');
    const late = new AbortController();
    const loads = [reason, 'text'].map((why, key) =>
      errorOf(load(key, { signal: AbortSignal.abort(why) } as LoadContext<string>)),
    );
    const staying = load(2, { signal: late.signal } as LoadContext<string>);
    await clock.advance(5);
    sent[0]?.resolve(['two']);

    expect(await loads[0]).toBe(reason);
    expect(await loads[1]).toMatchObject({ code: 'ERR_ACACHE_ABORTED', cause: 'text' });
    expect(await staying).toBe('two');
    expect(sent[0]?.keys).toEqual([2]);
  });

  it('at their timeout before the batch goes do not lose the load for later ones', async () => {
    const { clock, cache, load, sent, keys } = controlled();
    const early = errorOf(cache.get(1, { loader: load, timeout: 3 }));
    await clock.advance(3);
    expect(await early).toBeInstanceOf(LoadTimeoutError);
    const late = cache.get(1, load);
    await clock.advance(2);
    expect(keys).toEqual([[1]]);
    sent[0]?.resolve(['one']);

    expect(await late).toBe('one');
    expect(cache.peek(1)).toBe('one');
  });

  it('at their timeout, all of them: the key is loaded for those who come later', async () => {
    const { clock, cache, load, sent, keys } = controlled();
    const early = errorOf(cache.get(1, { loader: load, timeout: 3 }));
    await clock.advance(5);
    expect(await early).toBeInstanceOf(LoadTimeoutError);
    expect(keys).toEqual([[1]]);
    sent[0]?.resolve(['one']);
    await nextTurn();

    expect(cache.peek(1)).toBe('one');
  });

  it('one at its timeout and one by its signal do not lose the load for later ones', async () => {
    const { clock, cache, load, sent } = controlled();
    const leave = new AbortController();
    const early = errorOf(cache.get(1, { loader: load, timeout: 2 }));
    const left = outcomeOf(cache.get(1, { loader: load, signal: leave.signal }));
    await clock.advance(2);
    expect(await early).toBeInstanceOf(LoadTimeoutError);
    leave.abort('left');
    expect(await left).toEqual({ error: 'left' });
    const late = outcomeOf(cache.get(1, load));
    await clock.advance(3);
    expect(sent).toHaveLength(1);
    sent[0]?.resolve(['one']);

    expect(await late).toBe('one');
  });

  it('after the batch went: its signal fires when the last of all keys has', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock });
    const results = deferred<string[]>();
    const signals: AbortSignal[] = [];
    const load = batchLoader<number, string>(
      (_keys, { signal }) => {
        signals.push(signal);
        return results.promise;
      },
      { clock },
    );
    const leave = [new AbortController(), new AbortController()];
    const left = leave.map(({ signal }, key) =>
      outcomeOf(cache.get(key, { loader: load, signal })),
    );
    await clock.advance(5);
    leave[0]?.abort('one');
    expect(signals[0]?.aborted).toBe(false);
    leave[1]?.abort('other');
    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toBe('other');
    expect(await Promise.all(left)).toEqual([{ error: 'one' }, { error: 'other' }]);
    results.resolve(['late', 'late']);
    await nextTurn();

    expect(cache.size).toBe(0);
  });

  it('after the batch went: its signal stays while somebody else waits who came by another cache', async () => {
    const clock = fakeClock();
    const caches = [
      new AsyncCache<number, string>({ clock }),
      new AsyncCache<number, string>({ clock }),
    ];
    const signals: AbortSignal[] = [];
    const load = batchLoader<number, string>(
      async (keys, { signal }) => {
        signals.push(signal);
        await nextTurn();
        return keys.map(String);
      },
      { clock },
    );
    const leave = new AbortController();
    const left = outcomeOf(caches[0]!.get(1, { loader: load, signal: leave.signal }));
    const staying = caches[1]!.get(1, load);
    await clock.advance(5);
    leave.abort('left');

    expect(signals[0]?.aborted).toBe(false);
    expect(await left).toEqual({ error: 'left' });
    expect(await staying).toBe('1');
  });
});

describe('the batch function', () => {
  it('is given the keys alone, unless it names a second parameter', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, string>({ clock });
    const one = jest.fn(async (keys: readonly number[]) => keys.map(String));
    const value = cache.get(1, batchLoader(one, { clock }));
    await clock.advance(5);
    await value;

    expect(one.mock.calls).toEqual([[[1]]]);
  });
});

describe('options of batches that cannot be meant', () => {
  const load = async (keys: readonly number[]) => keys;

  it.each([
    [{ window: '5 minutes' }, /window must be a duration .* got '5 minutes'/],
    [{ window: -1 }, /window must be .* got -1/],
    [{ window: NaN }, /window must be .* got NaN/],
    [{ window: null }, /window must be .* got null/],
    [{ window: Infinity }, /window must be at most 2147483647 ms, got Infinity/],
    [{ window: '30d' }, /window must be at most 2147483647 ms, got 30d/],
    [{ maxBatchSize: 0 }, /maxBatchSize must be a whole number of at least 1.* got 0/],
    [{ maxBatchSize: -1 }, /maxBatchSize .* got -1/],
    [{ maxBatchSize: 1.5 }, /maxBatchSize .* got 1.5/],
    [{ maxBatchSize: NaN }, /maxBatchSize .* got NaN/],
    [{ maxBatchSize: '5' }, /maxBatchSize .* got '5'/],
    [{ maxBatchSize: null }, /maxBatchSize .* got null/],
    [5, /options of batches must be an object, got 5/],
    [null, /options of batches must be an object, got null/],
  ])('%p', (options, message) => {
    const error = thrownBy(() => batchLoader(load, options as never));

    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch(message);
  });

  it('a clock that is none', () => {
    const error = thrownBy(() => batchLoader(load, { clock: {} as never }));
    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
  });

  it.each([undefined, null, 5, 'text', {}])('%p for a batch function', (given) => {
    const error = thrownBy(() => batchLoader(given as never));

    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch(/a batch function must be a function, got /);
  });

  it('are none of those that are left out, or that have units', () => {
    for (const options of [
      undefined,
      {},
      { window: undefined, maxBatchSize: undefined, clock: undefined },
      { window: '250ms', maxBatchSize: 1 },
      { window: '2h', maxBatchSize: Infinity },
    ]) {
      expect(() => batchLoader(load, options as never)).not.toThrow();
    }
  });
});
