import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted, rejection, times } from '../test/counted.js';
import {
  AgentCache,
  AgentCacheSession,
  AgentLoopDetectedError,
  createAgentCache,
  type AgentCacheRuntime,
  type LoopInfo,
} from './index.js';
import { currentFrame } from './session-context.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
const current = () => currentFrame()?.session;

beforeEach(() => {
  runtime = createAgentCache();
});

describe('a session', () => {
  it('has an id of its own, or the one it is given', () => {
    expect(new AgentCacheSession().id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new AgentCacheSession({ id: 'c:1' }).id).toBe('c:1');
  });

  it.each([
    [{ id: '' }, "id must be a text, got ''"],
    [{ id: 7 }, 'id must be a text, got 7'],
    [
      { maxToolRepeats: 0 },
      'maxToolRepeats must be a whole number of at least 1, or Infinity, got 0',
    ],
    [{ maxExecutionDepth: 1.5 }, 'maxExecutionDepth must be a whole number of at least 1'],
    [{ maxToolFailures: '3' }, 'maxToolFailures must be a whole number of at least 1'],
    [{ maxStagnantCalls: NaN }, 'maxStagnantCalls must be a whole number of at least 1'],
    [{ loopDetection: 'yes' }, "loopDetection must be true or false, got 'yes'"],
    [{ onLoop: 'allow' }, 'onLoop must be throw, warn, short-circuit, steer or a function'],
    [{ parent: {} }, 'parent must be a session, got an object'],
    [{ runtime: {} }, 'runtime must be of createAgentCache(), got an object'],
    [{ signal: {} }, 'signal must be an AbortSignal, got an object'],
    [{ cache: 'own' }, "cache must be 'shared' or 'isolated', got 'own'"],
    ['x', "the options of a session must be an object, got 'x'"],
  ])('refuses the options %j', (options, message) => {
    expect(() => new AgentCacheSession(options as never)).toThrow(message);
  });

  it('takes Infinity for no limit', async () => {
    const session = runtime.session({
      maxToolRepeats: Infinity,
      maxExecutionDepth: Infinity,
      maxStagnantCalls: Infinity,
    });
    const get = runtime.read({ name: 'get' }, async () => 1);
    await session.run(() => times(200, () => get()));
    expect(session.getMetrics().calls).toBe(200);
  });
});

