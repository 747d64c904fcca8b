import { fakeClock } from '@acache/core/testing';
import { deferred, settle, type Deferred } from '../test/stores.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { SilenceError } from './store-calls.js';
import { Writes } from './writes.js';

failOnUnhandledRejections();

function setUp(mostOwed = 100) {
  const clock = fakeClock();
  const performed: { readonly wanted: string; readonly done: Deferred<void> }[] = [];
  const state = { mayWrite: true, overflows: 0 };
  const writes = new Writes<string>({
    clock,
    perform: (storeKey, wanted) => {
      const done = deferred<void>();
      performed.push({ wanted: `${storeKey}=${wanted}`, done });
      return done.promise;
    },
    afterFailure: () => 'gone',
    mayWrite: () => state.mayWrite,
    mostOwed,
    overflow: () => state.overflows++,
  });
  const written = (): string[] => performed.map(({ wanted }) => wanted);
  return { clock, performed, state, writes, written };
}

describe('writes', () => {
  it('go one after the other under each key, and only the last of those that wait', async () => {
    const { performed, writes, written } = setUp();
    const all = ['1', '2', '3'].map((wanted) => writes.write('k', wanted));
    void writes.write('other', '1');
    expect(written()).toEqual(['k=1', 'other=1']);
    expect(writes.wanted('k')).toBe('3');
    performed[0]?.done.resolve();
    await settle();
    expect(written()).toEqual(['k=1', 'other=1', 'k=3']);
    performed[2]?.done.resolve();
    expect(await Promise.all(all)).toEqual(['done', 'superseded', 'done']);
    expect(writes.wanted('k')).toBeUndefined();
  });

  it('that failed are owed, as what is wanted then, and made good', async () => {
    const { performed, writes, written } = setUp();
    const write = writes.write('k', 'v');
    performed[0]?.done.reject(new Error('no'));
    await expect(write).rejects.toThrow('no');
    expect([writes.wanted('k'), writes.owed]).toEqual(['gone', 1]);
    const through = writes.through();
    expect(written()).toEqual(['k=v', 'k=gone']);
    performed[1]?.done.resolve();
    await through;
    expect([writes.wanted('k'), writes.owed]).toEqual([undefined, 0]);
  });

  it('wait for one that was given up on, for a minute at most', async () => {
    const { clock, performed, writes, written } = setUp();
    const late = deferred<void>();
    const write = writes.write('k', 'late');
    performed[0]?.done.reject(new SilenceError(100, late.promise));
    await expect(write).rejects.toThrow('did not answer within 100 ms');
    await expect(writes.write('k', 'v')).rejects.toThrow('an earlier write');
    expect(written()).toEqual(['k=late']);
    await clock.advance(60_000);
    const second = writes.write('k', 'v');
    expect(written()).toEqual(['k=late', 'k=v']);
    performed[1]?.done.resolve();
    expect(await second).toBe('done');
    late.resolve();
    await settle();
    expect(written()).toHaveLength(2);
  });

  it('go on by themselves when that one is answered', async () => {
    const { performed, writes, written } = setUp();
    const late = deferred<void>();
    const write = writes.write('k', 'late');
    performed[0]?.done.reject(new SilenceError(100, late.promise));
    await expect(write).rejects.toThrow();
    late.resolve();
    await settle();
    expect(written()).toEqual(['k=late', 'k=gone']);
  });

  it('are not tried while the store is down', async () => {
    const { performed, state, writes, written } = setUp();
    state.mayWrite = false;
    await expect(writes.write('k', 'v')).rejects.toThrow('the store is down');
    await expect(writes.through()).rejects.toThrow('the store is down');
    expect(written()).toEqual([]);
    state.mayWrite = true;
    writes.makeGood();
    expect(written()).toEqual(['k=gone']);
    performed[0]?.done.resolve();
    await settle();
    expect(writes.owed).toBe(0);
  });

  it('say when more of them failed than are remembered', async () => {
    const { state, writes } = setUp(2);
    state.mayWrite = false;
    for (const key of ['a', 'b', 'c', 'd']) await writes.write(key, 'v').catch(() => undefined);
    expect(state.overflows).toBe(1);
    for (const [key] of [...writes.entries()]) writes.forget(key);
    expect(writes.owed).toBe(0);
    expect([...writes.entries()]).toEqual([]);
  });

  it('of what is not wanted any more are over for who waits', async () => {
    const { performed, writes } = setUp();
    const write = writes.write('k', 'v');
    writes.forget('k');
    expect(await write).toBe('superseded');
    performed[0]?.done.reject(new Error('no'));
    await settle();
    expect(writes.owed).toBe(0);
  });
});
