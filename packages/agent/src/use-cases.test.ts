import { counted, rejection, times } from '../test/counted.js';
import {
  AgentCache,
  AgentCacheInvalidator,
  AgentCacheSession,
  AgentLoopDetectedError,
  createAgentCache,
  getAgentMetrics,
  type LoopInfo,
} from './index.js';

// On the default runtime, as whoever follows the README has it. Names are told apart by it, sessions too.

describe('a shop', () => {
  const carts = new Map<string, string[]>();
  const queries = { cart: 0, product: 0 };

  class Shop {
    @AgentCache({ resource: 'cart:{userId}' })
    async getCart({ userId }: { userId: string }) {
      queries.cart++;
      return [...(carts.get(userId) ?? [])];
    }

    @AgentCache({ resource: 'product:{0}', scope: 'global' })
    async getProduct(id: string) {
      queries.product++;
      return { id, price: 5 };
    }

    @AgentCacheInvalidator({ resource: 'cart:{userId}' })
    async addToCart({ userId, item }: { userId: string; item: string }) {
      carts.set(userId, [...(carts.get(userId) ?? []), item]);
    }

    @AgentCacheInvalidator({ resource: ['cart:{userId}', 'orders'] })
    async checkout({ userId }: { userId: string }) {
      carts.delete(userId);
      return 'paid';
    }
  }

  it('shows a cart as it is after add_to_cart and after checkout, and asks for a product once', async () => {
    const shop = new Shop();
    const [ann, bob] = [{ userId: 'ann' }, { userId: 'bob' }];
    await using session = new AgentCacheSession();
    await session.run(async () => {
      expect(await shop.getCart(ann)).toEqual([]);
      expect(await shop.getCart(bob)).toEqual([]);
      await shop.addToCart({ ...ann, item: 'book' });
      expect(await shop.getCart(ann)).toEqual(['book']);
      expect(await shop.getCart(ann)).toEqual(['book']);
      expect(await shop.getCart(bob)).toEqual([]);
      expect(queries.cart).toBe(3);
      await shop.getProduct('book');
      expect(await shop.checkout(ann)).toBe('paid');
      await shop.getProduct('book');
      expect(await shop.getCart(ann)).toEqual([]);
      expect(queries).toEqual({ cart: 4, product: 1 });
    });
    expect(session.getMetrics()).toMatchObject({
      calls: 10,
      hits: 3,
      misses: 5,
      invalidations: 2,
      loopDetections: 0,
    });
  });
});

describe('support tickets', () => {
  it('are answered to each session from what it has read itself', async () => {
    let status = 'open';
    const read = counted(async (_: number) => status);
    const getTicket = AgentCache({ name: 'support.get', resource: 'ticket:{0}' })(read);
    const close = AgentCacheInvalidator({ name: 'support.close', resource: 'ticket:{0}' })(async (
      _: number,
    ) => {
      status = 'closed';
    });
    await using ann = new AgentCacheSession();
    await using bob = new AgentCacheSession();
    await Promise.all([
      ann.run(async () => {
        expect(await getTicket(1)).toBe('open');
        expect(await getTicket(1)).toBe('open');
      }),
      bob.run(() => getTicket(1)),
    ]);
    expect(read.runs).toBe(2);
    await ann.run(() => close(1));
    expect(await ann.run(() => getTicket(1))).toBe('closed');
    // A session's change reaches that session; Bob's own answers stay until he changes something.
    expect(await bob.run(() => getTicket(1))).toBe('open');
    expect(read.runs).toBe(3);
  });
});