describe('run', () => {
  it('makes what is called inside belong to the session, however deep and late', async () => {
    const session = new AgentCacheSession();
    const later = deferred();
    let late: Promise<unknown> | undefined;
    const result = await session.run(async (given) => {
      expect(given).toBe(session);
      late = later.promise.then(current);
      await settle();
      return [current(), await new Promise((resolve) => setImmediate(() => resolve(current())))];
    });
    expect(result).toEqual([session, session]);
    later.resolve(undefined);
    expect(await late).toBe(session);
    expect(current()).toBeUndefined();
  });

  it('leaks nothing to its caller, not even before its first await', async () => {
    const running = new AgentCacheSession().run(async () => settle());
    expect(current()).toBeUndefined();
    await running;
    expect(current()).toBeUndefined();
    await expect(
      new AgentCacheSession().run(() => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(current()).toBeUndefined();
  });

  it('leaves a context of the user`s own as it is, inside of tools and streams, too', async () => {
    const own = new AsyncLocalStorage<string>();
    const look = () => own.getStore();
    const tools = [runtime.read({ name: 'r' }, look), runtime.mutate({ name: 'm' }, look)];
    const stream = runtime.read({ name: 's' }, async function* () {
      yield look();
      await settle();
      yield look();
    });
    await own.run('mine', async () => {
      const session = runtime.session();
      for (const tool of tools) expect(await session.run(() => tool())).toBe('mine');
      for await (const item of session.bind(stream)()) expect(item).toBe('mine');
    });
  });

  it('may be given a tool itself, which then has the session as its argument', async () => {
    const read = counted(async (session: AgentCacheSession) => session.id);
    const get = runtime.read({ name: 'get' }, read);
    const session = runtime.session({ id: 's' });
    expect([await session.run(get), await session.run(get)]).toEqual(['s', 's']);
    expect(read.runs).toBe(1);
  });

  it('is nested, the inner one counts', async () => {
    const outer = new AgentCacheSession();
    const inner = new AgentCacheSession();
    await outer.run(async () => {
      expect(await inner.run(current)).toBe(inner);
      expect(current()).toBe(outer);
    });
  });

  it('as a static method begins and ends one', async () => {
    let session: AgentCacheSession | undefined;
    const value = await AgentCacheSession.run({ id: 'x' }, async (given) => {
      session = given;
      expect(current()).toBe(given);
      return 7;
    });
    expect([value, session?.id]).toEqual([7, 'x']);
    await expect(session?.run(() => 1)).rejects.toMatchObject({
      code: 'ERR_ACACHE_SESSION_ENDED',
    });
    const failing = AgentCacheSession.run({}, (given) => {
      session = given;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await expect(session?.run(() => 1)).rejects.toThrow(/has ended/);
  });

  it('keeps a hundred at a time apart', async () => {
    const read = counted(async (key: string) => {
      await settle();
      return `${current()?.id} ${key}`;
    });
    const get = runtime.read({ name: 'get' }, read);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        runtime
          .session({ id: `s${at}` })
          .run(async () => [await get('a'), await get('b'), await get('a')]),
      ),
    );
    for (const [at, answer] of answers.entries()) {
      expect(answer).toEqual([`s${at} a`, `s${at} b`, `s${at} a`]);
    }
    expect(read.runs).toBe(200);
  });
});

describe('bind', () => {
  it('makes a function belong to the session, and leaves it as it is', async () => {
    const session = new AgentCacheSession();
    async function add(this: { id: string }, a: number, b: number) {
      await settle();
      return [this.id, a + b, current()];
    }
    const call = session.bind(add);
    expect(await call.call({ id: 'tool' }, 1, 2)).toEqual(['tool', 3, session]);
    expect([call.name, call.length]).toEqual(['add', 2]);
    expect(session.bind(() => current())()).toBe(session);
    expect(current()).toBeUndefined();
    expect(() => session.bind('x' as never)).toThrow("bind takes a function, got 'x'");
  });

  it('beats the session around the call, and one that the tool was given', async () => {
    const [around, given, bound] = [0, 1, 2].map(() => runtime.session());
    const tool = runtime.tool({ name: 'tool' });
    const call = async () => tool.call([], () => current(), { session: given! });
    await around!.run(async () => {
      expect(await call()).toBe(given);
      expect(await bound!.bind(call)()).toBe(bound);
      expect(await bound!.bind(() => around!.run(() => tool.call([], current)))()).toBe(around);
    });
    expect(bound!.getMetrics().calls).toBe(1);
    expect(given!.getMetrics().calls).toBe(1);
  });

  it('makes the steps of a generator belong to it, too', async () => {
    const session = new AgentCacheSession();
    const steps = session.bind(async function* () {
      yield current();
      await settle();
      yield current();
    })();
    const seen = [];
    for await (const step of steps) seen.push(step);
    expect(seen).toEqual([session, session]);
  });
});

describe('the end', () => {
  it('refuses calls from then on, in children as well', async () => {
    const get = runtime.read({ name: 'get' }, async () => 1);
    const set = runtime.mutate({ name: 'set' }, async () => 1);
    const session = runtime.session();
    const child = runtime.session({ parent: session });
    const call = session.bind(get);
    await session.end();
    await session.end();
    const ended = { code: 'ERR_ACACHE_SESSION_ENDED' };
    await expect(call()).rejects.toMatchObject(ended);
    await expect(session.bind(set)()).rejects.toMatchObject(ended);
    await expect(child.bind(get)()).rejects.toMatchObject(ended);
    await expect(child.run(() => 1)).rejects.toMatchObject(ended);
    expect(runtime.getMetrics().calls).toBe(0);
  });

  it('comes with the block of an `await using`', async () => {
    let outside: AgentCacheSession;
    {
      await using session = new AgentCacheSession();
      outside = session;
      expect(current()).toBeUndefined();
    }
    await expect(outside.run(() => 1)).rejects.toThrow(/has ended/);
  });

  it('drops the answers, and what still loads is not stored', async () => {
    const loading = deferred<number>();
    const read = counted(() => loading.promise);
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    const first = runtime.session({ id: 'a' });
    const late = first.run(() => get());
    await settle();
    await first.end();
    loading.resolve(1);
    expect(await late).toBe(1);
    await runtime.session({ id: 'a' }).run(() => get());
    expect(read.runs).toBe(2);
  });

  it('of a child leaves the answers to its parent', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get' }, read);
    const parent = runtime.session();
    await AgentCacheSession.run({ parent }, () => get());
    await parent.run(() => get());
    expect(read.runs).toBe(1);
    expect(parent.getMetrics()).toMatchObject({ calls: 2, hits: 1, misses: 1 });
  });

  it('drops them in every runtime that the session met', async () => {
    const other = createAgentCache();
    const read = counted(async () => 1);
    const get = other.read({ name: 'get' }, read);
    const session = runtime.session({ id: 'a' });
    await session.run(() => times(2, () => get()));
    await session.end();
    await runtime.session({ id: 'a' }).run(() => get());
    expect(read.runs).toBe(2);
    expect(other.getMetrics().calls).toBe(3);
    expect(runtime.getMetrics().calls).toBe(0);
  });

  it('leaves no listener on the signals it listened to', async () => {
    const given = new AbortController();
    const parent = runtime.session();
    const children = Array.from({ length: 10_000 }, () =>
      runtime.session({ parent, signal: given.signal }),
    );
    for (const child of children) expect(child.signal.aborted).toBe(false);
    expect(getEventListeners(given.signal, 'abort')).toHaveLength(1);
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(1);
    await Promise.all(children.map((child) => child.end()));
    expect(getEventListeners(given.signal, 'abort')).toHaveLength(0);
    expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
    given.abort();
    expect(children[0]!.signal.aborted).toBe(false);
  });

  it('has none at all when nobody asked for the signal', () => {
    const given = new AbortController();
    runtime.session({ signal: given.signal });
    expect(getEventListeners(given.signal, 'abort')).toHaveLength(0);
  });
});

describe('the signal', () => {
  const reason = new Error('enough');

  it('fires with the one that was given, and calls are refused with its reason', async () => {
    const given = new AbortController();
    const get = runtime.read({ name: 'get' }, async () => 1);
    const session = runtime.session({ signal: given.signal });
    const child = runtime.session({ parent: session });
    const { signal } = child;
    await child.run(() => get());
    given.abort(reason);
    expect([signal.aborted, signal.reason]).toEqual([true, reason]);
    expect(session.signal.reason).toBe(reason);
    await expect(session.run(() => get())).rejects.toBe(reason);
    await expect(child.run(() => get())).rejects.toBe(reason);
    expect(session.halted).toBeUndefined();
  });

  it('has fired already in a session made too late', () => {
    const session = runtime.session({ signal: AbortSignal.abort(reason) });
    expect(session.signal.reason).toBe(reason);
    expect(runtime.session({ parent: session }).signal.reason).toBe(reason);
  });

  it('fires in children when their parent halts, and not the other way round', async () => {
    const get = runtime.read({ name: 'get' }, async () => 1);
    const parent = runtime.session({ maxToolRepeats: 1 });
    const child = runtime.session({ parent, maxToolRepeats: 1 });
    const grandchild = runtime.session({ parent: child });
    const { signal } = grandchild;

    const inChild = await rejection(child.run(() => times(2, () => get())));
    expect(child.halted).toBe(inChild);
    expect(grandchild.halted).toBe(inChild);
    expect(signal.reason).toBe(inChild);
    expect(parent.halted).toBeUndefined();
    expect(parent.signal.aborted).toBe(false);
    await expect(grandchild.run(() => get())).rejects.toBe(inChild);
    expect(await parent.run(() => get())).toBe(1);

    const inParent = await rejection(parent.run(() => get()));
    expect(inParent).toBeInstanceOf(AgentLoopDetectedError);
    expect(runtime.session({ parent }).signal.reason).toBe(inParent);
  });
});

describe('a child', () => {
  it('may keep its answers to itself', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    const parent = runtime.session();
    const child = runtime.session({ parent, cache: 'isolated' });
    await parent.run(() => get());
    await child.run(() => get());
    expect(read.runs).toBe(2);
    await child.run(() => get());
    expect(read.runs).toBe(2);
    await child.end();
    await parent.run(() => get());
    expect(read.runs).toBe(2);
    expect(child.getMetrics()).toMatchObject({ calls: 2, hits: 1 });
    expect(parent.getMetrics()).toMatchObject({ calls: 4, hits: 2 });
  });

  it('and its family see each other`s changes, also where they keep answers to themselves', async () => {
    const get = runtime.read({ name: 'get', resource: 'x' }, async () => version);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => ++version);
    let version = 0;
    const quiet = { loopDetection: false };
    const root = runtime.session(quiet);
    const isolated = { ...quiet, parent: root, cache: 'isolated' } as const;
    const family = [root, runtime.session(isolated), runtime.session(isolated)];
    family.push(
      runtime.session({ ...quiet, parent: root }),
      runtime.session({ ...quiet, parent: family[1]! }),
    );
    const stranger = runtime.session(quiet);
    const all = () => Promise.all([stranger, ...family].map((session) => session.run(() => get())));
    await all();
    for (const changing of family) {
      const now = await changing.run(() => set());
      expect(await all()).toEqual([0, now, now, now, now, now]);
    }
  });

  it('has a history of loops of its own', async () => {
    const get = runtime.read({ name: 'get' }, async () => 1);
    const parent = runtime.session({ maxToolRepeats: 2 });
    await parent.run(() => times(2, () => get()));
    for (let at = 0; at < 3; at++) {
      await AgentCacheSession.run({ parent, maxToolRepeats: 2 }, () => times(2, () => get()));
    }
    expect(parent.halted).toBeUndefined();
  });
});

