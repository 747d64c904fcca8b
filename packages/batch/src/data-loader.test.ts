import { AsyncCache, type BatchContext } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { nextTurn } from '../test/deferred.js';
import { controlled, recorded } from '../test/loaders.js';
import { errorOf, failOnUnhandledRejections, outcomeOf, thrownBy } from '../test/outcome.js';
import { DataLoader, type CacheMap } from './index.js';

failOnUnhandledRejections();

describe('DataLoader', () => {
  it('promises the value of a key', async () => {
    const { loader } = recorded();
    const promise = loader.load(1);

    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toBe('v:1');
  });

  it('promises the values of many keys in their order', async () => {
    const { loader, batches } = recorded();

    expect(await loader.loadMany([3, 1, 2])).toEqual(['v:3', 'v:1', 'v:2']);
    expect(await loader.loadMany([])).toEqual([]);
    expect(batches).toEqual([[3, 1, 2]]);
  });

  it('tells an error in the place of its key to who loads many', async () => {
    const error = new Error('no 2');
    const loader = new DataLoader<number, number | Error>(async (keys) =>
      keys.map((key) => (key === 2 ? error : key)),
    );

    expect(await loader.loadMany([1, 2, 3])).toEqual([1, error, 3]);
  });

  it('tells an error of the whole batch in the place of each of its keys', async () => {
    const error = new Error('down');
    const loader = new DataLoader<number, number>(() => Promise.reject(error), { maxBatchSize: 2 });

    expect(await loader.loadMany([1, 2, 3])).toEqual([error, error, error]);
  });

  it('takes any array-like of keys', async () => {
    const { loader } = recorded<number | string>();

    expect(await loader.loadMany({ length: 2, 0: 5, 1: 6 })).toEqual(['v:5', 'v:6']);
    expect(await loader.loadMany(new Uint8Array([7, 8]))).toEqual(['v:7', 'v:8']);
    expect(await loader.loadMany({ length: 0 })).toEqual([]);
  });

  it('loads falsy keys', async () => {
    const { loader, batches } = recorded<unknown>();
    await loader.loadMany([0, '', false, NaN, 0n]);
    await loader.loadMany([0, '', false, NaN, 0n]);

    expect(batches).toEqual([[0, '', false, NaN, 0n]]);
  });

  it.each([undefined, null, 0, '', false])('takes %p for a value, and keeps it', async (value) => {
    const load = jest.fn(async (keys: readonly number[]) => keys.map(() => value));
    const loader = new DataLoader(load);

    expect(await loader.load(1)).toBe(value);
    expect(await loader.load(1)).toBe(value);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('adopts promises among the results', async () => {
    const error = new Error('late');
    const loader = new DataLoader<number, unknown>(async () => [
      Promise.resolve('soon'),
      Promise.reject(error),
    ]);

    expect(await loader.loadMany([1, 2])).toEqual(['soon', error]);
  });

  it('keeps its loads apart from those of another loader of the same function', async () => {
    const load = jest.fn(async (keys: readonly number[]) => keys);
    await Promise.all([new DataLoader(load).load(1), new DataLoader(load).load(1)]);

    expect(load.mock.calls).toEqual([[[1]], [[1]]]);
  });
});

describe('a batch of a DataLoader', () => {
  it('holds the loads of one turn', async () => {
    const { loader, batches } = recorded();
    const loads = [loader.load(1), loader.load(2), loader.loadMany([3, 4])];
    expect(batches).toEqual([]);
    await Promise.all(loads);

    expect(batches).toEqual([[1, 2, 3, 4]]);
  });

  it('holds those too that are made in promise callbacks, however deep', async () => {
    const { loader, batches } = recorded();
    const deep = async (depth: number): Promise<string> => {
      for (let turn = 0; turn < depth; turn++) await Promise.resolve();
      return loader.load(depth);
    };
    await Promise.all([loader.load(0), deep(1), deep(10), deep(100)]);

    expect(batches).toEqual([[0, 1, 10, 100]]);
  });

  it('holds what is loaded next by all who wait for another loader', async () => {
    const users = recorded();
    const posts = recorded();
    await Promise.all(
      [1, 2, 3].map(async (id) => {
        await users.loader.load(id);
        await posts.loader.load(id * 10);
        return users.loader.load(id * 100);
      }),
    );

    expect(users.batches).toEqual([
      [1, 2, 3],
      [100, 200, 300],
    ]);
    expect(posts.batches).toEqual([[10, 20, 30]]);
  });

  it('ends with its turn', async () => {
    const { loader, batches } = recorded();
    const first = loader.load(1);
    await nextTurn();
    await Promise.all([first, loader.load(2)]);

    expect(batches).toEqual([[1], [2]]);
  });

  it('does not take what the batch function itself loads', async () => {
    const batches: (readonly number[])[] = [];
    const inner: Promise<number>[] = [];
    const loader = new DataLoader<number, number>(async (keys) => {
      batches.push(keys);
      if (keys[0] === 1) inner.push(loader.load(2));
      return keys;
    });

    expect(await loader.load(1)).toBe(1);
    expect(await inner[0]).toBe(2);
    expect(batches).toEqual([[1], [2]]);
  });

  it('is sent although another one is never answered', async () => {
    const { loader, sent } = controlled<number, string>();
    const hanging = loader.load(1);
    await nextTurn();
    const other = loader.load(2);
    await nextTurn();
    sent[1]?.resolve(['two']);

    expect(await other).toBe('two');
    expect(await outcomeOf(hanging)).toBe('pending');
  });

  it('may end before an earlier one', async () => {
    const { loader, sent } = controlled<number, string>({ maxBatchSize: 1 });
    const loads = [loader.load(1), loader.load(2)];
    await nextTurn();
    sent[1]?.resolve(['two']);
    expect(await loads[1]).toBe('two');
    sent[0]?.resolve(['one']);

    expect(await loads[0]).toBe('one');
  });

  it('has one key at a time with batch: false', async () => {
    const { loader, batches } = recorded({ batch: false, maxBatchSize: 5 });
    await loader.loadMany([1, 2, 1]);

    expect(batches).toEqual([[1], [2]]);
  });

  it('has maxBatchSize keys at most', async () => {
    const { loader, batches } = recorded({ maxBatchSize: 2 });
    await loader.loadMany([1, 2, 1, 3, 4, 5]);

    expect(batches).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('that is full still goes with the others of its turn', async () => {
    const { loader, keys } = controlled({ maxBatchSize: 2 });
    void loader.loadMany([1, 2]);
    expect(keys).toEqual([]);
    void loader.load(3);
    await nextTurn();

    expect(keys).toEqual([[1, 2], [3]]);
  });
});

describe('the batch function of a DataLoader', () => {
  it('is called with the loader as this', async () => {
    const seen: unknown[] = [];
    const loader = new DataLoader<number, number>(async function (this: unknown, keys) {
      seen.push(this);
      return keys;
    });
    await loader.load(1);

    expect(seen).toEqual([loader]);
  });

  it('is given frozen keys: sorting them in place fails its loads, and mixes up none', async () => {
    const loader = new DataLoader<number, number>(async (keys) => (keys as number[]).sort());
    const sync = new DataLoader<number, number>((keys) =>
      Promise.resolve((keys as number[]).sort()),
    );

    for (const each of [loader, sync]) {
      const [error, same] = await each.loadMany([2, 1]);
      expect(error).toBeInstanceOf(TypeError);
      expect(same).toBe(error);
    }
  });

  it('is given the keys alone, unless it names a second parameter', async () => {
    const given: number[] = [];
    const note = function (this: unknown, ...args: [readonly number[]]) {
      given.push(args.length);
      return Promise.resolve(args[0]);
    };
    await new DataLoader(note).load(1);
    await new DataLoader((keys: readonly number[], _context?: unknown) => {
      given.push(_context === undefined ? 1 : 2);
      return Promise.resolve(keys);
    }).load(1);

    expect(given).toEqual([1, 2]);
  });

  it('that names a second parameter is given a signal', async () => {
    let context: BatchContext | undefined;
    const loader = new DataLoader<number, number>(async (keys, given) => {
      context = given;
      return keys;
    });
    await loader.load(1);

    expect(context?.signal).toBeInstanceOf(AbortSignal);
    expect(context?.signal).toBe(context?.signal);
    expect(context?.signal.aborted).toBe(false);
  });

  it('may answer with an array-like', async () => {
    const loader = new DataLoader<number, number>(async () => new Float64Array([0.5, 1.5]));
    const own = new DataLoader<number, string>(async () => ({ length: 2, 0: 'a', 1: 'b' }));

    expect(await loader.loadMany([1, 2])).toEqual([0.5, 1.5]);
    expect(await own.loadMany([1, 2])).toEqual(['a', 'b']);
  });

  it('may answer with a Map: a key that is missing is undefined', async () => {
    const loader = new DataLoader<number, string | undefined>(
      async () =>
        new Map([
          [2, 'two'],
          [1, 'one'],
          [9, 'nine'],
        ]),
    );

    expect(await loader.loadMany([1, 2, 3])).toEqual(['one', 'two', undefined]);
  });

  it('may answer with a Map of objects, by value', async () => {
    const loader = new DataLoader(
      async (keys: readonly { id: number }[]) => new Map(keys.map(({ id }) => [{ id }, `v:${id}`])),
    );

    expect(await loader.loadMany([{ id: 1 }, { id: 2 }])).toEqual(['v:1', 'v:2']);
  });

  it('may answer with a Map of objects that have no value, by identity', async () => {
    class Connection {
      readonly open = (): boolean => true;
    }
    const known = new Connection();
    const loader = new DataLoader<Connection, string | undefined>(
      async () => new Map([[known, 'known']]),
    );

    expect(await loader.loadMany([known, new Connection()])).toEqual(['known', undefined]);
  });

  it('may answer with a record, read by its own properties', async () => {
    const loader = new DataLoader<string | number, unknown>(async () => ({ a: 1, 7: 'seven' }));

    expect(await loader.loadMany(['a', 7, 'toString', '__proto__'])).toEqual([
      1,
      'seven',
      undefined,
      undefined,
    ]);
  });

  it('may answer with a record for a key that is an array, also where it asks for it twice', async () => {
    const loader = new DataLoader<[string, number], string>(async () => ({ 'u,1': 'user' }), {
      cache: false,
    });
    const key: [string, number] = ['u', 1];

    expect(await loader.loadMany([key, key, ['u', 1]])).toEqual(['user', 'user', 'user']);
  });

  it('may answer with an Error for a key of a Map or a record', async () => {
    const error = new Error('no 2');
    const byMap = new DataLoader<number, string>(
      async () =>
        new Map<number, string | Error>([
          [1, 'one'],
          [2, error],
        ]),
    );
    const byRecord = new DataLoader<number, string>(async () => ({ 1: 'one', 2: error }));

    expect(await byMap.loadMany([1, 2])).toEqual(['one', error]);
    expect(await byRecord.loadMany([1, 2])).toEqual(['one', error]);
  });

  it('cannot answer with a record when keys are objects', async () => {
    const loader = new DataLoader<{ id: number }, string>(async () => ({ a: 'A' }));
    const error = await errorOf(loader.load({ id: 1 }));

    expect(error.code).toBe('ERR_ACACHE_BATCH_RESULT');
    expect(error.message).toMatch(/record/);
  });

  it('may answer with any thenable', async () => {
    const thenable = {
      then: (resolve: (results: string[]) => void) => resolve(['v']),
    } as unknown as PromiseLike<string[]>;

    expect(await new DataLoader<number, string>(() => thenable).load(1)).toBe('v');
  });

  it('that changes its answer afterwards changes nothing', async () => {
    const results = ['a', 'b'];
    const loader = new DataLoader<number, string>(async () => results);
    const loads = loader.loadMany([1, 2]);
    await nextTurn();
    results.fill('x');

    expect(await loads).toEqual(['a', 'b']);
    expect(await loader.load(2)).toBe('b');
  });
});

describe('a DataLoader that keeps what it loaded', () => {
  it('loads a key once, within a batch and afterwards', async () => {
    const { loader, batches } = recorded();
    const [first, second] = await Promise.all([loader.load(1), loader.load(1)]);
    expect([first, second, await loader.load(1)]).toEqual(['v:1', 'v:1', 'v:1']);
    await loader.loadMany([2, 1, 2]);

    expect(batches).toEqual([[1], [2]]);
  });

  it('gives one and the same object to all', async () => {
    const loader = new DataLoader<number, object>(async (keys) => keys.map(() => ({})));
    const [first, second] = await Promise.all([loader.load(1), loader.load(1)]);

    expect(second).toBe(first);
    expect(await loader.load(1)).toBe(first);
  });

  it('compares keys by identity, unless told otherwise', async () => {
    const { loader, batches } = recorded<object>();
    const key = {};
    await Promise.all([loader.load(key), loader.load(key), loader.load({})]);

    expect(batches).toEqual([[key, {}]]);
  });

  it('gives what is kept with the batch of its turn, so that what follows goes together', async () => {
    const { loader, batches } = recorded();
    loader.prime(1, 'primed');
    const chain = async (id: number): Promise<string> => {
      await loader.load(id);
      return loader.load(id * 10);
    };
    await Promise.all([chain(1), chain(2)]);

    expect(batches.map((keys) => keys.toSorted())).toEqual([[2], [10, 20]]);
  });

  it('gives what is kept with its batch even when that fails', async () => {
    const { loader, sent } = controlled<number, string>();
    loader.prime(1, 'primed');
    const kept = loader.load(1);
    const other = loader.load(2);
    expect(await outcomeOf(kept)).toBe('pending');
    const error = new Error('down');
    sent[0]?.reject(error);

    expect(await errorOf(other)).toBe(error);
    expect(await kept).toBe('primed');
  });

  it('gives what is kept at the end of the turn, when nothing else is loaded', async () => {
    const { loader, batches } = recorded();
    loader.prime(1, 'primed');

    expect(await outcomeOf(loader.load(1))).toBe('primed');
    expect(batches).toEqual([]);
  });

  it('keeps nothing with cache: false, and sends a key as often as it is asked for', async () => {
    const { loader, batches } = recorded({ cache: false });
    expect(await loader.loadMany([1, 2, 1])).toEqual(['v:1', 'v:2', 'v:1']);
    loader.prime(1, 'primed');
    expect(await loader.clear(2).clearAll().load(1)).toBe('v:1');

    expect(batches).toEqual([[1, 2, 1], [1]]);
  });

  it('keeps nothing with cacheMap: null either', async () => {
    const { loader, batches } = recorded({ cacheMap: null });
    await loader.loadMany([1, 1]);

    expect(batches).toEqual([[1, 1]]);
  });

  it('asks for no cache key while it keeps nothing', async () => {
    const cacheKeyFn = jest.fn((key: number) => key);
    const { loader } = recorded({ cache: false, cacheKeyFn });
    await loader.prime(1, 'p').clear(1).load(1);

    expect(cacheKeyFn).not.toHaveBeenCalled();
  });

  it('may have keys that it is told of in other words by cacheKeyFn', async () => {
    const { loader, batches } = recorded<{ id: number }, number>({ cacheKeyFn: ({ id }) => id });
    const [one, other] = [{ id: 1 }, { id: 1 }];
    await Promise.all([loader.load(one), loader.load(other), loader.load({ id: 2 })]);
    await loader.load({ id: 2 });
    expect(batches).toEqual([[{ id: 1 }, { id: 2 }]]);
    expect(batches[0]?.[0]).toBe(one);

    loader.clear({ id: 1 }).prime({ id: 3 }, 'primed');
    expect(await loader.loadMany([{ id: 1 }, { id: 3 }])).toEqual(['v:[object Object]', 'primed']);
    expect(batches[1]).toEqual([{ id: 1 }]);
  });

  it('throws at once what cacheKeyFn throws, and loads on afterwards', async () => {
    const error = new Error('no such key');
    const { loader } = recorded({
      cacheKeyFn: (key) => {
        if (key === 1) throw error;
        return key;
      },
    });
    expect(thrownBy(() => loader.load(1))).toBe(error);

    expect(await loader.load(2)).toBe('v:2');
  });
});

describe('clear', () => {
  it('forgets one key', async () => {
    const { loader, batches } = recorded();
    await loader.loadMany([1, 2]);
    expect(loader.clear(1)).toBe(loader);
    await loader.loadMany([1, 2]);

    expect(batches).toEqual([[1, 2], [1]]);
  });

  it('of a key that is unknown does nothing', async () => {
    const { loader, batches } = recorded();
    loader.clear(5);
    await loader.load(1);

    expect(batches).toEqual([[1]]);
  });

  it('of a key that is gathered sends it twice', async () => {
    const { loader, batches } = recorded();
    const first = loader.load(1);
    loader.clear(1);
    await Promise.all([first, loader.load(1)]);

    expect(batches).toEqual([[1, 1]]);
  });

  it('of a key that is loaded lets those who wait have it, and loads it anew for others', async () => {
    const { loader, sent } = controlled<number, string>();
    const first = loader.load(1);
    await nextTurn();
    const second = loader.clear(1).load(1);
    await nextTurn();
    sent[1]?.resolve(['new']);
    sent[0]?.resolve(['old']);

    expect([await first, await second]).toEqual(['old', 'new']);
    expect(await loader.load(1)).toBe('new');
  });

  it('lets the batch function itself keep nothing', async () => {
    const calls: (readonly number[])[] = [];
    const loader = new DataLoader<number, number>(async (keys) => {
      calls.push(keys);
      loader.clearAll();
      return keys;
    });
    await loader.loadMany([1, 1]);
    await loader.load(1);

    expect(calls).toEqual([[1], [1]]);
  });
});

describe('clearAll', () => {
  it('forgets all keys', async () => {
    const { loader, batches } = recorded();
    await loader.loadMany([1, 2]);
    expect(loader.clearAll()).toBe(loader);
    await loader.loadMany([1, 2]);

    expect(batches).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe('prime', () => {
  it('keeps a value for a key', async () => {
    const { loader, batches } = recorded();
    expect(loader.prime(1, 'primed')).toBe(loader);

    expect(await loader.loadMany([1, 2])).toEqual(['primed', 'v:2']);
    expect(batches).toEqual([[2]]);
  });

  it('changes nothing for a key that is kept, or that is loaded', async () => {
    const { loader } = recorded();
    await loader.load(1);
    const running = loader.load(2);
    loader.prime(1, 'x').prime(2, 'x');

    expect(await loader.load(1)).toBe('v:1');
    expect(await running).toBe('v:2');
    expect(await loader.load(2)).toBe('v:2');
  });

  it('after clear changes it', async () => {
    const { loader } = recorded();
    await loader.load(1);

    expect(await loader.clear(1).prime(1, 'primed').load(1)).toBe('primed');
  });

  it('keeps an Error, which whoever loads the key is told', async () => {
    const { loader } = recorded();
    const error = new Error('known to fail');
    loader.prime(1, error);
    await nextTurn();

    expect(await errorOf(loader.load(1))).toBe(error);
    expect(await loader.clear(1).load(1)).toBe('v:1');
  });

  it('keeps what a promise brings', async () => {
    const { loader } = recorded();
    const error = new Error('late');
    loader.prime(1, Promise.resolve('late')).prime(2, Promise.reject(error));
    await nextTurn();

    expect(await loader.loadMany([1, 2])).toEqual(['late', error]);
  });
});

describe('a failure', () => {
  it('of one key is told to all who wait for it, and to no other', async () => {
    const error = new Error('no 2');
    const { loader, sent } = controlled<number, string>();
    const loads = [loader.load(1), loader.load(2), loader.load(2)].map(outcomeOf);
    await nextTurn();
    sent[0]?.resolve(['one', error]);

    expect(await Promise.all(loads)).toEqual(['pending', 'pending', 'pending']);
    expect(await loader.load(1)).toBe('one');
    expect(await errorOf(loader.load(2))).toBe(error);
  });

  it('of one key is kept until it is cleared', async () => {
    let calls = 0;
    const loader = new DataLoader<number, string>(async (keys) => {
      calls++;
      return keys.map(() => (calls === 1 ? new Error('first') : 'second'));
    });
    const error = await errorOf(loader.load(1));
    expect(await errorOf(loader.load(1))).toBe(error);
    expect(calls).toBe(1);

    expect(await loader.clear(1).load(1)).toBe('second');
  });

  it('may be told by a class that is made from Error', async () => {
    class NotFound extends Error {}
    const loader = new DataLoader<number, string>(async () => [new NotFound('1')]);

    expect(await errorOf(loader.load(1))).toBeInstanceOf(NotFound);
  });

  it('of the batch is told to each of its keys, unchanged, and kept for none', async () => {
    const { loader, sent, keys } = controlled<number, string>();
    const loads = [loader.load(1), loader.load(2)].map(errorOf);
    await nextTurn();
    const error = new Error('down');
    sent[0]?.reject(error);
    expect(await Promise.all(loads)).toEqual([error, error]);

    const again = loader.loadMany([1, 2]);
    await nextTurn();
    sent[1]?.resolve(['one', 'two']);
    expect(await again).toEqual(['one', 'two']);
    expect(keys).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('of the batch may be anything', async () => {
    for (const reason of [undefined, null, 'text', 0]) {
      const loader = new DataLoader<number, string>(() => Promise.reject(reason));

      expect(await outcomeOf(loader.load(1))).toEqual({ error: reason });
    }
  });

  it('of the batch is forgotten by cacheKeyFn', async () => {
    let calls = 0;
    const loader = new DataLoader<{ id: number }, string, number>(
      () => (calls++ === 0 ? Promise.reject(new Error('down')) : Promise.resolve(['up'])),
      { cacheKeyFn: ({ id }) => id },
    );
    await errorOf(loader.load({ id: 1 }));

    expect(await loader.load({ id: 1 })).toBe('up');
  });

  it('of one batch leaves the others of its turn alone', async () => {
    const { loader, sent } = controlled<number, string>({ maxBatchSize: 1 });
    const [first, second] = [errorOf(loader.load(1)), loader.load(2)];
    await nextTurn();
    sent[0]?.reject(new Error('down'));
    sent[1]?.resolve(['two']);

    expect((await first).message).toBe('down');
    expect(await second).toBe('two');
  });

  it('of a load that is followed by another does not hold that up', async () => {
    const { loader, batches } = recorded();
    loader.prime(1, new Error('known'));
    const load = loader.load(1).catch(() => loader.load(2));

    expect(await load).toBe('v:2');
    expect(batches).toEqual([[2]]);
  });
});

describe('a batch function that is used wrongly', () => {
  const misuse = async (load: () => unknown) => {
    const loader = new DataLoader<number, string>(load as never);
    const errors = await Promise.all([errorOf(loader.load(1)), errorOf(loader.load(2))]);
    expect(errors[0]).toBe(errors[1]);
    expect(errors[0]).toBeInstanceOf(TypeError);
    // It is kept for none.
    expect((await loader.loadMany([1, 2]))[0]).not.toBe(errors[0]);
    return errors[0];
  };

  it('throws: its loads reject, with its error for a cause', async () => {
    const cause = new Error('oh no');
    const error = await misuse(() => {
      throw cause;
    });

    expect(error.message).toMatch(/errored synchronously: Error: oh no/);
    expect(error).toMatchObject({ code: 'ERR_ACACHE_BATCH_RESULT', cause });
  });

  it.each([undefined, null, 5, 'text', [['one', 'two']], {}])(
    'answers with %p, which is no promise',
    async (answer) => {
      const error = await misuse(() => answer);

      expect(error.message).toMatch(/did not return a promise: /);
      expect(error.code).toBe('ERR_ACACHE_BATCH_RESULT');
    },
  );

  it.each([undefined, null, 5, 'ab', true])('promises %p, which is no array', async (answer) => {
    const error = await misuse(() => Promise.resolve(answer));

    expect(error.message).toMatch(`did not return a promise of an array: ${answer}`);
    expect(error.code).toBe('ERR_ACACHE_BATCH_RESULT');
  });

  it.each([[[]], [['one']], [['one', 'two', 'three']]])(
    'promises an array of another length: %j',
    async (answer) => {
      const error = await misuse(() => Promise.resolve(answer));

      expect(error.message).toMatch(/same length/);
      expect(error.message).toMatch(`expected 2, but got ${answer.length}`);
      expect(error.message).toMatch(/Keys:\n1,2\n\nValues:\n/);
      expect(error.code).toBe('ERR_ACACHE_BATCH_LENGTH');
    },
  );

  it('promises an array whose last place is empty: no array, as for dataloader', async () => {
    const error = await misuse(() => {
      const found = new Array<string>(2);
      found[0] = 'one';
      return Promise.resolve(found);
    });

    expect(error.message).toMatch('did not return a promise of an array: one,');
    expect(error.code).toBe('ERR_ACACHE_BATCH_RESULT');
  });

  it('has an error with a text even where what came has none', async () => {
    const nothing = Object.create(null) as object;
    const bare = new DataLoader<symbol, object>(() => Promise.resolve([nothing, nothing]));

    expect((await errorOf(bare.load(Symbol('key')))).code).toBe('ERR_ACACHE_BATCH_LENGTH');
    const error = await misuse(() => {
      throw nothing;
    });
    expect(error.message).toMatch(/errored synchronously: \[object Object\]/);
  });
});

describe('what a DataLoader refuses', () => {
  const make = (load: unknown, options?: unknown) =>
    thrownBy(() => new DataLoader(load as never, options as never));
  const load = async (keys: readonly number[]) => keys;

  it.each([undefined, null, 5, 'text', {}])('%p for a batch function', (given) => {
    const error = make(given);

    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch(`constructed with a function`);
    expect(error.message.endsWith(`but got: ${given as string}`)).toBe(true);
  });

  it.each([
    [{ maxBatchSize: 0 }, /maxBatchSize must be a positive number, but got: 0/],
    [{ maxBatchSize: -1 }, /maxBatchSize must be a positive number, but got: -1/],
    [{ maxBatchSize: NaN }, /maxBatchSize must be a positive number, but got: NaN/],
    [{ maxBatchSize: null }, /maxBatchSize must be a positive number, but got: null/],
    [{ maxBatchSize: '5' }, /maxBatchSize must be a positive number, but got: '5'/],
    [{ batchScheduleFn: 5 }, /batchScheduleFn must be a function, but got: 5/],
    [{ batchScheduleFn: null }, /batchScheduleFn must be a function, but got: null/],
    [{ cacheKeyFn: 'id' }, /cacheKeyFn must be a function, but got: 'id'/],
    [{ cacheKeyFn: null }, /cacheKeyFn must be a function, but got: null/],
    [{ cacheMap: {} }, /cacheMap must have .* missing: get, set, delete, clear/],
    [{ cacheMap: { get() {}, clear() {} } }, /cacheMap must have .* missing: set, delete/],
    [{ cacheMap: 'map' }, /cacheMap must have .* missing: get, set, delete, clear/],
    [{ cache: new Map() }, /cache must be a boolean or a Cache/],
    [{ cache: {} }, /cache must be a boolean or a Cache/],
    [{ cache: new AsyncCache(), cacheMap: new Map() }, /cache and cacheMap exclude each other/],
    [{ window: 5, batchScheduleFn: () => {} }, /window and batchScheduleFn exclude each other/],
    [{ window: '5 minutes' }, /window must be a duration .* got '5 minutes'/],
    [{ window: -1 }, /window must be .* got -1/],
    [{ window: null }, /window must be .* got null/],
    [{ window: Infinity }, /window must be at most 2147483647 ms, got Infinity/],
  ])('options such as %p', (options, message) => {
    const error = make(load, options);

    expect(error.message).toMatch(message);
    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error).toBeInstanceOf(TypeError);
  });

  it('nothing of what is not looked at', () => {
    for (const options of [
      { batch: false, maxBatchSize: 0 },
      { cache: false, cacheMap: {} },
      { cache: undefined, cacheMap: undefined, maxBatchSize: undefined, name: undefined },
      { cacheKeyFn: undefined, batchScheduleFn: undefined, window: undefined },
      {},
      undefined,
    ]) {
      expect(() => new DataLoader(load, options as never)).not.toThrow();
    }
  });

  it('options that are null no more than dataloader does', () => {
    expect(() => new DataLoader(load, null as never)).not.toThrow();
  });

  it.each([undefined, null])('%p for a key, at once', async (key) => {
    const { loader, batches } = recorded();
    const error = thrownBy(() => loader.load(key as never));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch(`load() must be called with a value, but got: ${key}`);
    expect(thrownBy(() => loader.loadMany([key] as never)).message).toBe(error.message);
    await nextTurn();
    expect(batches).toEqual([]);
  });

  it.each([
    undefined,
    null,
    5,
    'text',
    {},
    new Set([1]),
    { length: 2, 0: 1 },
    { length: -1 },
    Array(1),
  ])('%p for an array of keys, at once', (keys) => {
    const { loader } = recorded();
    const error = thrownBy(() => loader.loadMany(keys as never));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.code).toBe('ERR_ACACHE_INVALID_OPTION');
    expect(error.message).toMatch('loadMany() must be called with an array of keys, but got: ');
  });

  it('a signal that is none', async () => {
    const { loader, batches } = recorded();
    const error = await (async () => loader.load(1, { signal: 'text' as never }))().catch(
      (reason: unknown) => reason as Error & { code?: unknown },
    );

    expect(error).toMatchObject({ code: 'ERR_ACACHE_INVALID_OPTION' });
    await nextTurn();
    expect(batches).toEqual([]);
  });
});

describe('name', () => {
  it('is what was given, else null', () => {
    expect(recorded({ name: 'users' }).loader.name).toBe('users');
    expect(recorded({ name: null }).loader.name).toBeNull();
    expect(recorded().loader.name).toBeNull();
  });

  it('that is empty is none', () => {
    expect(recorded({ name: '' }).loader.name).toBeNull();
  });
});

describe('batchScheduleFn', () => {
  it('decides when a batch goes', async () => {
    const planned: (() => void)[] = [];
    const { loader, batches } = recorded({ batchScheduleFn: (dispatch) => planned.push(dispatch) });
    const loads = [loader.load(1)];
    await nextTurn();
    loads.push(loader.load(2));
    await nextTurn();
    expect(batches).toEqual([]);
    expect(planned).toHaveLength(1);
    planned[0]?.();

    expect(batches).toEqual([[1, 2]]);
    expect(await Promise.all(loads)).toEqual(['v:1', 'v:2']);
  });

  it('is asked for each batch, whether full or empty', async () => {
    const planned: (() => void)[] = [];
    const { loader, batches } = recorded({
      maxBatchSize: 2,
      batchScheduleFn: (dispatch) => planned.push(dispatch),
    });
    loader.prime(9, 'primed');
    const loads = loader.loadMany([1, 2, 3, 9]);
    expect(planned).toHaveLength(2);
    planned[1]?.();
    planned[0]?.();

    expect(await loads).toEqual(['v:1', 'v:2', 'v:3', 'primed']);
    expect(batches).toEqual([[3], [1, 2]]);
    const kept = loader.load(9);
    expect(await outcomeOf(kept)).toBe('pending');
    planned[2]?.();
    expect(await kept).toBe('primed');
  });

  it('that calls twice sends the batch once', async () => {
    const planned: (() => void)[] = [];
    const { loader, batches } = recorded({ batchScheduleFn: (dispatch) => planned.push(dispatch) });
    const first = loader.load(1);
    planned[0]?.();
    const second = loader.load(2);
    planned[0]?.();
    expect(await first).toBe('v:1');
    planned[0]?.();
    expect(await outcomeOf(second)).toBe('pending');
    planned[1]?.();

    expect(await second).toBe('v:2');
    expect(batches).toEqual([[1], [2]]);
  });

  it('that calls twice for what is kept gives it once, and that is all', async () => {
    const planned: (() => void)[] = [];
    const { loader } = recorded({ batchScheduleFn: (dispatch) => planned.push(dispatch) });
    const kept = loader.prime(1, 'primed').load(1);
    planned[0]?.();
    // A loop of promise callbacks is ended here, since it would leave no turn for the test to fail in.
    const then = Reflect.get(Promise.prototype, 'then') as (...on: unknown[]) => Promise<unknown>;
    const spy = jest.spyOn(Promise.prototype, 'then').mockImplementation(function (
      this: Promise<unknown>,
      ...on: unknown[]
    ) {
      const loops = spy.mock.calls.length > 1_000;
      return loops ? new Promise(() => {}) : then.apply(this, on);
    } as never);
    planned[0]?.();
    await nextTurn();
    const calls = spy.mock.calls.length;
    spy.mockRestore();

    expect(calls).toBeLessThan(1_000);
    expect(await kept).toBe('primed');
  });

  it('that never calls leaves its loads waiting', async () => {
    const { loader, batches } = recorded({ batchScheduleFn: () => {} });

    expect(await outcomeOf(loader.load(1))).toBe('pending');
    expect(batches).toEqual([]);
  });

  it('that calls at once answers no key with what was not loaded', async () => {
    const { loader } = recorded({ batchScheduleFn: (dispatch) => dispatch() });

    expect(['pending', 'v:1']).toContainEqual(await outcomeOf(loader.load(1)));
  });

  it('that throws fails the load, and the next one is planned anew', async () => {
    const error = new Error('no time');
    let calls = 0;
    const { loader } = recorded({
      batchScheduleFn: (dispatch) => {
        if (calls++ === 0) throw error;
        setImmediate(dispatch);
      },
    });
    expect(thrownBy(() => loader.load(1))).toBe(error);

    expect(await loader.load(1)).toBe('v:1');
  });
});

describe('cacheMap', () => {
  class OwnMap<C, V> implements CacheMap<C, V> {
    readonly entries = new Map<C, V>();
    get(key: C): V | undefined {
      return this.entries.get(key);
    }
    set(key: C, value: V): this {
      this.entries.set(key, value);
      return this;
    }
    delete(key: C): boolean {
      return this.entries.delete(key);
    }
    clear(): void {
      this.entries.clear();
    }
  }

  it('holds the promises, by cache key', async () => {
    const cacheMap = new OwnMap<string, Promise<string>>();
    const { loader } = recorded<number, string>({ cacheMap, cacheKeyFn: (key) => `k${key}` });
    const promise = loader.load(1);
    loader.prime(2, 'primed');

    expect([...cacheMap.entries.keys()]).toEqual(['k1', 'k2']);
    expect(cacheMap.entries.get('k1')).toBe(promise);
    expect(await cacheMap.entries.get('k2')).toBe('primed');
    loader.clear(1);
    expect([...cacheMap.entries.keys()]).toEqual(['k2']);
    loader.clearAll();
    expect(cacheMap.entries.size).toBe(0);
    await promise;
  });

  it('may be a Map, and may be shared', async () => {
    const cacheMap = new Map<number, Promise<string>>();
    const [one, other] = [recorded({ cacheMap }), recorded({ cacheMap })];
    await one.loader.load(1);

    expect(await other.loader.load(1)).toBe('v:1');
    expect(other.batches).toEqual([]);
  });

  it('may forget what it likes', async () => {
    const cacheMap = new OwnMap<number, Promise<string>>();
    const { loader, batches } = recorded({ cacheMap });
    await loader.load(1);
    cacheMap.entries.clear();
    await loader.load(1);

    expect(batches).toEqual([[1], [1]]);
  });

  it('loses the keys of a batch that failed', async () => {
    const cacheMap = new OwnMap<number, Promise<string>>();
    const loader = new DataLoader<number, string>(() => Promise.reject(new Error('down')), {
      cacheMap,
    });
    await errorOf(loader.load(1));

    expect(cacheMap.entries.size).toBe(0);
  });

  it('that answers with a promise of its own keeps the callers of a key together', async () => {
    const promises = new Map<number, Promise<string>>();
    const cacheMap: CacheMap<number, Promise<string>> = {
      get: (key) => promises.get(key)?.then((value) => `copy of ${value}`),
      set: (key, value) => promises.set(key, value),
      delete: (key) => promises.delete(key),
      clear: () => promises.clear(),
    };
    const { loader } = recorded({ cacheMap });
    const leave = new AbortController();
    const leaving = outcomeOf(loader.load(1, { signal: leave.signal }));
    const staying = loader.load(1);
    leave.abort('left');
    await leaving;

    expect(await outcomeOf(staying)).toBe('copy of v:1');
  });
});

describe('window', () => {
  it('gathers until it ends, from the first key on', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: '5ms', clock });
    const loads = [loader.load(1)];
    await clock.advance(4);
    loads.push(loader.load(2));
    expect(clock.pending).toBe(1);
    expect(batches).toEqual([]);
    await clock.advance(1);

    expect(batches).toEqual([[1, 2]]);
    expect(await Promise.all(loads)).toEqual(['v:1', 'v:2']);
    expect(clock.pending).toBe(0);
  });

  it('begins anew with the next key', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 5, clock });
    const first = loader.load(1);
    await clock.advance(5);
    const second = loader.load(2);
    await clock.advance(4);
    expect(batches).toEqual([[1]]);
    await clock.advance(1);

    expect(batches).toEqual([[1], [2]]);
    expect(await Promise.all([first, second])).toEqual(['v:1', 'v:2']);
  });

  it('does not hold up a full batch, and leaves no timer of it', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 5, maxBatchSize: 2, clock });
    const loads = loader.loadMany([1, 2, 3]);
    expect(batches).toEqual([[1, 2]]);
    expect(clock.pending).toBe(1);
    await clock.advance(5);

    expect(batches).toEqual([[1, 2], [3]]);
    expect(await loads).toEqual(['v:1', 'v:2', 'v:3']);
    expect(clock.pending).toBe(0);
  });

  it('with batch: false is none', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 5, batch: false, clock });
    const loads = loader.loadMany([1, 2]);

    expect(batches).toEqual([[1], [2]]);
    expect(clock.pending).toBe(0);
    await loads;
  });

  it('does not hold up what is kept', async () => {
    const clock = fakeClock();
    const { loader } = recorded({ window: 5, clock });
    loader.prime(1, 'primed');

    expect(await loader.load(1)).toBe('primed');
    expect(clock.pending).toBe(0);
  });

  it('sends a full batch once, and the next one in its own time', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 5, maxBatchSize: 2, clock });
    const first = loader.loadMany([1, 2]);
    await clock.advance(3);
    const second = loader.load(3);
    await clock.advance(2);
    expect(batches).toEqual([[1, 2]]);
    await clock.advance(3);

    expect(batches).toEqual([[1, 2], [3]]);
    await Promise.all([first, second]);
  });

  it('of 0 ends with the promise callbacks of the turn, as without one', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 0, clock });
    const load = loader.load(1);
    await Promise.resolve();
    const chained = loader.load(2);

    expect(await outcomeOf(Promise.all([load, chained]))).toEqual(['v:1', 'v:2']);
    expect(batches).toEqual([[1, 2]]);
    expect(clock.pending).toBe(0);
  });
});
