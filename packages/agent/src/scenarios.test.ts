import { deferred, settle } from '../../../tools/testing/deferred.js';
import { counted, times } from '../test/counted.js';
import { createAgentCache, type AgentCacheRuntime } from './index.js';

let runtime: AgentCacheRuntime;

beforeEach(() => {
  runtime = createAgentCache();
});

describe('a shop', () => {
  it('answers reads from the cache until the cart changes', async () => {
    const cart: string[] = [];
    const readCart = counted(async (_: { userId: string }) => [...cart]);
    const readProduct = counted(async ({ id }: { id: string }) => `product ${id}`);
    const getCart = runtime.read({ name: 'get_cart', resource: 'cart:{userId}' }, readCart);
    const getProduct = runtime.read({ name: 'get_product', resource: 'product:{id}' }, readProduct);
    const add = counted(async ({ item }: { userId: string; item: string }) => cart.push(item));
    const pay = counted(async (_: { userId: string }) => cart.splice(0).length);
    const addToCart = runtime.mutate({ name: 'add_to_cart', resource: 'cart:{userId}' }, add);
    const checkout = runtime.mutate({ name: 'checkout', resource: 'cart:{userId}' }, pay);

    await using session = runtime.session({ loopDetection: false });
    await session.run(async () => {
      const user = { userId: 'u1' };
      expect(await getCart(user)).toEqual([]);
      expect(await getCart(user)).toEqual([]);
      expect(await getProduct({ id: 'p1' })).toBe('product p1');
      await addToCart({ ...user, item: 'p1' });
      expect(await getCart(user)).toEqual(['p1']);
      expect(await getProduct({ id: 'p1' })).toBe('product p1');
      await checkout(user);
    });
    expect([readCart.runs, readProduct.runs, add.runs, pay.runs]).toEqual([2, 1, 1, 1]);
    const expected = { calls: 7, hits: 2, misses: 3, hitRate: 2 / 5, invalidations: 2, loads: 3 };
    expect(session.getMetrics()).toMatchObject(expected);
    expect(runtime.getMetrics()).toMatchObject(expected);
  });
});

describe('support tickets', () => {
  it('keeps the answers of sessions apart, and drops them at their end', async () => {
    const tickets = new Map([['t1', 'open']]);
    const read = counted(async (id: string) => tickets.get(id));
    const getTicket = runtime.read({ name: 'get_ticket', resource: 'ticket:{0}' }, read);
    const update = runtime.mutate(
      { name: 'update_ticket', resource: 'ticket:{0}' },
      async (id: string, status: string) => void tickets.set(id, status),
    );
    const a = runtime.session({ id: 'a' });
    const b = runtime.session({ id: 'b' });
    await a.run(async () => {
      await times(2, () => getTicket('t1'));
      await update('t1', 'closed');
      expect(await getTicket('t1')).toBe('closed');
    });
    expect(read.runs).toBe(2);
    expect(await b.run(() => times(2, () => getTicket('t1')))).toEqual(['closed', 'closed']);
    expect(read.runs).toBe(3);
    expect(b.getMetrics()).toMatchObject({ calls: 2, hits: 1, misses: 1 });

    await a.end();
    await runtime.session({ id: 'a' }).run(() => getTicket('t1'));
    expect(read.runs).toBe(4);
  });
});

describe('research', () => {
  it('stops the fourth identical search, and every call after it', async () => {
    const find = counted(async (query: string) => [query]);
    const search = runtime.read({ name: 'search' }, find);
    const session = runtime.session({ maxToolRepeats: 3 });
    const { signal } = session;
    await session.run(async () => {
      await times(3, () => search('cats'));
      expect(find.runs).toBe(1);
      const error: unknown = await search('cats').catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'ERR_ACACHE_AGENT_LOOP',
        kind: 'repeat',
        tool: 'search',
        tools: ['search'],
        count: 4,
        limit: 3,
        sessionId: session.id,
      });
      await expect(search('cats')).rejects.toBe(error);
      await expect(search('dogs')).rejects.toBe(error);
      expect(session.halted).toBe(error);
      expect(signal.aborted).toBe(true);
      expect(signal.reason).toBe(error);
    });
    expect(find.runs).toBe(1);
    expect(session.getMetrics()).toMatchObject({ calls: 3, hits: 2, misses: 1, loopDetections: 1 });
  });
});