describe('onLoop', () => {
  const loops = (onLoop: ConstructorParameters<typeof AgentCacheSession>[0]) =>
    runtime.session({ maxToolRepeats: 1, ...onLoop });

  it("'warn' runs the call, with an event", async () => {
    const told = jest.fn();
    runtime.on('loop', told);
    const run = counted(async () => 1);
    const tool = runtime.guard({ name: 'tool' }, run);
    const session = loops({ onLoop: 'warn' });
    await session.run(() => times(3, () => tool()));
    expect(run.runs).toBe(3);
    expect(told).toHaveBeenCalledTimes(2);
    const [{ action, loop, sessionId, tool: name }] = told.mock.calls[0];
    expect([action, loop.kind, sessionId, name]).toEqual(['warn', 'repeat', session.id, 'tool']);
    expect(session.halted).toBeUndefined();
    expect(session.getMetrics()).toMatchObject({ calls: 3, loopDetections: 2 });
  });

  it("'warn' lets even depth be overrun; nothing else does", async () => {
    const tool = runtime.guard({ name: 'tool', loop: false }, async () => 'ran');
    const run = (onLoop: 'warn' | 'steer' | 'short-circuit') =>
      runtime.session({ maxExecutionDepth: 2, onLoop }).run(() => times(4, () => tool()));
    expect(await run('warn')).toEqual(['ran', 'ran', 'ran', 'ran']);
    expect(await run('short-circuit')).toEqual(['ran', 'ran', 'ran', 'ran']);
    expect((await run('steer'))[2]).toMatch(/limit of 2 tool calls/);
    expect(runtime.getMetrics()).toMatchObject({ calls: 8, shortCircuits: 2, steers: 2 });
  });

  it("'steer' answers with a text for the model, in the form an adapter gives it", async () => {
    const run = counted(async () => 1);
    const tool = runtime.tool({ name: 'search', effect: 'read' });
    const session = loops({ onLoop: 'steer' });
    const call = (steered?: (message: string, loop: LoopInfo) => unknown) =>
      tool.call<unknown>([], run, { session, steered });
    await call();
    expect(await call()).toMatch(/search/);
    expect(await call((text, { kind }) => ({ isError: true, text, kind }))).toMatchObject({
      isError: true,
      kind: 'repeat',
    });
    expect(run.runs).toBe(1);
    expect(session.getMetrics()).toMatchObject({ steers: 2, loopDetections: 2, calls: 1 });
  });

  it("'short-circuit' throws again what a mutation failed with", async () => {
    const error = new Error('declined');
    const pay = runtime.mutate({ name: 'pay' }, async () => {
      throw error;
    });
    const session = loops({ onLoop: 'short-circuit' });
    await session.run(async () => {
      await expect(pay()).rejects.toBe(error);
      await expect(pay()).rejects.toBe(error);
    });
    expect(session.getMetrics()).toMatchObject({ shortCircuits: 1, errors: 1, calls: 1 });
  });

  it("'short-circuit' steers where nothing is known", async () => {
    const get = runtime.read({ name: 'get' }, async () => {
      throw new Error('down');
    });
    await loops({ onLoop: 'short-circuit' }).run(async () => {
      await expect(get()).rejects.toThrow('down');
      expect(await get()).toMatch(/get/);
    });
  });

  it("'short-circuit' answers with a copy", async () => {
    const get = runtime.read({ name: 'get' }, async () => [1]);
    await loops({ onLoop: 'short-circuit' }).run(async () => {
      (await get()).push(2);
      (await get()).push(3);
      expect(await get()).toEqual([1]);
    });
  });

  it('as a function decides, and may allow', async () => {
    const seen: LoopInfo[] = [];
    const run = counted(async (_: string) => 1);
    const tool = runtime.guard({ name: 'tool' }, run);
    const session = loops({
      onLoop: (loop) => {
        seen.push(loop);
        return seen.length < 3 ? 'allow' : 'throw';
      },
    });
    const error = await rejection(session.run(() => times(9, () => tool('x'))));
    expect(run.runs).toBe(3);
    expect(seen[0]).toMatchObject({ kind: 'repeat', tool: 'tool', count: 2, limit: 1 });
    expect(session.halted).toBe(error);
    expect(session.getMetrics().loopDetections).toBe(1);
  });

  it('throws when a function answers with what is not known', async () => {
    const tool = runtime.guard({ name: 'tool' }, async () => 1);
    const session = loops({ onLoop: (async () => 'allow') as never });
    await expect(session.run(() => times(2, () => tool()))).rejects.toMatchObject({
      kind: 'repeat',
    });
  });

  it('rejects the call when a function throws, and halts nothing', async () => {
    const tool = runtime.guard({ name: 'tool' }, async () => 1);
    const session = loops({
      onLoop: () => {
        throw new Error('mine');
      },
    });
    await expect(session.run(() => times(2, () => tool()))).rejects.toThrow('mine');
    expect(session.halted).toBeUndefined();
  });

  it('of the parent decides about its depth', async () => {
    const tool = runtime.guard({ name: 'tool' }, async (n: number) => n);
    const parent = runtime.session({ maxExecutionDepth: 1, onLoop: 'steer' });
    const child = runtime.session({ parent });
    expect(await child.run(() => tool(1))).toBe(1);
    expect(await child.run(() => tool(2))).toMatch(/limit of 1/);
    expect(parent.getMetrics()).toMatchObject({ calls: 1, steers: 1 });
    expect(child.halted).toBeUndefined();
  });
});

