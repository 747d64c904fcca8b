import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AsyncCache } from '@acache/core';
import { nextTurn, settle } from '../../../tools/testing/deferred.js';
import {
  AgentCache,
  AgentCacheInvalidator,
  AgentCacheSession,
  createAgentCache,
  type AgentCacheRuntime,
} from './index.js';

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache();
  session = runtime.session({ loopDetection: false });
});

describe('a wrapper', () => {
  it('keeps the name, the length and the properties of the function', async () => {
    const tool = async (a: number, b: number) => a + b;
    Object.assign(tool, { description: 'adds' });
    const add = AgentCache({ name: 'add' })(tool);
    expect([add.name, add.length]).toEqual(['tool', 2]);
    expect(add).toHaveProperty('description', 'adds');
    expect(await session.run(() => add(1, 2))).toBe(3);
    expect(runtime.read({ name: 'add' }, tool)).not.toBe(tool);
  });

  it('hands on `this`', async () => {
    const tool = { base: 10, add: runtime.read({}, add) };
    async function add(this: { base: number }, n: number) {
      return this.base + n;
    }
    expect(await session.run(() => tool.add(1))).toBe(11);
  });

  it('makes a sync function async, its errors as well', async () => {
    const fail = runtime.guard({ name: 'fail' }, () => {
      throw new Error('no');
    });
    await expect(fail()).rejects.toThrow('no');
    expect(await runtime.mutate({ name: 'one' }, () => 1)()).toBe(1);
  });

  it('needs a name for an anonymous function, and takes that of another', () => {
    const AgentCacheOf = (fn: () => Promise<number>) => AgentCache()(fn);
    expect(() => AgentCacheOf(async () => 1)).toThrow(
      "AgentCache needs a name for an anonymous function: { name: '…' }",
    );
    async function named() {
      return 1;
    }
    expect(() => AgentCacheOf(named.bind(null))).not.toThrow();
    expect(() => AgentCacheInvalidator({})((async () => 1).bind(null))).toThrow(/needs a name/);
    expect(() => runtime.tool({})).toThrow('tool needs a name');
  });

  it.each([
    [{ name: '' }, "the name of AgentCache must be a text, got ''"],
    [{ resource: 7 }, "resource must be a path such as 'cart:{userId}', got 7"],
    [{ resource: 'a:{' }, "resource must be a path such as 'cart:{userId}' or 'cart:{0}'"],
    [{ resource: [''] }, "resource must be a path such as 'cart:{userId}', got ''"],
    [{ scope: 'all' }, "the scope of AgentCache must be 'session' or 'global', got 'all'"],
    [{ effect: 'write' }, "the effect of AgentCache must be 'read' or 'mutate', got 'write'"],
    [{ loop: true }, 'the loop of AgentCache must be false or an object, got true'],
    [{ loop: { maxRepeats: 0 } }, 'loop.maxRepeats of AgentCache must be a whole number'],
    [{ loop: { poll: 1 } }, 'loop.poll of AgentCache must be true or false, got 1'],
    [{ ttl: '5 minutes' }, "ttl must be a duration such as 5000 or '5s'"],
    [{ staleIfError: -1 }, 'staleIfError must be'],
    [{ tags: 't' }, "tags must be an array of texts, got 't'"],
    [{ key: 'id' }, "the key of AgentCache must be a function, got 'id'"],
    [{ clone: true }, 'the clone of AgentCache must be false or a function, got true'],
    [{ stream: 1 }, 'the stream of AgentCache must be true or false, got 1'],
    [{ version: {} }, 'the version of AgentCache must be a text or a number, got an object'],
    ['x', "the policy of AgentCache must be an object, got 'x'"],
  ])('refuses the policy %j', (policy, message) => {
    expect(() => AgentCache(policy as never)).toThrow(message);
  });

  it('refuses what is no function', () => {
    const wrap = AgentCache({ name: 'x' }) as (fn: unknown) => unknown;
    expect(() => wrap(7)).toThrow('AgentCache takes a function, got 7');
    expect(() => wrap(class Tool {})).toThrow('AgentCache takes a function, got the class Tool');
    expect(() =>
      wrap(function* pages() {
        yield 1;
      }),
    ).toThrow('AgentCache takes a function or an async generator, got the generator pages');
    const forgotten = AgentCache as unknown as (fn: () => void) => unknown;
    expect(() => forgotten(() => undefined)).toThrow('AgentCache must be called with a policy');
  });
});

describe('names', () => {
  it('that were inferred are no identity in memory of our own', async () => {
    const make = (answer: number) => {
      async function get() {
        return answer;
      }
      return runtime.read({}, get);
    };
    const [one, other] = [make(1), make(2)];
    expect(await session.run(async () => [await one(), await other()])).toEqual([1, 2]);
    expect(session.getMetrics().byTool.get).toMatchObject({ calls: 2, misses: 2 });
  });

  it('that were inferred have to be unique in a cache that was given', () => {
    const cache = new AsyncCache();
    const on = createAgentCache({ cache });
    const make = () => async () => 1;
    const get = { get: make() }.get;
    const functions = [0, 1].map(() => {
      async function search() {
        return 1;
      }
      return search;
    });
    on.read({}, functions[0]!);
    on.read({}, functions[0]!);
    expect(() => on.read({}, functions[1]!)).toThrow(
      "another tool on the same cache is called 'search', too: give this one a name, { name: '…' }",
    );
    expect(() => createAgentCache({ cache }).read({}, functions[1]!)).toThrow(/another tool/);
    expect(() => on.read({ name: 'other' }, functions[1]!)).not.toThrow();
    expect(() => on.read({ name: 'get' }, get)).not.toThrow();
  });

  it('that were given are the identity', async () => {
    const one = runtime.read({ name: 'get' }, async () => 1);
    const other = runtime.read({ name: 'get' }, async () => 2);
    expect(await session.run(async () => [await one(), await other()])).toEqual([1, 1]);
  });
});

