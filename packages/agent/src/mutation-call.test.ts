import { AsyncCache } from '@acache/core';
import { deferred, settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted, times } from '../test/counted.js';
import { activeIn } from './runtime-parts.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let one: AgentCacheSession;
let other: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache();
  one = runtime.session({ loopDetection: false });
  other = runtime.session({ loopDetection: false });
});

describe('the scope of a mutation', () => {
  /** How often the session reads of two sessions and the global read ran, after a mutation. */
  async function loadsAfter(
    mutate: (set: () => Promise<unknown>) => Promise<unknown>,
    scope: 'session' | 'global',
  ) {
    const session = counted(async () => 1);
    const global = counted(async () => 1);
    const getOwn = runtime.read({ name: 'own', resource: 'x' }, session);
    const getGlobal = runtime.read({ name: 'all', resource: 'x', scope: 'global' }, global);
    const set = runtime.mutate({ name: 'set', resource: 'x', scope }, async () => undefined);
    const read = async (): Promise<number[]> => {
      session.runs = global.runs = 0;
      await one.run(() => getOwn());
      const ofOne = session.runs;
      await other.run(() => getOwn());
      await getGlobal();
      return [ofOne, session.runs - ofOne, global.runs];
    };
    await read();
    await mutate(set);
    return read();
  }

  it.each([
    // in the session, in the other one, global
    ['global', 'one', [1, 1, 1]],
    ['global', 'none', [1, 1, 1]],
    ['session', 'one', [1, 0, 1]],
    ['session', 'none', [0, 0, 1]],
  ] as const)('%s, in session %s, concerns %j', async (scope, where, expected) => {
    const mutate = (set: () => Promise<unknown>) =>
      where === 'one' ? one.run(() => set()) : set();
    expect(await loadsAfter(mutate, scope)).toEqual(expected);
  });

  it('reaches the answers that a child shares with its parent', async () => {
    const child = runtime.session({ parent: one });
    expect(await loadsAfter((set) => child.run(() => set()), 'session')).toEqual([1, 0, 1]);
  });
});

describe('a mutation', () => {
  it('takes its resource from its arguments', async () => {
    const read = counted(async (a: { id: string }) => a.id);
    const get = runtime.read({ name: 'get', resource: 'doc:{id}' }, read);
    const byNumber = runtime.mutate(
      { name: 'n', resource: ['x', 'doc:{1}'] },
      (_: 1, id: string) => id,
    );
    const byFunction = runtime.mutate(
      { name: 'f', resource: (id: string) => [`doc:${encodeURIComponent(id)}`] },
      async (id: string) => id,
    );
    await one.run(async () => {
      const readBoth = async () => {
        read.runs = 0;
        await get({ id: 'a:b' });
        await get({ id: 'a' });
        return read.runs;
      };
      await readBoth();
      await byNumber(1, 'a');
      expect(await readBoth()).toBe(1);
      await byFunction('a:b');
      expect(await readBoth()).toBe(1);
      await byFunction('b');
      expect(await readBoth()).toBe(0);
    });
  });

  it('concerns everything where its resource cannot be told, and warns once', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const read = counted(async (id: string) => id);
    const get = runtime.read({ name: 'get', resource: 'doc:{0}' }, read);
    const widened = runtime.mutate({ name: 'w', resource: 'doc:{id}' }, async (_: object) => 1);
    const failing = runtime.mutate(
      { name: 'f', resource: (a: { doc: { id: string } }) => a.doc.id },
      async (_: object) => 1,
    );
    const wrong = runtime.mutate({ name: 'x', resource: () => 7 as never }, async () => 1);
    await one.run(async () => {
      for (const set of [widened, failing, wrong]) {
        await get('a');
        read.runs = 0;
        await set({});
        await get('a');
        await set({});
        await get('a');
        expect(read.runs).toBe(2);
      }
    });
    expect(warn.mock.calls.map(([, options]) => (options as { code: string }).code)).toEqual(
      Array(3).fill('ACACHE_AGENT_RESOURCE'),
    );
    warn.mockRestore();
  });

  it('without a resource concerns nothing, and a read without one is concerned by nothing', async () => {
    const plain = counted(async () => 1);
    const placed = counted(async () => 1);
    const getPlain = runtime.read({ name: 'plain' }, plain);
    const getPlaced = runtime.read({ name: 'placed', resource: 'x' }, placed);
    const send = runtime.mutate({ name: 'send' }, async () => 1);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => 1);
    await one.run(async () => {
      for (const step of [getPlain, getPlaced, send, getPlaced, set, getPlain]) await step();
    });
    expect([plain.runs, placed.runs]).toEqual([1, 1]);
    expect(one.getMetrics().invalidations).toBe(2);
  });

  it('concerns what has one of its tags', async () => {
    const read = counted(async () => 1);
    const get = runtime.read({ name: 'get', tags: ['t'] }, read);
    const set = runtime.mutate({ name: 'set', tags: ['t'] }, async () => 1);
    await one.run(() => times(2, () => get()));
    await other.run(() => times(2, () => get()));
    await one.run(() => set());
    await one.run(() => get());
    await other.run(() => get());
    expect(read.runs).toBe(3);
  });

  it('gives its own result or error, the same object', async () => {
    const result = { big: 1 };
    const error = new Error('no');
    const ok = runtime.mutate({ name: 'ok' }, async () => result);
    const bad = runtime.mutate({ name: 'bad' }, () => {
      throw error;
    });
    await one.run(async () => {
      expect(await ok()).toBe(result);
      await expect(bad()).rejects.toBe(error);
    });
  });

  it('holds nothing once it is over', async () => {
    const cache = new AsyncCache();
    const on = createAgentCache({ cache });
    const get = on.read({ name: 'get', resource: 'x' }, async () => 1);
    const bad = on.mutate({ name: 'bad', resource: 'x' }, async () => {
      throw new Error('no');
    });
    await on.session().run(async () => {
      await Promise.allSettled([get(), bad(), get(), bad(), get()]);
    });
    expect(activeIn(cache).idle).toBe(true);
  });

  it('is seen by another runtime on the same cache', async () => {
    const cache = new AsyncCache();
    const [a, b] = [createAgentCache({ cache }), createAgentCache({ cache })];
    const slow = deferred<void>();
    const read = counted(async () => 1);
    const get = a.read({ name: 'get', resource: 'x', scope: 'global' }, read);
    const set = b.mutate({ name: 'set', resource: 'x', scope: 'global' }, () => slow.promise);
    const setting = set();
    await settle();
    await get();
    await get();
    expect(a.getMetrics()).toMatchObject({ loads: 2, straddled: 2 });
    slow.resolve();
    await setting;
    await times(2, () => get());
    expect(read.runs).toBe(3);
  });
});