describe('an inventory', () => {
  it('is not updated a second time by check, update, check, update', async () => {
    let stock = 10;
    const check = counted(async (_: string) => stock);
    const update = counted(async (_: string, by: number) => (stock += by));
    const checkStock = runtime.read({ name: 'check_stock', resource: 'stock:{0}' }, check);
    const updateStock = runtime.mutate({ name: 'update_stock', resource: 'stock:{0}' }, update);
    const session = runtime.session({ maxToolRepeats: 100 });
    await session.run(async () => {
      await checkStock('x');
      await updateStock('x', -1);
      await checkStock('x');
      await expect(updateStock('x', -1)).rejects.toMatchObject({
        kind: 'cycle',
        message: 'Cycle detected: check_stock -> update_stock',
        tools: ['check_stock', 'update_stock'],
      });
    });
    expect([check.runs, update.runs, stock]).toEqual([2, 1, 9]);
  });
});

describe('a payment', () => {
  it('is tried three times, and not a fourth', async () => {
    const charge = counted(async (_: { order: string }) => {
      throw new Error('card declined');
    });
    const pay = runtime.mutate({ name: 'charge', resource: 'order:{order}' }, charge);
    const session = runtime.session({ maxToolRepeats: 3 });
    await session.run(async () => {
      for (let at = 0; at < 3; at++) {
        await expect(pay({ order: '1' })).rejects.toThrow('card declined');
      }
      await expect(pay({ order: '1' })).rejects.toMatchObject({ code: 'ERR_ACACHE_AGENT_LOOP' });
    });
    expect(charge.runs).toBe(3);
    expect(session.getMetrics()).toMatchObject({ invalidations: 3, errors: 3, loopDetections: 1 });
  });
});

describe('a read that straddles a mutation', () => {
  it('is returned, and never stored', async () => {
    let value = 'old';
    const seen: ReturnType<typeof deferred<void>>[] = [];
    const read = counted(async () => {
      const now = value;
      const slow = deferred<void>();
      seen.push(slow);
      await slow.promise;
      return now;
    });
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    const committing = deferred<void>();
    const set = runtime.mutate({ name: 'set', resource: 'x' }, async () => {
      await committing.promise;
      value = 'new';
    });
    const session = runtime.session({ loopDetection: false });
    await session.run(async () => {
      const before = get();
      const mutation = set();
      await settle();
      const during = get();
      await settle();
      committing.resolve();
      await mutation;
      const after = get();
      await settle();
      for (const load of seen) load.resolve();
      expect(await Promise.all([before, during, after])).toEqual(['old', 'old', 'new']);
      expect(await get()).toBe('new');
    });
    expect(session.getMetrics()).toMatchObject({ loads: 3, straddled: 2, hits: 1, misses: 3 });
  });
});

describe('resources', () => {
  it('conflict with their parents and children, and not with siblings', async () => {
    const paths = ['cart', 'cart:1', 'cart:1:items', 'cart:2'];
    const reads = paths.map((path) => counted(async () => path));
    const tools = paths.map((resource, at) =>
      runtime.read({ name: `read ${resource}`, resource }, reads[at]!),
    );
    const change = (resource: string) =>
      runtime.mutate({ name: `change ${resource}`, resource }, async () => undefined);
    const session = runtime.session({ loopDetection: false });
    await session.run(async () => {
      const readAll = async () => {
        for (const tool of tools) await tool();
        return reads.map(({ runs }) => runs);
      };
      expect(await readAll()).toEqual([1, 1, 1, 1]);
      await change('cart:1')();
      expect(await readAll()).toEqual([2, 2, 2, 1]);
      await change('cart')();
      expect(await readAll()).toEqual([3, 3, 3, 2]);
      await change('cart:1:items')();
      expect(await readAll()).toEqual([4, 4, 4, 2]);
    });
  });
});