describe('a decorated method', () => {
  class Shop {
    static opened = 0;
    loads = 0;
    readonly carts = new Map<string, string[]>();

    @AgentCache({ resource: 'cart:{0}' })
    async cart(user: string): Promise<string[]> {
      this.loads++;
      return [...(this.carts.get(user) ?? [])];
    }

    @AgentCacheInvalidator({ resource: 'cart:{0}' })
    async add(user: string, item: string): Promise<void> {
      this.carts.set(user, [...(this.carts.get(user) ?? []), item]);
    }

    @AgentCache()
    async *pages(): AsyncGenerator<number> {
      this.loads++;
      yield 1;
      yield 2;
    }

    @AgentCache()
    static async open(): Promise<number> {
      return ++this.opened;
    }

    @AgentCache()
    async #secret(): Promise<number> {
      return ++this.loads;
    }

    twice(): Promise<number[]> {
      return Promise.all([this.#secret(), this.#secret()]);
    }
  }

  it('caches, and its mutation invalidates', async () => {
    const shop = new Shop();
    await AgentCacheSession.run({}, async (own) => {
      expect(await shop.cart('u')).toEqual([]);
      expect(await shop.cart('u')).toEqual([]);
      expect(shop.loads).toBe(1);
      await shop.add('u', 'tea');
      expect(await shop.cart('u')).toEqual(['tea']);
      expect(await shop.twice()).toEqual([3, 3]);
      expect(own.getMetrics()).toMatchObject({ calls: 6, hits: 1, joined: 1, invalidations: 1 });
      expect(Object.keys(own.getMetrics().byTool)).toEqual(['cart', 'add', '#secret']);
    });
    expect(shop.cart.name).toBe('cart');
  });

  it('has answers of its own for each instance, and shares its resources', async () => {
    const [one, other] = [new Shop(), new Shop()];
    await AgentCacheSession.run({}, async () => {
      await other.add('u', 'milk');
      expect([await one.cart('u'), await other.cart('u')]).toEqual([[], ['milk']]);
      await one.cart('u');
      expect([one.loads, other.loads]).toEqual([1, 1]);
      await one.add('u', 'tea');
      await other.cart('u');
      expect(other.loads).toBe(2);
    });
  });

  it('shares them between those that vary alike', async () => {
    class Files {
      loads = 0;
      constructor(readonly folder: string) {}
      @AgentCache({
        vary(this: Files) {
          return this.folder;
        },
      })
      async list(): Promise<string> {
        this.loads++;
        return this.folder;
      }
    }
    const [one, same, other] = [new Files('a'), new Files('a'), new Files('b')];
    await AgentCacheSession.run({}, async () => {
      expect([await one.list(), await same.list(), await other.list()]).toEqual(['a', 'a', 'b']);
    });
    expect([one.loads, same.loads, other.loads]).toEqual([1, 0, 1]);
  });

  it('may be static, private, inherited, or a stream', async () => {
    class Market extends Shop {
      override async cart(user: string): Promise<string[]> {
        return ['market', ...(await super.cart(user))];
      }
    }
    const market = new Market();
    await AgentCacheSession.run({}, async () => {
      expect([await Shop.open(), await Shop.open()]).toEqual([1, 1]);
      expect(await market.cart('u')).toEqual(['market']);
      await market.cart('u');
      expect(market.loads).toBe(1);
      const seen = [];
      for (let at = 0; at < 2; at++) for await (const page of market.pages()) seen.push(page);
      expect(seen).toEqual([1, 2, 2]);
    });
  });

  it('lets its instances be collected', async () => {
    let shop: Shop | undefined = new Shop();
    const own = new AgentCacheSession();
    await own.run(async () => (await shop?.cart('u'))?.length);
    const ref = new WeakRef(shop);
    shop = undefined;
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let at = 0; at < 20 && ref.deref() !== undefined; at++) {
      await nextTurn();
      collect();
    }
    expect(ref.deref()).toBeUndefined();
    await own.end();
  });

  it('refuses what is no method', () => {
    const decorate = AgentCache({ name: 'x' }) as (...args: unknown[]) => unknown;
    for (const kind of ['getter', 'setter', 'field', 'class', 'accessor']) {
      expect(() => decorate(() => 1, { kind, name: 'cart', addInitializer: () => 1 })).toThrow(
        `AgentCache decorates methods and wraps functions, got the ${kind} cart`,
      );
    }
  });
});

it('a decorator works on a runtime of one`s own as well', async () => {
  const agents = createAgentCache();
  class Clock {
    reads = 0;
    @agents.read()
    async now() {
      await settle();
      return ++this.reads;
    }
    @agents.mutate({ name: 'wind' })
    async wind() {
      return 'wound';
    }
    @agents.guard({ loop: { poll: true } })
    async tick() {
      return 'tick';
    }
  }
  const clock = new Clock();
  await agents.session().run(async () => {
    expect([await clock.now(), await clock.now()]).toEqual([1, 1]);
    expect([await clock.wind(), await clock.tick()]).toEqual(['wound', 'tick']);
  });
  expect(agents.getMetrics()).toMatchObject({ calls: 4, hits: 1, invalidations: 1 });
});
