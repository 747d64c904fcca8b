import { AsyncCache } from '@acache/core';
import { memoryTier } from '@acache/core/testing';
import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted } from '../test/counted.js';
import { INVALIDATION_TIMEOUT } from './invalidations.js';
import { createAgentCache } from './index.js';

failOnUnhandledRejections();
afterEach(() => jest.useRealTimers());

const quiet = { loopDetection: false };

/** A world in a cache that invalidates only while it is well. */
function world(fail: () => Promise<void> = () => Promise.reject(new Error('cache'))) {
  const cache = new AsyncCache();
  const invalidate = cache.invalidateTags.bind(cache);
  const ailment = { active: true, fail };
  const invalidateTags = jest.fn((...tags: string[]) =>
    ailment.active ? ailment.fail() : invalidate(...tags),
  );
  cache.invalidateTags = invalidateTags;
  const runtime = createAgentCache({ cache });
  const errors: unknown[] = [];
  runtime.on('error', ({ error, tool }) => errors.push([tool, (error as Error).message]));
  let version = 0;
  const read = counted(async (_id: string) => version);
  return {
    ailment,
    cache,
    errors,
    invalidateTags,
    read,
    runtime,
    session: runtime.session(quiet),
    get: runtime.read({ name: 'get', resource: 'x:{0}' }, read),
    set: runtime.mutate({ name: 'set', resource: 'x:{0}' }, async (_id: string) => ++version),
    change: () => ++version,
  };
}

describe('what a cache failed to invalidate', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('cache'))],
    [
      'throws',
      () => {
        throw new Error('cache');
      },
    ],
  ] as const)('is neither served nor stored: it %s', async (_, fail) => {
    const { ailment, errors, get, read, session, set } = world(fail);
    await session.run(async () => {
      await get('a');
      await get('b');
      expect(await set('a')).toBe(1);
      expect(errors).toEqual([
        ['set', 'cache'],
        ['set', 'cache'],
      ]);
      expect([await get('a'), await get('a')]).toEqual([1, 1]);
      expect(read.runs).toBe(4);
      // What does not conflict is answered as ever.
      expect(await get('b')).toBe(0);
      expect(read.runs).toBe(4);
      await settle();
      expect(errors.slice(2)).toEqual([
        ['get', 'cache'],
        ['get', 'cache'],
      ]);

      ailment.active = false;
      // This one only tries again.
      expect([await get('a'), await get('a'), await get('a')]).toEqual([1, 1, 1]);
      expect(read.runs).toBe(6);
      expect(errors).toHaveLength(4);
      expect(await get('b')).toBe(0);
    });
    expect(session.getMetrics()).toMatchObject({ errors: 0, hits: 3, misses: 6 });
  });

  it('is made good by the next change, too', async () => {
    const { ailment, get, invalidateTags, read, session, set } = world();
    await session.run(async () => {
      await get('a');
      await set('a');
      ailment.active = false;
      await set('a');
      const asked = invalidateTags.mock.calls.length;
      expect([await get('a'), await get('a')]).toEqual([2, 2]);
      expect(invalidateTags).toHaveBeenCalledTimes(asked);
    });
    expect(read.runs).toBe(2);
  });

  it('is not joined either, and tried again once at a time', async () => {
    const slow = deferred<number>();
    const { ailment, change, invalidateTags, runtime, session } = world();
    const tool = runtime.tool({ name: 'slow', effect: 'read', resource: 'x' });
    const early = tool.call([], () => slow.promise, { session });
    await settle();
    change();
    await runtime.invalidate('x');
    const retried = deferred<undefined>();
    ailment.fail = async () => {
      await retried.promise;
    };
    const asked = invalidateTags.mock.calls.length;
    expect(await tool.call([], () => 1, { session })).toBe(1);
    expect(await tool.call([], () => 2, { session })).toBe(2);
    expect(invalidateTags).toHaveBeenCalledTimes(asked + 1);
    slow.resolve(0);
    expect(await early).toBe(0);
    retried.resolve(undefined);
    await settle();
    expect(await tool.call([], () => 3, { session })).toBe(3);
    expect(await tool.call([], () => 4, { session })).toBe(3);
  });

  it('is not made good by what was asked for before', async () => {
    const { ailment, change, get, runtime, session } = world();
    await session.run(() => get('a'));
    const early = deferred<undefined>();
    ailment.fail = async () => {
      await early.promise;
    };
    const invalidating = runtime.invalidate('x:a');
    ailment.fail = () => Promise.reject(new Error('cache'));
    change();
    await runtime.invalidate('x:a');
    early.resolve(undefined);
    await invalidating;
    expect(await session.run(() => get('a'))).toBe(1);
  });

  it('no other runtime on the same cache serves', async () => {
    const { cache, change, get, runtime, session } = world();
    await session.run(() => get('a'));
    const other = createAgentCache({ cache });
    const its = other.read({ name: 'get', resource: 'x:{0}' }, async (_id: string) => 'anew');
    const same = other.session({ ...quiet, id: session.id });
    expect(await same.run(() => its('a'))).toBe(0);
    change();
    await runtime.invalidate('x:a');
    expect(await same.run(() => its('a'))).toBe('anew');
  });

  it('are the answers of a session that has ended: one of the same id does not find them', async () => {
    const { ailment, change, get, runtime, session } = world();
    await session.run(() => get('a'));
    await session.end();
    change();
    const again = runtime.session({ ...quiet, id: session.id });
    expect(await again.run(() => get('a'))).toBe(1);
    ailment.active = false;
    change();
    expect(await again.run(() => get('a'))).toBe(2);
    change();
    expect([await again.run(() => get('a')), await again.run(() => get('a'))]).toEqual([3, 3]);
  });

  it('may be more than is remembered: then nothing from before is served', async () => {
    const { ailment, change, get, invalidateTags, read, runtime, session } = world();
    await session.run(() => get('a'));
    change();
    await runtime.invalidate('x:a');
    for (let at = 0; at < 3000; at++) await runtime.invalidate(`other:${at}:${at}`);
    const asked = invalidateTags.mock.calls.length;
    await session.run(async () => {
      expect([await get('a'), await get('a')]).toEqual([1, 1]);
      expect(read.runs).toBe(2);
      expect(invalidateTags).toHaveBeenCalledTimes(asked);
      ailment.active = false;
      change();
      await runtime.invalidate('x');
      expect([await get('a'), await get('a')]).toEqual([2, 2]);
    });
  });

  it('is not served to another process through the tier, once it was made good', async () => {
    const tier = memoryTier();
    let version = 0;
    const start = () => {
      const cache = new AsyncCache({ name: 'agents', tier });
      const runtime = createAgentCache({ cache });
      const policy = { name: 'get', resource: 'x', scope: 'global' } as const;
      return { cache, runtime, get: runtime.read(policy, async () => version) };
    };
    const [one, other] = [start(), start()];
    expect([await one.get(), await other.get()]).toEqual([0, 0]);
    const failing = jest.spyOn(one.cache, 'invalidateTags').mockRejectedValue(new Error('down'));
    version++;
    await one.runtime.invalidate('x');
    expect(await one.get()).toBe(1);
    failing.mockRestore();
    expect(await one.get()).toBe(1);
    await settle();
    expect([await other.get(), await one.get()]).toEqual([1, 1]);
    await Promise.all([one.cache.close(), other.cache.close()]);
  });
});

