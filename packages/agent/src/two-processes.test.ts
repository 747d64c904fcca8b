import { AsyncCache } from '@acache/core';
import { memoryTier, type MemoryTier } from '@acache/core/testing';
import { deferred, settle } from '../../../tools/testing/deferred.js';
import { counted } from '../test/counted.js';
import { createAgentCache } from './index.js';

/** A runtime as another process would have it, on the same tier. */
function startProcess(tier: MemoryTier) {
  const cache = new AsyncCache({ name: 'agents', tier });
  const runtime = createAgentCache({ cache });
  const read = counted(async (id: string) => `${id} ${stock.get(id) ?? 0}`);
  return {
    cache,
    runtime,
    read,
    session: runtime.session({ id: 'conversation', loopDetection: false }),
    get: runtime.read({ name: 'get', resource: 'stock:{0}' }, read),
    getGlobal: runtime.read({ name: 'getGlobal', resource: 'stock:{0}', scope: 'global' }, read),
    set: runtime.mutate(
      { name: 'set', resource: 'stock:{0}' },
      async (id: string, to: number) => void stock.set(id, to),
    ),
  };
}

const stock = new Map<string, number>();
let one: ReturnType<typeof startProcess>;
let other: ReturnType<typeof startProcess>;

beforeEach(() => {
  stock.clear();
  const tier = memoryTier();
  one = startProcess(tier);
  other = startProcess(tier);
});
afterEach(() => Promise.all([one.cache.close(), other.cache.close()]));

describe('one session in two processes', () => {
  it('has its answers in both', async () => {
    expect(await one.session.run(() => one.get('a'))).toBe('a 0');
    expect(await other.session.run(() => other.get('a'))).toBe('a 0');
    expect([one.read.runs, other.read.runs]).toEqual([1, 0]);
    expect(other.runtime.getMetrics()).toMatchObject({ calls: 1, hits: 1 });
  });

  it('reads anew in one what was changed in the other', async () => {
    await one.session.run(() => one.get('a'));
    await one.session.run(() => one.getGlobal('a'));
    await other.session.run(() => other.set('a', 7));
    expect(await one.session.run(() => one.get('a'))).toBe('a 7');
    expect(await one.session.run(() => one.getGlobal('a'))).toBe('a 7');
    expect(one.read.runs).toBe(4);
  });

  it('does not store in one what a change in the other has overtaken', async () => {
    const slow = deferred<void>();
    const read = counted(async (id: string) => {
      const now = stock.get(id) ?? 0;
      await slow.promise;
      return now;
    });
    const get = one.runtime.read({ name: 'slow', resource: 'stock:{0}' }, read);
    const early = one.session.run(() => get('a'));
    await settle();
    await other.session.run(() => other.set('a', 7));
    slow.resolve();
    expect(await early).toBe(0);
    expect(await one.session.run(() => get('a'))).toBe(7);
    expect(read.runs).toBe(2);
  });

  it('is gone in both once it has ended in one', async () => {
    await one.session.run(() => one.get('a'));
    await other.session.run(() => other.get('a'));
    await other.session.end();
    await one.session.run(() => one.get('a'));
    expect([one.read.runs, other.read.runs]).toEqual([2, 0]);
  });

  it('runs a tool once for both at the same time', async () => {
    await Promise.all([
      one.session.run(() => one.get('a')),
      other.session.run(() => other.get('a')),
    ]);
    expect(one.read.runs + other.read.runs).toBe(1);
  });
});

describe('another session in another process', () => {
  it('sees nothing of it, and is not concerned by its changes', async () => {
    const stranger = other.runtime.session({ id: 'another' });
    await one.session.run(() => one.get('a'));
    await stranger.run(() => other.get('a'));
    expect([one.read.runs, other.read.runs]).toEqual([1, 1]);
    await one.session.run(() => one.set('a', 7));
    await stranger.run(() => other.get('a'));
    expect(other.read.runs).toBe(1);
    await other.runtime.invalidate('stock');
    expect(await stranger.run(() => other.get('a'))).toBe('a 7');
    await one.session.run(() => one.get('a'));
    expect([one.read.runs, other.read.runs]).toEqual([2, 2]);
  });
});