describe('research', () => {
  it('is stopped at the fourth identical search', async () => {
    const find = counted(async (query: string) => `results for ${query}`);
    const search = AgentCache({ name: 'research.search' })(find);
    await using session = new AgentCacheSession({ maxToolRepeats: 3 });
    const before = getAgentMetrics();
    await session.run(async () => {
      expect(await times(3, () => search('llm'))).toEqual(Array(3).fill('results for llm'));
      const error = await rejection(search('llm'));
      expect(error).toBeInstanceOf(AgentLoopDetectedError);
      expect(error).toMatchObject({ kind: 'repeat', tool: 'research.search', count: 4, limit: 3 });
    });
    expect(find.runs).toBe(1);
    expect(getAgentMetrics().loopDetections - before.loopDetections).toBe(1);
    expect(getAgentMetrics().byTool['research.search']).toMatchObject({
      calls: 3,
      hits: 2,
      loads: 1,
    });
  });
});

describe('an inventory', () => {
  it('is stopped at check, update, check, update, by its name', async () => {
    let stock = 10;
    const check = AgentCache({ name: 'check_stock', resource: 'stock:{sku}' })(
      async (_: { sku: string }) => stock,
    );
    const update = AgentCacheInvalidator({ name: 'update_stock', resource: 'stock:{sku}' })(
      async ({ by }: { sku: string; by: number }) => (stock += by),
    );
    await using session = new AgentCacheSession();
    await session.run(async () => {
      expect(await check({ sku: 'a' })).toBe(10);
      await update({ sku: 'a', by: -1 });
      expect(await check({ sku: 'a' })).toBe(9);
      await expect(update({ sku: 'a', by: -1 })).rejects.toThrow(
        'Cycle detected: check_stock -> update_stock',
      );
    });
    expect(stock).toBe(9);
    expect(session.halted).toMatchObject({ kind: 'cycle', tools: ['check_stock', 'update_stock'] });
  });

  it('may be updated by other amounts for as long as it takes', async () => {
    let stock = 10;
    const check = AgentCache({ name: 'check_all', resource: 'all' })(async () => stock);
    const update = AgentCacheInvalidator({ name: 'update_all', resource: 'all:{0}' })(
      async (_: string, by: number) => (stock += by),
    );
    await using session = new AgentCacheSession();
    await session.run(async () => {
      for (let by = 1; by <= 24; by++) {
        await update('a', by);
        expect(await check()).toBe(stock);
      }
    });
    expect(session.halted).toBeUndefined();
  });
});

describe('a payment', () => {
  it('that is refused is tried three times', async () => {
    const charge = counted(async (_: { order: number }) => {
      throw new Error('card declined');
    });
    const pay = AgentCacheInvalidator({ name: 'pay', resource: 'order:{order}' })(charge);
    await using session = new AgentCacheSession({ maxToolRepeats: 3 });
    await session.run(async () => {
      for (let at = 0; at < 3; at++) {
        await expect(pay({ order: 1 })).rejects.toThrow('card declined');
      }
      await expect(pay({ order: 1 })).rejects.toBeInstanceOf(AgentLoopDetectedError);
      await expect(pay({ order: 2 })).rejects.toBeInstanceOf(AgentLoopDetectedError);
    });
    expect(charge.runs).toBe(3);
  });

  it('that is refused whatever the amount is a retry storm', async () => {
    const charge = counted(async (_: { amount: number }) => {
      throw new Error('card declined');
    });
    const pay = AgentCacheInvalidator({ name: 'pay_some', resource: 'account' })(charge);
    await using session = new AgentCacheSession({ maxToolFailures: 4 });
    await session.run(async () => {
      for (let amount = 9; amount > 5; amount--) {
        await expect(pay({ amount })).rejects.toThrow('card declined');
      }
      await expect(pay({ amount: 5 })).rejects.toMatchObject({
        kind: 'retry-storm',
        count: 4,
        limit: 4,
      });
    });
    expect(charge.runs).toBe(4);
  });
});