describe('invalidate', () => {
  it('reaches every session and the global answers, and counts as one', async () => {
    const read = counted(async (id: string) => id);
    const get = runtime.read({ name: 'get', resource: 'doc:{0}' }, read);
    const global = runtime.read({ name: 'all', resource: 'doc:{0}', scope: 'global' }, read);
    const readAll = async () => {
      read.runs = 0;
      for (const id of ['a', 'b']) {
        await one.run(() => get(id));
        await other.run(() => get(id));
        await global(id);
      }
      return read.runs;
    };
    await readAll();
    await runtime.invalidate('doc:a', 'nothing');
    expect(await readAll()).toBe(3);
    await runtime.invalidate('doc');
    expect(await readAll()).toBe(6);
    expect(runtime.getMetrics()).toMatchObject({ invalidations: 2, byTool: {} });
    await expect(runtime.invalidate('')).rejects.toThrow(/takes paths such as/);
    await expect(runtime.invalidate(7 as never)).rejects.toThrow(/got 7/);
  });

  it('takes no placeholders, and what the event said before', async () => {
    const read = counted(async (id: string) => id);
    const get = runtime.read({ name: 'get', resource: 'doc:{0}' }, read);
    await one.run(() => get('{a}'));
    for (const path of ['doc:{0}', 'doc:{id}:x', 'nothing:x{a}y']) {
      await expect(runtime.invalidate('doc', path)).rejects.toMatchObject({
        code: 'ERR_ACACHE_INVALID_OPTION',
        message: `invalidate takes paths such as 'cart:7', with values in the place of placeholders (a brace in an id is %7B), got '${path}'`,
      });
    }
    await one.run(() => get('{a}'));
    expect(read.runs).toBe(1);
    const set = runtime.mutate({ name: 'set', resource: 'doc:{0}' }, async (_id: string) => 1);
    const told: (readonly string[])[] = [];
    runtime.on('invalidate', ({ resources }) => told.push(resources));
    await other.run(() => set('{a}'));
    expect(told).toEqual([['doc:%7Ba%7D']]);
    await runtime.invalidate(...told[0]!);
    await one.run(() => get('{a}'));
    expect(read.runs).toBe(2);
  });

  it('keeps what is being read from being stored', async () => {
    const slow = deferred<number>();
    const read = counted(() => slow.promise);
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    await one.run(async () => {
      const early = get();
      await settle();
      await runtime.invalidate('x');
      slow.resolve(1);
      await early;
      await get();
    });
    expect(read.runs).toBe(2);
    expect(one.getMetrics().straddled).toBe(1);
  });
});
