import { AsyncCache } from '@acache/core';
import { failingTier, fakeClock, hangingTier, memoryTier } from '@acache/core/testing';
import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted, rejection, times } from '../test/counted.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache();
  session = runtime.session({ loopDetection: false });
});

describe('an answer', () => {
  it('may be undefined or null', async () => {
    for (const value of [undefined, null]) {
      const read = counted(async () => value);
      const get = runtime.read({ name: `get ${value}` }, read);
      expect(await session.run(() => times(3, () => get()))).toEqual([value, value, value]);
      expect(read.runs).toBe(1);
    }
  });

  it('is a copy for every caller, the first and those who join included', async () => {
    const own = { list: [1] };
    const get = runtime.read({ name: 'get' }, async () => own);
    await session.run(async () => {
      const answers = await Promise.all([get(), get()]);
      for (const answer of [...answers, await get()]) {
        expect(answer).toEqual({ list: [1] });
        expect(answer).not.toBe(own);
        answer.list.push(2);
      }
      own.list.push(3);
      expect(await get()).toEqual({ list: [1] });
    });
  });

  it('is shared with `clone: false`, and copied by a function', async () => {
    const own = { n: 1 };
    const shared = runtime.read({ name: 'shared', clone: false }, async () => own);
    const copied = runtime.read(
      { name: 'copied', clone: (value: object) => ({ ...value, copy: true }) },
      async () => own,
    );
    await session.run(async () => {
      expect(await shared()).toBe(own);
      expect(await shared()).toBe(own);
      expect(await copied()).toEqual({ n: 1, copy: true });
    });
  });

  it('that cannot be copied is returned and not stored', async () => {
    const read = counted(async () => ({ n: 1 }));
    const get = runtime.read(
      {
        name: 'get',
        clone: () => {
          throw new Error('no');
        },
      },
      read,
    );
    const errors = jest.fn();
    runtime.on('error', errors);
    expect(await session.run(() => times(2, () => get()))).toEqual([{ n: 1 }, { n: 1 }]);
    expect(read.runs).toBe(2);
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ source: 'policy', tool: 'get' }));
  });

  it('lives as long as its ttl, and stale as long as the policy says', async () => {
    const clock = fakeClock();
    const on = createAgentCache({ cache: new AsyncCache({ clock }) });
    let n = 0;
    const get = on.read(
      { name: 'get', ttl: '10s', staleWhileRevalidate: '5s', staleIfError: '1m' },
      async () => {
        if (n === 2) throw new Error('down');
        return ++n;
      },
    );
    await on.session({ loopDetection: false }).run(async () => {
      expect(await get()).toBe(1);
      await clock.advance(11_000);
      expect(await get()).toBe(1);
      await settle();
      expect(await get()).toBe(2);
      await clock.advance(16_000);
      expect(await get()).toBe(2);
    });
    expect(on.getMetrics()).toMatchObject({ calls: 4, hits: 3, misses: 1, loads: 3, errors: 0 });
  });

  it.each([
    ['a generator', () => [1, 2][Symbol.iterator]()],
    [
      'a stream',
      () =>
        new ReadableStream({
          start(controller) {
            controller.enqueue(1);
            controller.close();
          },
        }),
    ],
    ['a response', () => new Response('x')],
  ])('that can be read once, such as %s, is neither stored nor shared', async (_, make) => {
    const read = counted(async () => make() as object);
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      const [one, other] = await Promise.all([get(), get()]);
      expect(one).not.toBe(other);
      expect(await get()).not.toBe(one);
    });
    expect(read.runs).toBe(3);
    expect(session.getMetrics().loads).toBe(3);
  });
});