describe('work', () => {
  it('of a hundred pages is no loop', async () => {
    const list = AgentCache({ name: 'list' })(async (page: number) => ({ page, next: page + 1 }));
    await using session = new AgentCacheSession({ maxExecutionDepth: 100, maxToolRepeats: 1 });
    await session.run(async () => {
      for (let page = 0; page < 100; page++) await list(page);
    });
    expect(session.getMetrics()).toMatchObject({ calls: 100, loopDetections: 0 });
  });

  it('that polls is no loop, declared or with something new each time', async () => {
    let percent = 0;
    const poll = AgentCache({ name: 'poll', loop: { poll: true }, ttl: 0 })(async () => 'running');
    const watch = AgentCache({ name: 'watch', ttl: 0 })(async () => percent++);
    const off = AgentCache({ name: 'off', loop: false })(async () => 'whatever');
    await using session = new AgentCacheSession({ maxExecutionDepth: 150 });
    await session.run(async () => {
      await times(50, poll);
      expect((await times(50, watch)).at(-1)).toBe(49);
      await times(50, off);
      await expect(off()).rejects.toMatchObject({ kind: 'depth', count: 151, limit: 150 });
    });
  });

  it('that edits and tests is no loop, until it makes the same edit again', async () => {
    const runs = { tests: 0 };
    const test = AgentCache({ name: 'test', resource: 'src' })(async () => {
      runs.tests++;
      return '2 of 40 failed';
    });
    const edit = AgentCacheInvalidator({ name: 'edit', resource: 'src:{path}' })(
      async (_: { path: string; patch: number }) => 'done',
    );
    await using session = new AgentCacheSession({ maxToolRepeats: 3, maxExecutionDepth: Infinity });
    await session.run(async () => {
      for (let patch = 0; patch < 30; patch++) {
        await edit({ path: 'a.ts', patch });
        await test();
      }
      expect(runs.tests).toBe(30);
      await edit({ path: 'a.ts', patch: 0 });
      await test();
      const again = edit({ path: 'a.ts', patch: 0 });
      await expect(again).rejects.toThrow('Cycle detected: test -> edit');
    });
  });

  it('that looks at what nobody changes in between is a loop', async () => {
    const test = AgentCache({ name: 'test_b', resource: 'b' })(async () => 'red');
    const edit = AgentCacheInvalidator({ name: 'edit_c', resource: 'c' })(
      async (_: number) => 'ok',
    );
    await using session = new AgentCacheSession({ maxToolRepeats: 3 });
    await session.run(async () => {
      for (let patch = 0; patch < 3; patch++) {
        await edit(patch);
        await test();
      }
      await edit(3);
      await expect(test()).rejects.toMatchObject({ kind: 'repeat' });
    });
  });

  it('that brings nothing new any more is stopped', async () => {
    const open = AgentCache({ name: 'open' })(
      async (file: number) => `the text of file ${file}, at length`,
    );
    await using session = new AgentCacheSession({ maxExecutionDepth: 100 });
    await session.run(async () => {
      for (let at = 0; at < 40; at++) await open(at % 20);
      await expect(open(0)).rejects.toMatchObject({ kind: 'no-progress', count: 20, limit: 20 });
    });
  });
});

/** A runtime, a tool that reads and one that changes something, by name. */
function tools() {
  const runtime = createAgentCache();
  const loads = counted(async (query: string) => ({ query }));
  const search = runtime.read({ name: 'search' }, loads);
  let sent = 0;
  const sends = counted(async (_: string) => `message ${++sent}`);
  const send = runtime.mutate({ name: 'send' }, sends);
  return { runtime, loads, search, sends, send };
}

