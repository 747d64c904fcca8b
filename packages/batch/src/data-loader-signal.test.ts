import type { BatchContext } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { deferred, nextTurn } from '../test/deferred.js';
import { controlled, recorded } from '../test/loaders.js';
import { errorOf, failOnUnhandledRejections, outcomeOf } from '../test/outcome.js';
import { DataLoader, type DataLoaderOptions } from './index.js';

failOnUnhandledRejections();

describe('load with a signal', () => {
  it('that has fired rejects with its reason, and sends nothing', async () => {
    const { loader, batches } = recorded();
    loader.prime(2, 'primed');
    const reason = new Error('gone');

    for (const key of [1, 2]) {
      expect(await errorOf(loader.load(key, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    }
    await nextTurn();
    expect(batches).toEqual([]);
    expect(await loader.load(1)).toBe('v:1');
  });

  it('that never fires changes nothing', async () => {
    const { loader, batches } = recorded();
    const { signal } = new AbortController();

    expect(await loader.load(1, { signal })).toBe('v:1');
    expect(await loader.load(1, { signal })).toBe('v:1');
    expect(await loader.loadMany([1, 2], { signal })).toEqual(['v:1', 'v:2']);
    expect(await loader.load(3, {})).toBe('v:3');
    expect(batches).toEqual([[1], [2], [3]]);
  });

  it.each([new Error('gone'), 'text', 0, null])('rejects with its reason: %p', async (reason) => {
    const { loader } = recorded();
    const leave = new AbortController();
    const load = outcomeOf(loader.load(1, { signal: leave.signal }));
    leave.abort(reason);

    expect(await load).toEqual({ error: reason });
  });

  it('rejects at once, before the batch goes and after', async () => {
    const { loader } = controlled({ batchScheduleFn: () => {} });
    const leave = new AbortController();
    const load = loader.load(1, { signal: leave.signal });
    leave.abort('left');
    expect(await outcomeOf(load)).toEqual({ error: 'left' });

    const { loader: other, sent } = controlled();
    const leaveLate = new AbortController();
    const late = other.load(1, { signal: leaveLate.signal });
    await nextTurn();
    expect(sent).toHaveLength(1);
    leaveLate.abort('left');
    expect(await outcomeOf(late)).toEqual({ error: 'left' });
  });

  it('lets one caller leave while the others wait on', async () => {
    const { loader, sent, keys } = controlled<number, string>();
    const leave = [new AbortController(), new AbortController(), new AbortController()];
    const [early, late, staying] = leave.map(({ signal }) => loader.load(1, { signal }));
    const plain = loader.load(1);
    leave[0]?.abort('early');
    expect(await outcomeOf(early as Promise<string>)).toEqual({ error: 'early' });
    leave[1]?.abort('late');
    expect(await outcomeOf(late as Promise<string>)).toEqual({ error: 'late' });
    sent[0]?.resolve(['one']);

    expect(await staying).toBe('one');
    expect(await plain).toBe('one');
    expect(await loader.load(1)).toBe('one');
    expect(keys).toEqual([[1]]);
  });

  it('whose caller leaves keeps the key for one who came before without any', async () => {
    const { loader, sent } = controlled<number, string>();
    const plain = loader.load(1);
    const leave = new AbortController();
    const leaving = loader.load(1, { signal: leave.signal });
    leave.abort('left');
    expect(await outcomeOf(leaving)).toEqual({ error: 'left' });
    sent[0]?.resolve(['one']);

    expect(await plain).toBe('one');
  });

  it('whose caller leaves keeps the key for one who came later without any', async () => {
    const { loader, sent } = controlled<number, string>();
    const leave = new AbortController();
    const leaving = outcomeOf(loader.load(1, { signal: leave.signal }));
    const plain = loader.load(1);
    leave.abort('left');
    expect(await leaving).toEqual({ error: 'left' });
    sent[0]?.resolve(['one']);

    expect(await plain).toBe('one');
  });

  it('does not send a key that all have left before its batch goes', async () => {
    const { loader, sent, keys } = controlled<number, string>();
    const leave = new AbortController();
    const left = [
      loader.load(1, { signal: leave.signal }),
      loader.load(1, { signal: leave.signal }),
      loader.load(3, { signal: leave.signal }),
    ].map(outcomeOf);
    const staying = [loader.load(2), loader.load(4)];
    leave.abort('left');
    expect(await Promise.all(left)).toEqual(Array(3).fill({ error: 'left' }));
    expect(keys).toEqual([[2, 4]]);
    sent[0]?.resolve(['two', 'four']);

    expect(await Promise.all(staying)).toEqual(['two', 'four']);
  });

  it('calls no batch function for keys that all have left', async () => {
    const { loader, batches } = recorded();
    const leave = new AbortController();
    const left = [1, 2].map((key) => outcomeOf(loader.load(key, { signal: leave.signal })));
    leave.abort('left');
    await Promise.all(left);
    expect(batches).toEqual([]);

    expect(await loader.load(1)).toBe('v:1');
    expect(batches).toEqual([[1]]);
  });

  it('sends a key that was left once, when it is wanted again before its batch goes', async () => {
    const { loader, batches } = recorded();
    const leave = new AbortController();
    const left = outcomeOf(loader.load(1, { signal: leave.signal }));
    const other = loader.load(2);
    leave.abort('left');
    const again = loader.load(1, { signal: new AbortController().signal });

    expect(await again).toBe('v:1');
    expect(await other).toBe('v:2');
    expect(await left).toEqual({ error: 'left' });
    expect(batches).toEqual([[2, 1]]);
  });

  it('forgets a key that all have left while it is loaded', async () => {
    const { loader, sent } = controlled<number, string>();
    const leave = new AbortController();
    const left = loader.load(1, { signal: leave.signal });
    await nextTurn();
    leave.abort('left');
    expect(await outcomeOf(left)).toEqual({ error: 'left' });
    const again = loader.load(1);
    await nextTurn();
    sent[0]?.resolve(['old']);
    sent[1]?.resolve(['new']);

    expect(await again).toBe('new');
    expect(await loader.load(1)).toBe('new');
  });

  it('forgets nothing else: a key that was cleared and loaded anew stays', async () => {
    const { loader, sent } = controlled<number, string>();
    const leave = new AbortController();
    const left = outcomeOf(loader.load(1, { signal: leave.signal }));
    const again = loader.clear(1).load(1);
    leave.abort('left');
    await left;
    sent[0]?.resolve(['one']);

    expect(await again).toBe('one');
    expect(await outcomeOf(loader.load(1))).toBe('one');
    expect(sent).toHaveLength(1);
  });

  it('whose key a cacheMap has dropped meanwhile forgets nothing that was loaded anew', async () => {
    const kept = new Map<number, Promise<string>>();
    const { loader, batches } = recorded({ cacheMap: kept });
    const leave = [new AbortController(), new AbortController()];
    const first = outcomeOf(loader.load(1, { signal: leave[0]!.signal }));
    kept.delete(1);
    const anew = loader.load(1);
    const joined = outcomeOf(loader.load(1, { signal: leave[1]!.signal }));
    for (const each of leave) each.abort('left');

    expect(await Promise.all([first, joined])).toEqual([{ error: 'left' }, { error: 'left' }]);
    expect(await anew).toBe('v:1');
    expect(await loader.load(1)).toBe('v:1');
    expect(batches).toEqual([[1]]);
  });

  it('that fires when the value has come forgets nothing', async () => {
    const { loader, batches } = recorded();
    const leave = new AbortController();
    await loader.load(1, { signal: leave.signal });
    leave.abort();
    await nextTurn();

    expect(await loader.load(1)).toBe('v:1');
    expect(batches).toEqual([[1]]);
  });

  it('that fires a turn after the value has come forgets nothing', async () => {
    const { loader, batches } = recorded();
    const leave = new AbortController();
    await loader.load(1, { signal: leave.signal });
    await nextTurn();
    leave.abort();
    await nextTurn();

    expect(await loader.load(1)).toBe('v:1');
    expect(batches).toEqual([[1]]);
  });

  it('tells an error of the batch as without one', async () => {
    const { loader, sent } = controlled<number, string>();
    const { signal } = new AbortController();
    const load = errorOf(loader.load(1, { signal }));
    await nextTurn();
    const error = new Error('down');
    sent[0]?.reject(error);

    expect(await load).toBe(error);
    const again = loader.load(1, { signal });
    await nextTurn();
    sent[1]?.resolve(['up']);
    expect(await again).toBe('up');
  });

  it('of one caller is given to each load of loadMany', async () => {
    const { loader, keys, sent } = controlled<number, string>();
    const leave = new AbortController();
    const left = loader.loadMany([1, 2], { signal: leave.signal });
    const staying = loader.load(2);
    const reason = new Error('gone');
    leave.abort(reason);

    expect(await left).toEqual([reason, reason]);
    await nextTurn();
    expect(keys).toEqual([[2]]);
    sent[0]?.resolve(['two']);
    expect(await staying).toBe('two');
  });

  it('works with the cache off, where each load is its own', async () => {
    const { loader, batches } = recorded({ cache: false });
    const leave = new AbortController();
    const left = outcomeOf(loader.load(1, { signal: leave.signal }));
    const staying = loader.load(1, { signal: new AbortController().signal });
    leave.abort('left');

    expect(await staying).toBe('v:1');
    expect(await left).toEqual({ error: 'left' });
    expect(batches).toEqual([[1]]);
  });

  it('works on what is kept, and on what was primed', async () => {
    const { loader } = controlled<number, string>({ batchScheduleFn: () => {} });
    loader.prime(1, 'primed');
    const leave = new AbortController();
    const left = loader.load(1, { signal: leave.signal });
    leave.abort('left');

    expect(await outcomeOf(left)).toEqual({ error: 'left' });
  });

  it('works with a window, where nothing is sent when all have left', async () => {
    const clock = fakeClock();
    const { loader, batches } = recorded({ window: 5, clock });
    const leave = new AbortController();
    const left = outcomeOf(loader.load(1, { signal: leave.signal }));
    leave.abort('left');
    await clock.advance(5);

    expect(await left).toEqual({ error: 'left' });
    expect(batches).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('has one listener for all loads of a signal, and leaves none behind', async () => {
    const { loader } = recorded();
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    await loader.loadMany([1, 2, 1], { signal });
    await loader.load(1, { signal });
    await nextTurn();

    expect(added).toHaveBeenCalledTimes(2);
    expect(removed).toHaveBeenCalledTimes(2);
  });
});

describe('the signal of a batch', () => {
  /** A loader whose batch function takes its context, and hangs. */
  function watched(options?: DataLoaderOptions<number, string>) {
    const signals: AbortSignal[] = [];
    const results = deferred<string[]>();
    const loader = new DataLoader<number, string>((_keys, { signal }) => {
      signals.push(signal);
      return results.promise;
    }, options);
    return { loader, signals, results };
  }

  it('fires once every key of it is abandoned, with the last reason', async () => {
    const { loader, signals } = watched();
    const leave = [new AbortController(), new AbortController(), new AbortController()];
    const left = [1, 1, 2].map((key, at) =>
      outcomeOf(loader.load(key, { signal: leave[at]?.signal })),
    );
    await Promise.all(left);
    leave[0]?.abort('first');
    leave[2]?.abort('second');
    expect(signals[0]?.aborted).toBe(false);
    const reason = new Error('last');
    leave[1]?.abort(reason);

    expect(signals[0]?.aborted).toBe(true);
    expect(signals[0]?.reason).toBe(reason);
  });

  it('never fires while somebody waits who cannot leave', async () => {
    const { loader, signals, results } = watched();
    const leave = new AbortController();
    const left = outcomeOf(loader.load(1, { signal: leave.signal }));
    const plain = loader.load(2);
    await left;
    leave.abort();
    expect(signals[0]?.aborted).toBe(false);
    results.resolve(['one', 'two']);

    expect(await plain).toBe('two');
    expect(signals[0]?.aborted).toBe(false);
  });

  it('does not fire when somebody joins a key who cannot leave', async () => {
    const { loader, signals } = watched();
    const leave = new AbortController();
    await outcomeOf(loader.load(1, { signal: leave.signal }));
    void loader.load(1);
    leave.abort();

    expect(signals[0]?.aborted).toBe(false);
  });

  it('does not fire for keys that were never sent', async () => {
    const { loader, signals } = watched();
    const [early, late] = [new AbortController(), new AbortController()];
    const loads = [
      outcomeOf(loader.load(1, { signal: early.signal })),
      outcomeOf(loader.load(2, { signal: late.signal })),
    ];
    early.abort('early');
    await Promise.all(loads);
    expect(signals[0]?.aborted).toBe(false);
    late.abort('late');

    expect(signals[0]?.reason).toBe('late');
  });

  it('fires for one who asks for it late', async () => {
    let context: BatchContext | undefined;
    const loader = new DataLoader<number, string>((_keys, given) => {
      context = given;
      return new Promise<string[]>(() => {});
    });
    const leave = new AbortController();
    await outcomeOf(loader.load(1, { signal: leave.signal }));
    leave.abort('left');
    await nextTurn();

    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBe('left');
  });

  it('is of one batch only', async () => {
    const { loader, signals } = watched({ maxBatchSize: 1 });
    const leave = [new AbortController(), new AbortController()];
    await Promise.all(leave.map(({ signal }, key) => outcomeOf(loader.load(key, { signal }))));
    leave[0]?.abort();

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    leave[1]?.abort();
  });

  it('rejects nobody: what the batch function makes of it is told to none who has left', async () => {
    const loader = new DataLoader<number, string>(
      (_keys, { signal }) =>
        new Promise<string[]>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason);
          });
        }),
    );
    const leave = new AbortController();
    const left = loader.load(1, { signal: leave.signal });
    await nextTurn();
    leave.abort('left');

    expect(await outcomeOf(left)).toEqual({ error: 'left' });
  });
});