describe('what is not stored', () => {
  it('is an error, which reaches every caller unchanged', async () => {
    const error = { not: 'even an Error' };
    const read = counted(async () => {
      throw error;
    });
    const get = runtime.read({ name: 'get' }, read);
    await session.run(async () => {
      const outcomes = await Promise.allSettled([get(), get(), get()]);
      for (const outcome of outcomes) {
        expect(outcome).toEqual({ status: 'rejected', reason: error });
        expect((outcome as PromiseRejectedResult).reason).toBe(error);
      }
      await expect(get()).rejects.toBe(error);
    });
    expect(read.runs).toBe(2);
    expect(session.getMetrics()).toMatchObject({
      calls: 4,
      misses: 4,
      joined: 2,
      loads: 2,
      errors: 4,
    });
  });

  it('is an error, also in a cache that remembers those of its other loads', async () => {
    const on = createAgentCache({ cache: new AsyncCache({ errorTtl: '1h' }) });
    let runs = 0;
    const get = on.read({ name: 'get' }, async () => {
      throw new Error(`${++runs}`);
    });
    const its = on.session({ loopDetection: false });
    for (const message of ['1', '2']) {
      await expect(its.run(() => get())).rejects.toThrow(message);
    }
    expect(its.getMetrics()).toMatchObject({ errors: 2, joined: 0, loads: 2 });
  });

  it('is a result that isError or shouldCache speaks of', async () => {
    const results = [{ isError: true }, { draft: true }, { ok: 1 }, { ok: 2 }];
    let at = 0;
    const read = async (_: string) => results[at++];
    const get = runtime.read(
      {
        name: 'get',
        isError: (result: { isError?: boolean }) => result.isError === true,
        shouldCache: (result: { draft?: boolean }, id: string) =>
          result.draft !== true && id === 'a',
      },
      read,
    );
    expect(await session.run(() => times(4, () => get('a')))).toEqual([
      { isError: true },
      { draft: true },
      { ok: 1 },
      { ok: 1 },
    ]);
    expect(session.getMetrics()).toMatchObject({ errors: 1, hits: 1, misses: 3 });
  });

  it('is what a function of the policy cannot judge', async () => {
    const read = counted(async () => 1);
    const get = runtime.read(
      {
        name: 'get',
        shouldCache: () => {
          throw new Error('no');
        },
      },
      read,
    );
    await session.run(() => times(2, () => get()));
    expect(read.runs).toBe(2);
  });

  it('is what a child loads whose session has ended', async () => {
    const slow = deferred<number>();
    const read = counted(() => slow.promise);
    const get = runtime.read({ name: 'get' }, read);
    const child = runtime.session({ parent: session });
    const late = child.run(() => get());
    await settle();
    await child.end();
    slow.resolve(1);
    expect(await late).toBe(1);
    await session.run(() => get());
    expect(read.runs).toBe(2);
  });
});

describe('a key', () => {
  it('tells tools, versions, arguments, sessions and scopes apart', async () => {
    const cache = new AsyncCache({ maxSize: null });
    const on = createAgentCache({ cache });
    let n = 0;
    const load = async (..._: unknown[]) => ++n;
    const tools = [
      on.read({ name: 'a' }, load),
      on.read({ name: 'b' }, load),
      on.read({ name: 'a', version: 1 }, load),
      on.read({ name: 'a', version: '1' }, load),
      on.read({ name: 'a', scope: 'global' }, load),
    ];
    const calls = [[], [1], ['1'], [{ a: '1' }], [{ a: 1 }], [{ a: '1,b:2' }], [{ a: '1', b: 2 }]];
    const read = async () => {
      const seen = [];
      for (const tool of tools) for (const args of calls) seen.push(await tool(...args));
      return seen;
    };
    const one = on.session({ loopDetection: false });
    const other = on.session({ loopDetection: false });
    const first = await one.run(read);
    expect(new Set(first).size).toBe(tools.length * calls.length);
    expect(await one.run(read)).toEqual(first);
    const second = await other.run(read);
    expect(second.filter((value) => first.includes(value))).toHaveLength(calls.length);
  });

  it('is the arguments by value, or what `key` and `vary` say', async () => {
    let tenant = 'x';
    const read = counted(async (a: { id: number; noise: number }) => `${tenant} ${a.id}`);
    const get = runtime.read(
      {
        name: 'get',
        key: (a: { id: number }) => a.id,
        vary: () => tenant,
      },
      read,
    );
    await session.run(async () => {
      expect(await get({ id: 1, noise: 1 })).toBe('x 1');
      expect(await get({ id: 1, noise: 2 })).toBe('x 1');
      tenant = 'y';
      expect(await get({ id: 1, noise: 1 })).toBe('y 1');
    });
    expect(read.runs).toBe(2);
  });

  it('gives `vary` what the SDK hands the tool, too', async () => {
    const vary = jest.fn((_input: unknown, context: { user: string }) => context.user);
    const tool = runtime.tool({ name: 'tool', effect: 'read', vary });
    const call = (user: string) =>
      tool.call([{ id: 1 }], () => user, { session, context: { user } });
    expect([await call('a'), await call('b'), await call('a')]).toEqual(['a', 'b', 'a']);
    expect(vary).toHaveBeenCalledWith({ id: 1 }, { user: 'a' });
    expect(session.getMetrics()).toMatchObject({ hits: 1, misses: 2 });
  });

  it('that cannot be made leaves the call uncached', async () => {
    const read = counted(async (_: unknown) => 1);
    const get = runtime.read({ name: 'get' }, read);
    const failing = runtime.read(
      {
        name: 'failing',
        key: () => {
          throw new Error('no');
        },
      },
      read,
    );
    const warned = warnings();
    await session.run(() => times(2, () => get(() => 1)));
    await session.run(() => times(2, () => failing(1)));
    expect(read.runs).toBe(4);
    expect(session.getMetrics()).toMatchObject({ calls: 4, hits: 0, misses: 4, loads: 4 });
    expect(warned()).toEqual(['ACACHE_AGENT_UNKEYABLE', 'ACACHE_AGENT_UNKEYABLE']);
  });
});