describe('a session that is halted', () => {
  it('refuses every call in it and in its children with the same error, and fires its signal', async () => {
    const { runtime, search, send, sends } = tools();
    const session = runtime.session({ maxToolRepeats: 1 });
    const child = runtime.session({ parent: session });
    const grandchild = runtime.session({ parent: child });
    const fired: unknown[] = [];
    for (const { signal } of [session, child, grandchild]) {
      signal.addEventListener('abort', () => fired.push(signal.reason));
    }
    await session.run(() => search('a'));
    const error = await rejection(session.run(() => search('a')));
    expect(fired).toEqual([error, error, error]);
    for (const one of [session, child, grandchild]) {
      expect(one.halted).toBe(error);
      expect(await rejection(one.run(() => send('x')))).toBe(error);
      expect(await rejection(one.run(() => search('new')))).toBe(error);
    }
    expect(sends.runs).toBe(0);
    expect(session.getMetrics().loopDetections).toBe(1);
  });

  it('leaves others alone: its parent, its siblings and who comes after', async () => {
    const { runtime, search } = tools();
    const parent = runtime.session();
    const [one, other] = [1, 2].map(() => runtime.session({ parent, maxToolRepeats: 1 }));
    await one!.run(() => search('a'));
    await expect(one!.run(() => search('a'))).rejects.toBeInstanceOf(AgentLoopDetectedError);
    expect([parent.halted, other!.halted, parent.signal.aborted]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    await other!.run(() => search('a'));
    await parent.run(() => search('a'));
  });

  it('stays halted, also after resetLoops', async () => {
    const { runtime, search } = tools();
    const session = runtime.session({ maxToolRepeats: 1 });
    await session.run(() => search('a'));
    const error = await rejection(session.run(() => search('a')));
    session.resetLoops();
    expect(await rejection(session.run(() => search('b')))).toBe(error);
  });

  it('lets calls that run come to their end', async () => {
    const { runtime, search } = tools();
    let finish = (_: string): void => undefined;
    const slow = runtime.mutate(
      { name: 'slow' },
      () => new Promise<string>((done) => (finish = done)),
    );
    const session = runtime.session({ maxToolRepeats: 1 });
    const running = session.run(() => slow());
    await session.run(() => search('a'));
    await rejection(session.run(() => search('a')));
    finish('done');
    expect(await running).toBe('done');
  });
});

describe('nested sessions', () => {
  it('count in all that are around them, each once', async () => {
    const { runtime, search } = tools();
    const root = runtime.session();
    await root.run(async () => {
      const child = runtime.session({ parent: root });
      await child.run(async () => {
        const grandchild = runtime.session({ parent: child });
        await grandchild.run(() => times(2, () => search('a')));
        await grandchild.end();
        await search('a');
      });
      await child.end();
      await search('a');
    });
    expect(root.getMetrics()).toMatchObject({ calls: 4, hits: 3, misses: 1 });
    expect(runtime.getMetrics()).toMatchObject({ calls: 4, hits: 3, misses: 1 });
  });

  it('are not children of the session around them unless they say so', async () => {
    const { runtime, search, loads } = tools();
    const outer = runtime.session({ maxExecutionDepth: 1 });
    await outer.run(async () => {
      await search('a');
      await runtime.session().run(() => search('a'));
    });
    expect(loads.runs).toBe(2);
    expect(outer.getMetrics().calls).toBe(1);
  });

  it('charge the depth of every ancestor; the one that is full is halted', async () => {
    const { runtime, search, loads } = tools();
    const root = runtime.session({ maxExecutionDepth: 6 });
    const child = runtime.session({ parent: root, maxExecutionDepth: 4 });
    const other = runtime.session({ parent: root });
    let at = 0;
    const call = (session: AgentCacheSession) => session.run(() => search(`query ${at++}`));
    await times(4, () => call(child));
    expect(await rejection(call(child))).toMatchObject({
      kind: 'depth',
      count: 5,
      limit: 4,
      sessionId: child.id,
    });
    expect([child.halted !== undefined, root.halted]).toEqual([true, undefined]);
    await times(2, () => call(other));
    const error = await rejection(call(other));
    expect(error).toMatchObject({ kind: 'depth', count: 7, limit: 6, sessionId: root.id });
    expect([root.halted, other.halted]).toEqual([error, error]);
    expect(loads.runs).toBe(6);
  });

  it('do not count those who join in depth', async () => {
    const { runtime, search } = tools();
    const session = runtime.session({ maxExecutionDepth: 2, maxToolRepeats: 2 });
    await session.run(async () => {
      await Promise.all(Array.from({ length: 50 }, () => search('a')));
      await Promise.all(Array.from({ length: 50 }, () => search('b')));
      await expect(search('c')).rejects.toMatchObject({ kind: 'depth', count: 3, limit: 2 });
    });
    expect(session.getMetrics()).toMatchObject({ calls: 100, joined: 98 });
  });
});

describe('onLoop', () => {
  it("'short-circuit' answers reads and mutations by what they brought last", async () => {
    const { runtime, search, send, loads, sends } = tools();
    const session = runtime.session({ maxToolRepeats: 3, onLoop: 'short-circuit' });
    await session.run(async () => {
      expect(await times(6, () => search('a'))).toEqual(Array(6).fill({ query: 'a' }));
      const messages = [1, 2, 3, 3, 3, 3].map((id) => `message ${id}`);
      expect(await times(6, () => send('x'))).toEqual(messages);
      // It is no halt: other calls run.
      expect(await search('b')).toEqual({ query: 'b' });
    });
    expect([loads.runs, sends.runs]).toEqual([2, 3]);
    expect(session.signal.aborted).toBe(false);
    expect(session.getMetrics()).toMatchObject({ loopDetections: 6, shortCircuits: 6 });
  });

  it("'short-circuit' of a cycle keeps what it would change as it is", async () => {
    const { runtime } = tools();
    let stock = 10;
    const check = runtime.read({ name: 'check', resource: 's' }, async () => stock);
    const update = runtime.mutate({ name: 'update', resource: 's' }, async () => --stock);
    const session = runtime.session({ onLoop: 'short-circuit' });
    await session.run(async () => {
      for (let at = 0; at < 4; at++) {
        await check();
        expect(await update()).toBe(9);
      }
    });
    expect(stock).toBe(9);
  });

  it("'steer' answers with a text that tells the model what it repeats, and runs nothing", async () => {
    const { runtime, search, loads } = tools();
    const session = runtime.session({ maxToolRepeats: 2, onLoop: 'steer' });
    await session.run(async () => {
      await times(2, () => search('secret'));
      const text: unknown = await search('secret');
      expect(text).toMatch(/^You have called search 3 times with the same arguments.*was not run/);
      expect(text).not.toContain('secret');
      expect(await search('other')).toEqual({ query: 'other' });
    });
    expect(loads.runs).toBe(2);
    expect(session.halted).toBeUndefined();
    expect(session.getMetrics()).toMatchObject({ loopDetections: 1, steers: 1 });
  });

  it("'steer' lets a session go on after no progress, and after a retry storm", async () => {
    const { runtime } = tools();
    let down = true;
    const fetch = runtime.read({ name: 'fetch' }, async (id: number) => {
      if (down) throw new Error('503');
      return id;
    });
    const look = runtime.read({ name: 'look' }, async (id: number) => id);
    const session = runtime.session({ maxToolFailures: 2, onLoop: 'steer' });
    await session.run(async () => {
      await rejection(fetch(1));
      await rejection(fetch(2));
      expect(await fetch(3)).toMatch(/^fetch has failed 2 times in a row/);
      expect(await fetch(4)).toMatch(/^fetch has failed/);
      down = false;
      await look(1);
      expect(await fetch(5)).toBe(5);
      expect(await fetch(6)).toBe(6);
    });
  });

  it("'warn' runs the call and tells of the loop", async () => {
    const { runtime, send, sends } = tools();
    const told: LoopInfo[] = [];
    runtime.on('loop', ({ loop, action }) => {
      expect(action).toBe('warn');
      told.push(loop);
    });
    const session = runtime.session({ maxToolRepeats: 2, onLoop: 'warn' });
    await session.run(() => times(4, () => send('x')));
    expect(sends.runs).toBe(4);
    expect(told.map(({ kind, count }) => [kind, count])).toEqual([
      ['repeat', 3],
      ['repeat', 4],
    ]);
    expect(session.halted).toBeUndefined();
  });

  it("'warn' counts those who join a call that was warned of once", async () => {
    const { runtime, search } = tools();
    const uncached = runtime.read({ name: 'now', ttl: 0 }, async () => 'now');
    const session = runtime.session({ maxToolRepeats: 1, onLoop: 'warn' });
    await session.run(async () => {
      await uncached();
      await Promise.all(Array.from({ length: 20 }, () => uncached()));
      await search('a');
    });
    expect(session.getMetrics()).toMatchObject({ loopDetections: 1, joined: 19 });
  });

  it('as a function is told what was found, and decides call by call', async () => {
    const { runtime, search, send, sends } = tools();
    const seen: LoopInfo[] = [];
    const session = runtime.session({
      maxToolRepeats: 1,
      onLoop: (loop) => {
        seen.push(loop);
        return (['allow', 'steer', 'short-circuit', 'throw'] as const)[seen.length - 1] ?? 'throw';
      },
    });
    await session.run(async () => {
      await send('x');
      expect(await send('x')).toBe('message 2');
      expect(await send('x')).toMatch(/^You have called send 3 times/);
      expect(await send('x')).toBe('message 2');
      const error = await rejection(send('x'));
      expect(error).toMatchObject({ kind: 'repeat', count: 5 });
      expect(await rejection(search('y'))).toBe(error);
    });
    expect(sends.runs).toBe(2);
    expect(seen.map(({ count }) => count)).toEqual([2, 3, 4, 5]);
    expect(seen[0]).toEqual({
      kind: 'repeat',
      tool: 'send',
      tools: ['send'],
      count: 2,
      limit: 1,
      sessionId: session.id,
      message: expect.stringContaining('send was called 2 times') as string,
      modelMessage: expect.stringContaining('was not run') as string,
    });
    expect(session.getMetrics().loopDetections).toBe(3);
  });

  it('never lets depth be overrun but by warn', async () => {
    for (const onLoop of ['throw', 'steer', 'short-circuit'] as const) {
      const { runtime, search, loads } = tools();
      const session = runtime.session({ maxExecutionDepth: 3, onLoop });
      await session.run(async () => {
        for (let at = 0; at < 6; at++) await search(`${at}`).catch(() => undefined);
      });
      expect(loads.runs).toBe(3);
    }
  });

  it("as a function may allow what it likes, but no depth: there 'allow' is 'throw'", async () => {
    const { runtime, search, loads } = tools();
    const parent = runtime.session({ maxExecutionDepth: 3, onLoop: () => 'allow' });
    const session = runtime.session({ parent, maxToolRepeats: 1, onLoop: () => 'allow' });
    const refused = await session.run(async () => {
      await search('a');
      await search('a');
      await search('b');
      return search('c').catch((error: unknown) => error);
    });
    expect(refused).toMatchObject({ kind: 'depth', count: 4, sessionId: parent.id });
    expect(loads.runs).toBe(2);
    expect(parent.halted).toBe(refused);
    await expect(session.run(() => search('d'))).rejects.toBe(refused);
  });
});

describe('loop: { maxRepeats }', () => {
  it('is a limit of the tool', async () => {
    const { runtime } = tools();
    const once = runtime.mutate({ name: 'once', loop: { maxRepeats: 1 } }, async () => 'done');
    const session = runtime.session();
    await session.run(async () => {
      await once();
      await expect(once()).rejects.toMatchObject({ kind: 'repeat', count: 2, limit: 1 });
    });
  });
});

describe('resetLoops', () => {
  it('lets a new turn of the user begin anew', async () => {
    const { runtime, search } = tools();
    const session = runtime.session({ maxToolRepeats: 2 });
    await session.run(async () => {
      for (let turn = 0; turn < 5; turn++) {
        await times(2, () => search('a'));
        session.resetLoops();
      }
    });
    expect(session.getMetrics()).toMatchObject({ calls: 10, loopDetections: 0 });
  });
});