describe('a mutation that fails', () => {
  it('invalidates all the same', async () => {
    const read = counted(async () => 'value');
    const get = runtime.read({ name: 'get', resource: 'x' }, read);
    const set = runtime.mutate({ name: 'set', resource: 'x' }, () => {
      throw new Error('no');
    });
    await runtime.session().run(async () => {
      await get();
      await expect(set()).rejects.toThrow('no');
      await get();
    });
    expect(read.runs).toBe(2);
  });
});

describe('parallel identical reads', () => {
  it('share one call, and are no loop', async () => {
    const read = counted(async (id: number) => ({ id }));
    const get = runtime.read({ name: 'get' }, read);
    const session = runtime.session({ maxToolRepeats: 3 });
    const answers = await session.run(() => Promise.all(Array.from({ length: 100 }, () => get(1))));
    expect(new Set(answers).size).toBe(100);
    expect(answers[99]).toEqual({ id: 1 });
    expect(session.getMetrics()).toMatchObject({
      calls: 100,
      misses: 100,
      joined: 99,
      loads: 1,
      loopDetections: 0,
    });
  });
});

describe('work that is no loop', () => {
  it('polls and pages on', async () => {
    let at = 0;
    const poll = runtime.guard({ name: 'poll', loop: { poll: true } }, async () => at++);
    const page = runtime.read({ name: 'page' }, async (n: number) => `page ${n}`);
    const session = runtime.session({ maxToolRepeats: 3, maxExecutionDepth: 200 });
    await session.run(async () => {
      await times(50, () => poll());
      for (let n = 0; n < 100; n++) await page(n);
    });
    expect(session.getMetrics()).toMatchObject({ calls: 150, loopDetections: 0 });
  });
});

describe('depth', () => {
  it('is charged to the parent, which is halted', async () => {
    const read = counted(async (n: string) => n);
    const get = runtime.read({ name: 'get' }, read);
    const parent = runtime.session({ maxExecutionDepth: 10 });
    const children = [0, 1, 2].map(() => runtime.session({ parent }));
    const outcomes: unknown[] = [];
    for (const [at, child] of children.entries()) {
      for (let call = 0; call < 4; call++) {
        outcomes.push(await child.run(() => get(`${at}/${call}`)).catch((error: unknown) => error));
      }
    }
    const error = outcomes[10];
    expect(outcomes.slice(0, 10).every((outcome) => typeof outcome === 'string')).toBe(true);
    expect(error).toMatchObject({ kind: 'depth', count: 11, limit: 10, sessionId: parent.id });
    expect(outcomes[11]).toBe(error);
    expect(parent.halted).toBe(error);
    expect(read.runs).toBe(10);
    expect(parent.getMetrics()).toMatchObject({ calls: 10, loads: 10, loopDetections: 1 });
  });
});

describe('a loop that is short-circuited', () => {
  it('is answered by the last outcome, without a call', async () => {
    const search = runtime.read({ name: 'search' }, async (query: string) => [query]);
    let sent = 0;
    const send = runtime.mutate({ name: 'send_email' }, async (_: string) => ++sent);
    const session = runtime.session({ maxToolRepeats: 3, onLoop: 'short-circuit' });
    await session.run(async () => {
      expect(await times(6, () => search('cats'))).toEqual(Array(6).fill(['cats']));
      expect(await times(6, () => send('hello'))).toEqual([1, 2, 3, 3, 3, 3]);
    });
    expect(sent).toBe(3);
    expect(session.halted).toBeUndefined();
    expect(session.getMetrics()).toMatchObject({
      loads: 1,
      loopDetections: 6,
      shortCircuits: 6,
      calls: 6,
    });
  });
});
