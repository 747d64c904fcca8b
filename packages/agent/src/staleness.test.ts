import { AsyncCache } from '@acache/core';
import { failingTier, memoryTier } from '@acache/core/testing';
import { deferred, settle, type Deferred } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted } from '../test/counted.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;
let version: number;

const quiet = { loopDetection: false };

beforeEach(() => {
  runtime = createAgentCache();
  session = runtime.session(quiet);
  version = 0;
});

/** A tool that looks, and answers when it is told to. */
function slowRead() {
  const gates: Deferred<undefined>[] = [];
  const read = async (): Promise<number> => {
    const seen = version;
    const gate = deferred<undefined>();
    gates.push(gate);
    await gate.promise;
    return seen;
  };
  return { gates, get: runtime.read({ name: 'get', resource: 'x' }, read) };
}

describe('a read at the time of a mutation', () => {
  it('is returned and not stored: begun before it or during it, also when it fails', async () => {
    const { gates, get } = slowRead();
    const failing = deferred<undefined>();
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => {
      version++;
      await failing.promise;
    });
    await session.run(async () => {
      const before = get();
      const setting = set();
      await settle();
      const during = get();
      await settle();
      for (const gate of gates) gate.resolve(undefined);
      expect([await before, await during]).toEqual([0, 1]);
      failing.reject(new Error('late'));
      await expect(setting).rejects.toThrow('late');
      const after = get();
      await settle();
      expect(gates).toHaveLength(3);
      gates[2]!.resolve(undefined);
      expect([await after, await get()]).toEqual([1, 1]);
    });
    expect(session.getMetrics()).toMatchObject({ hits: 1, loads: 3, straddled: 2 });
  });

  it('is not joined by those who come after it', async () => {
    const { gates, get } = slowRead();
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => ++version);
    await session.run(async () => {
      const early = get();
      await settle();
      await set();
      const late = get();
      await settle();
      expect(gates).toHaveLength(2);
      gates[1]!.resolve(undefined);
      expect(await late).toBe(1);
      gates[0]!.resolve(undefined);
      expect(await early).toBe(0);
      expect(await get()).toBe(1);
    });
  });

  it('sees what it did, before anybody has waited for it', async () => {
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => ++version);
    await session.run(async () => {
      await get();
      const setting = set();
      await settle();
      expect(await get()).toBe(1);
      await setting;
    });
  });

  it('may be inside of it, or it inside of the read', async () => {
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => {
      const seen = [await get()];
      version++;
      seen.push(await get());
      version++;
      return seen;
    });
    const both = runtime.read({ name: 'both', resource: 'x' }, async () => {
      const seen = version;
      if (seen === 2) await set();
      return seen;
    });
    await session.run(async () => {
      expect(await set()).toEqual([0, 1]);
      expect(await get()).toBe(2);
      expect([await both(), await both(), await get()]).toEqual([2, 4, 4]);
    });
  });

  it('is right though that hangs, and what does not concern it is cached', async () => {
    const read = counted(async (_id: number) => version);
    const get = runtime.read({ name: 'get', resource: 'x:{0}' }, read);
    const hang = runtime.mutate(
      { name: 'hang', resource: 'x:{0}' },
      (_id: number) => new Promise<void>(() => undefined),
    );
    await session.run(async () => {
      void hang(1);
      await get(2);
      for (version = 0; version < 3; version++) expect(await get(1)).toBe(version);
      expect(await get(2)).toBe(0);
    });
    expect(read.runs).toBe(4);
    await session.end();
  });

  it('may be in another runtime on the same cache', async () => {
    const cache = new AsyncCache();
    const [one, other] = [createAgentCache({ cache }), createAgentCache({ cache })];
    const { gates, get } = ((runtime = one), slowRead());
    const slow = deferred<undefined>();
    const set = other.mutate({ name: 'set', resource: 'x' }, async () => {
      await slow.promise;
      version++;
    });
    const [its, same] = [one, other].map((on) => on.session({ ...quiet, id: 'same' }));
    const setting = same!.run(() => set());
    await settle();
    const during = its!.run(() => get());
    await settle();
    gates[0]!.resolve(undefined);
    expect(await during).toBe(0);
    slow.resolve(undefined);
    await setting;
    const after = its!.run(() => get());
    await settle();
    gates[1]!.resolve(undefined);
    expect(await after).toBe(1);
  });
});