describe('without a session', () => {
  it('a read runs uncached, and warns once', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get' }, read);
    const warned = warnings();
    await Promise.all([get(), get()]);
    await get();
    expect(read.runs).toBe(3);
    expect(warned()).toEqual(['ACACHE_AGENT_NO_SESSION']);
    expect(runtime.getMetrics()).toMatchObject({ calls: 3, misses: 3, loads: 3, joined: 0 });
  });

  it('a global read is cached all the same', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get', scope: 'global' }, read);
    const warned = warnings();
    await times(3, () => get());
    await session.run(() => get());
    expect(read.runs).toBe(1);
    expect(warned()).toEqual([]);
    expect(runtime.getMetrics()).toMatchObject({ calls: 4, hits: 3 });
    expect(session.getMetrics()).toMatchObject({ calls: 1, hits: 1 });
  });

  it('no loops are looked for', async () => {
    const get = runtime.guard({ name: 'get' }, async () => 1);
    await times(60, () => get());
    expect(runtime.getMetrics()).toMatchObject({ calls: 60, loopDetections: 0 });
  });
});

describe('a caller', () => {
  it('who leaves rejects alone; the tool is told once nobody waits', async () => {
    const slow = deferred<number>();
    let inner: AbortSignal | undefined;
    const tool = runtime.tool({ name: 'tool', effect: 'read' });
    const [one, other] = [new AbortController(), new AbortController()];
    const call = ({ signal }: AbortController) =>
      tool.call(
        [],
        (context) => {
          inner = context.signal;
          return slow.promise;
        },
        { session, signal },
      );
    const calls = [call(one), call(other)];
    await settle();
    one.abort(new Error('one'));
    await expect(calls[0]).rejects.toThrow('one');
    expect(inner?.aborted).toBe(false);
    other.abort(new Error('other'));
    await expect(calls[1]).rejects.toThrow('other');
    expect(inner?.aborted).toBe(true);
    slow.resolve(1);
    await settle();
    expect(await call(new AbortController())).toBe(1);
    expect(session.getMetrics()).toMatchObject({ calls: 3, misses: 3, loads: 2, errors: 0 });
  });

  it('leaves no listener on its signal', async () => {
    const { signal } = new AbortController();
    const [add, remove] = [
      jest.spyOn(signal, 'addEventListener'),
      jest.spyOn(signal, 'removeEventListener'),
    ];
    for (const effect of ['read', 'mutate', 'unknown'] as const) {
      const tool = runtime.tool({ name: effect, effect });
      for (const id of [1, 2, 1]) await tool.call([id], async () => id, { session, signal });
      const stream = tool.stream(
        [3],
        async function* () {
          yield 1;
        },
        { session, signal },
      );
      for await (const item of stream) expect(item).toBe(1);
    }
    expect(remove).toHaveBeenCalledTimes(add.mock.calls.length);
  });

  it('who has left already loads nothing', async () => {
    const read = counted(() => 1);
    const reason = new Error('gone');
    for (const effect of ['read', 'mutate', 'unknown'] as const) {
      const tool = runtime.tool({ name: effect, effect });
      const call = tool.call([], read, { session, signal: AbortSignal.abort(reason) });
      await expect(call).rejects.toBe(reason);
    }
    expect(read.runs).toBe(0);
  });

  it('of a mutation is told by its own signal alone', async () => {
    const tool = runtime.tool({ name: 'tool', effect: 'mutate' });
    const { signal } = new AbortController();
    expect(await tool.call([], (context) => context.signal, { session, signal })).toBe(signal);
    expect(await tool.call([], (context) => context.signal, { session })).toBeUndefined();
  });
});

describe('what a tool calls', () => {
  it('belongs to the session of its own call', async () => {
    const inner = runtime.guard({ name: 'inner' }, async () => runtime.current());
    const around = runtime.session();
    for (const effect of ['read', 'mutate', 'unknown'] as const) {
      const outer = runtime.tool({ name: effect, effect, clone: false });
      const call = outer.call([], () => inner(), { session });
      expect(await around.run(() => call)).toBe(session);
    }
    expect(around.getMetrics().calls).toBe(0);
    expect(session.getMetrics().calls).toBe(6);
  });
});