describe('loops', () => {
  it('are not looked for where they are turned off', async () => {
    const tool = runtime.guard({ name: 'tool' }, async () => 1);
    const session = runtime.session({ loopDetection: false, maxToolRepeats: 1 });
    await session.run(() => times(100, () => tool()));
    expect(session.getMetrics()).toMatchObject({ calls: 100, loopDetections: 0 });
  });

  it('are forgotten by resetLoops, and depth is not', async () => {
    const tool = runtime.guard({ name: 'tool' }, async () => 1);
    const session = runtime.session({ maxToolRepeats: 2, maxExecutionDepth: 5 });
    await session.run(async () => {
      await times(2, () => tool());
      session.resetLoops();
      await times(2, () => tool());
      session.resetLoops();
      await tool();
      await expect(tool()).rejects.toMatchObject({ kind: 'depth', count: 6 });
    });
  });

  it('are not passed by calls at the same time', async () => {
    const run = counted(async () => settle());
    const pay = runtime.mutate({ name: 'pay' }, run);
    const outcomes = await runtime
      .session({ maxToolRepeats: 3 })
      .run(() => Promise.allSettled(Array.from({ length: 10 }, () => pay())));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(run.runs).toBe(3);
  });

  it('do not count calls that were refused', async () => {
    const tool = runtime.guard({ name: 'tool' }, async () => 1);
    const session = runtime.session({ maxToolRepeats: 1 });
    await session.run(() => Promise.allSettled(Array.from({ length: 5 }, () => tool())));
    expect(session.getMetrics()).toMatchObject({ calls: 1, errors: 0, loopDetections: 1 });
  });

  it('do not count a caller who left as a failure', async () => {
    const tool = runtime.tool({ name: 'tool', effect: 'unknown' });
    const session = runtime.session({ maxToolFailures: 2 });
    for (let at = 0; at < 5; at++) {
      const signal = AbortSignal.abort(new Error('left'));
      await expect(tool.call([at], () => 1, { session, signal })).rejects.toThrow('left');
    }
    expect(session.getMetrics()).toMatchObject({ errors: 0, loopDetections: 0 });
  });
});

it('the default runtime is what the decorators work on', async () => {
  const read = counted(async () => 1);
  const get = AgentCache({ name: 'default runtime' })(read);
  await new AgentCacheSession().run(() => times(2, () => get()));
  expect(read.runs).toBe(1);
});