describe('a cache that never answers', () => {
  const never = () => new Promise<void>(() => undefined);
  const timers: Parameters<typeof jest.useFakeTimers>[0] = {
    doNotFake: ['nextTick', 'performance', 'setImmediate'],
  };

  it('holds a mutation, and the end of a session, for a time only', async () => {
    jest.useFakeTimers(timers);
    const { errors, get, session, set } = world(never);
    await session.run(() => get('a'));
    const done = jest.fn();
    const changing = session.run(() => set('a')).then(done);
    await jest.advanceTimersByTimeAsync(2 * INVALIDATION_TIMEOUT - 1);
    expect(done).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await changing;
    expect(done).toHaveBeenCalledWith(1);
    expect(await session.run(() => get('a'))).toBe(1);
    const ending = session.end();
    await jest.advanceTimersByTimeAsync(INVALIDATION_TIMEOUT);
    await ending;
    const message = 'the cache did not invalidate within 5000 ms';
    expect(errors.map((error) => (error as unknown[])[1])).toEqual(Array(4).fill(message));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('and answers after that time in the end, has made good what it was asked for', async () => {
    jest.useFakeTimers(timers);
    const late = deferred<undefined>();
    const { ailment, change, errors, get, invalidateTags, runtime, session } = world(async () => {
      await late.promise;
    });
    change();
    const invalidating = runtime.invalidate('x:a');
    await jest.advanceTimersByTimeAsync(INVALIDATION_TIMEOUT);
    await invalidating;
    expect(errors).toHaveLength(1);
    ailment.active = false;
    late.resolve(undefined);
    await settle();
    expect([await session.run(() => get('a')), await session.run(() => get('a'))]).toEqual([1, 1]);
    expect(session.getMetrics().hits).toBe(1);
    expect(invalidateTags).toHaveBeenCalledTimes(1);
  });
});