describe('a tool that calls itself', () => {
  it('does not wait for its own end', async () => {
    let depth = 0;
    const get: () => Promise<number> = runtime.read({ name: 'get' }, async () =>
      ++depth < 3 ? get() : depth,
    );
    const all: () => Promise<number> = runtime.read({ name: 'all', scope: 'global' }, async () =>
      ++depth < 6 ? session.run(() => session.bind(all)()) : depth,
    );
    expect(await session.run(() => get())).toBe(3);
    expect(await all()).toBe(6);
    expect(await session.run(async () => [await get(), await all()])).toEqual([3, 6]);
  });

  it('or was wrapped twice under one name, neither', async () => {
    const read = counted(async (id: string) => id);
    const get = runtime.read({ name: 'get' }, runtime.read({ name: 'get' }, read));
    expect(await session.run(() => times(2, () => get('a')))).toEqual(['a', 'a']);
    expect(read.runs).toBe(1);
  });

  it('but waits for that of another caller', async () => {
    const slow = deferred<number>();
    const read = counted(() => slow.promise);
    const inner = runtime.read({ name: 'inner' }, read);
    const outer = runtime.read({ name: 'outer' }, () => inner());
    const both = session.run(() => Promise.all([inner(), outer()]));
    await settle();
    slow.resolve(1);
    expect(await both).toEqual([1, 1]);
    expect(read.runs).toBe(1);
  });
});

describe('a cache that fails', () => {
  const broken = (message: string) => {
    const fail = () => Promise.reject(new Error(message));
    return { getWithMeta: fail, invalidateTags: fail };
  };

  it('fails no tool', async () => {
    const on = createAgentCache({ cache: broken('cache down') });
    const errors = jest.fn();
    on.on('error', errors);
    const read = counted(async () => 'value');
    const get = on.read({ name: 'get', resource: 'x' }, read);
    const set = on.mutate({ name: 'set', resource: 'x' }, async () => 'done');
    const fail = on.mutate({ name: 'fail', resource: 'x' }, async () => {
      throw new Error('mine');
    });
    const down = on.read({ name: 'down' }, async () => {
      throw new Error('mine, too');
    });
    const its = on.session();
    await its.run(async () => {
      expect(await times(2, () => get())).toEqual(['value', 'value']);
      expect(await set()).toBe('done');
      await expect(fail()).rejects.toThrow('mine');
      await expect(down()).rejects.toThrow('mine, too');
    });
    await its.end();
    await on.invalidate('x');
    expect(read.runs).toBe(2);
    expect(errors).toHaveBeenCalledWith(expect.objectContaining({ source: 'cache', tool: 'get' }));
    expect(its.getMetrics()).toMatchObject({ calls: 5, misses: 3, loads: 3, errors: 2 });
  });

  it('or is closed meanwhile does not run the tool twice', async () => {
    const cache = new AsyncCache();
    const on = createAgentCache({ cache });
    const slow = deferred<number>();
    const read = counted(() => slow.promise);
    const get = on.read({ name: 'get' }, read);
    const answer = on.session().run(() => get());
    await settle();
    await cache.close();
    slow.resolve(1);
    expect(await answer).toBe(1);
    expect(read.runs).toBe(1);
    expect(await on.session().run(() => get())).toBe(1);
  });

  it('by its tier leaves everything to memory', async () => {
    const tier = failingTier(memoryTier());
    const cache = new AsyncCache({ name: 'x', tier });
    const on = createAgentCache({ cache });
    const read = counted(async () => 1);
    const get = on.read({ name: 'get', resource: 'x' }, read);
    const set = on.mutate({ name: 'set', resource: 'x' }, async () => 2);
    await on.session().run(async () => {
      expect(await get()).toBe(1);
      expect(await set()).toBe(2);
      expect(await get()).toBe(1);
    });
    expect(read.runs).toBe(2);
  });

  it('by a tier that hangs keeps nobody waiting for ever', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache({ name: 'x', tier: hangingTier(memoryTier()), clock });
    const on = createAgentCache({ cache });
    let version = 0;
    const get = on.read({ name: 'get', resource: 'x' }, async () => version);
    const set = on.mutate({ name: 'set', resource: 'x' }, async () => ++version);
    const its = on.session();
    const all = its
      .run(async () => [await get(), await set(), await get()])
      .finally(() => its.end());
    for (let second = 0; second < 30; second++) {
      await settle();
      await clock.advance(1000);
    }
    expect(await all).toEqual([0, 1, 1]);
  });

  it('tells its timeout to the caller', async () => {
    const clock = fakeClock();
    const on = createAgentCache({ cache: new AsyncCache({ clock, timeout: '1s' }) });
    const get = on.read({ name: 'get' }, () => new Promise(() => undefined));
    const answer = rejection(on.session().run(() => get()));
    await settle();
    await clock.advance(1000);
    expect(await answer).toMatchObject({ code: 'ERR_ACACHE_LOAD_TIMEOUT' });
  });
});

/** Catches the warnings of this process. */
function warnings(): () => string[] {
  const emit = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  return () => {
    const codes = emit.mock.calls.map(([, options]) => (options as { code: string }).code);
    emit.mockRestore();
    return codes;
  };
}