it('a mutation that is sync, and throws, has invalidated all the same', async () => {
  const get = runtime.read({ name: 'get', resource: 'x' }, () => version);
  const set = runtime.mutate({ name: 'set', resource: 'x' }, () => {
    version++;
    throw new Error('sync');
  });
  await session.run(async () => {
    expect(await get()).toBe(0);
    await expect(set()).rejects.toThrow('sync');
    expect(await get()).toBe(1);
  });
});

it('a tier that is down leaves nothing stale in this process', async () => {
  const ailment = { active: false };
  const cache = new AsyncCache({ name: 'x', tier: failingTier(memoryTier(), ailment) });
  const on = createAgentCache({ cache });
  const get = on.read({ name: 'get', resource: 'x', scope: 'global' }, async () => version);
  const set = on.mutate({ name: 'set', resource: 'x', scope: 'global' }, async () => ++version);
  expect(await get()).toBe(0);
  ailment.active = true;
  for (const expected of [1, 2]) {
    expect(await set()).toBe(expected);
    expect(await get()).toBe(expected);
  }
  await cache.close();
});

describe.each(['caller', 'outer signal', 'end', 'halt'] as const)(
  'a mutation that goes on after its %s is over',
  (how) => {
    it('is seen by every read after what it writes late', async () => {
      const stop = new AbortController();
      const slow = deferred<undefined>();
      const its = runtime.session({
        maxToolRepeats: 1,
        ...(how === 'outer signal' && { signal: stop.signal }),
      });
      const set = runtime.tool({ name: 'set', effect: 'mutate', resource: 'x', scope: 'global' });
      const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
      const global = runtime.read(
        { name: 'all', resource: 'x', scope: 'global' },
        async () => version,
      );
      const seen = () => session.run(() => Promise.all([get(), global()]));
      const write = async () => {
        await slow.promise;
        version++;
      };
      const signal = how === 'caller' ? stop.signal : undefined;
      const writing = set.call([], write, { session: its, signal }).catch(() => undefined);
      await settle();
      if (how === 'end') await its.end();
      else if (how === 'halt') {
        const loop = its.bind(runtime.read({ name: 'loop' }, async () => 1));
        await loop();
        await expect(loop()).rejects.toBe(its.halted);
      } else stop.abort(new Error('stop'));
      expect(await seen()).toEqual([0, 0]);
      slow.resolve(undefined);
      await writing;
      expect(await seen()).toEqual([1, 1]);
    });
  },
);

describe('a stream that mutates', () => {
  const set = () =>
    runtime.mutate({ name: 'set', resource: 'x' }, async function* () {
      yield 1;
      yield 2;
    });

  it('and is neither finished nor left keeps reads uncached, and right', async () => {
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
    await session.run(async () => {
      await set()().next();
      for (version = 0; version < 3; version++) expect(await get()).toBe(version);
    });
  });

  it('and is never begun keeps nothing', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    await session.run(async () => {
      set()();
      await get();
      await get();
    });
    expect(read.runs).toBe(1);
  });
});

describe('a tag', () => {
  it('that a mutation has keeps what is being read from being stored', async () => {
    const slow = deferred<undefined>();
    const read = counted(async () => {
      const seen = version;
      await slow.promise;
      return seen;
    });
    const get = runtime.read({ name: 'get', tags: ['t', 'u'] }, read);
    const set = runtime.mutate({ name: 'set', tags: ['t'] }, async () => ++version);
    await session.run(async () => {
      const early = get();
      await settle();
      await set();
      slow.resolve(undefined);
      expect([await early, await get(), await get()]).toEqual([0, 1, 1]);
    });
    expect(read.runs).toBe(2);
  });

  it.each(['x', 'self|x', 'sub|', 'tag|x', 'g|self|x'])(
    '%j is no resource, and no tag of another',
    async (tag) => {
      const read = counted(async () => 1);
      const get = runtime.read({ name: 'get', tags: [tag], scope: 'global' }, read);
      const set = runtime.mutate({ name: 'set', resource: 'x', scope: 'global' }, async () => 1);
      const cache = new AsyncCache<string>();
      const on = createAgentCache({ cache });
      const its = on.mutate({ name: 'set', resource: 'x', tags: [tag] }, async () => 1);
      await get();
      await set();
      await get();
      expect(read.runs).toBe(1);
      // Nor is it that of what others keep in the same cache.
      await cache.set('mine', 1, { tags: ['x', 'tag|x', 'self|x'] });
      await its();
      expect(cache.peek('mine')).toBe(1);
    },
  );
});
