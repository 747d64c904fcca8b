import { answerOf } from '../test/library.js';

const REACHABLE = "globalThis[Symbol.for('@acache/decorators: reachable caches')]";

/** A class with methods of every kind, and what they need. */
const SERVICE = `
  const shared = new AsyncCache({ maxSize: null });
  class Service {
    body = new Array(100).fill(1);
    @cached() async plain(id) { return id; }
    @AsyncTTL({ ttl: '1h', staleWhileRevalidate: '1h', staleIfError: '1h', errorTtl: '1h' })
    async timed(id) { return { id }; }
    @AsyncLRU({ timeout: '1h' }) async itself() { return this; }
    @cached({ tags: () => ['t'], key: (id) => id, ttl: '1h' }) async tagged(id) { return { id, of: this }; }
    @cached({ cache: shared, ttl: '1h' }) async onShared(id) { return { id }; }
    @cached() async fail() { throw new Error('no'); }
    @invalidates({ tags: ['t'] }) async write() {}
  }
  class Sub extends Service {
    @cached() async plain(id) { return super.plain(id); }
  }
`;

const USES = `
  const uses = {
    nothing: async () => {},
    plain: async (service) => { await service.plain(1); await service.plain(1); },
    timed: async (service) => { await service.timed(1); await service.timed(2); },
    itself: async (service) => { await service.itself(); },
    tagged: async (service) => { await service.tagged(1); await service.write(); await service.tagged(2); },
    onShared: async (service) => { await service.onShared(1); },
    fail: async (service) => { await service.fail().catch(() => 0); },
    controls: async (service) => {
      const plain = asCached(service, 'plain');
      await plain.refresh(1);
      await plain.invalidateCache(1);
      await plain.clearCache();
      plain.getMetrics();
    },
    detached: async ({ plain, timed }) => { await plain(1); await timed(1); },
    prototype: async (service) => { await Service.prototype.plain.call(service, 1); },
    replaced: async (service) => { await service.plain(1); service.plain = async () => 2; await service.plain(1); },
  };
`;

describe.each(['TC39', 'legacy'] as const)('with %s decorators', (decorators) => {
  it('an instance can be collected, whatever was called and whatever timer runs', () => {
    const alive = answerOf(
      `
        ${SERVICE} ${USES}
        const refs = {};
        for (const [name, use] of Object.entries(uses)) {
          for (const Class of [Service, Sub]) {
            for (let made = 0; made < 3; made++) {
              refs[Class.name + ' ' + name + made] = await (async () => {
                const service = new Class();
                await use(service);
                return new WeakRef(service);
              })();
            }
          }
        }
        await collect();
        answer({
          count: Object.keys(refs).length,
          alive: Object.keys(refs).filter((name) => refs[name].deref() !== undefined),
        });
      `,
      decorators,
    );

    expect(alive).toEqual({ count: 66, alive: [] });
  });

  it('the caches that invalidates reaches are forgotten with their instances', () => {
    const sizes = answerOf(
      `
        ${SERVICE}
        const kept = cached(async () => 1, { tags: () => ['t'], key: () => 'k' });
        const sizes = () => Object.values(${REACHABLE}).map(({ size }) => size);
        const before = sizes();
        const use = async () => {
          for (let made = 0; made < 200; made++) await new Service().tagged(made);
        };
        await use();
        const during = sizes();
        await collect();
        await new Service().write();
        answer({ before, during, after: sizes() });
      `,
      decorators,
    );

    expect(sizes).toEqual({ before: [1, 1], during: [201, 201], after: [1, 1] });
  });

  it('an instance lives as long as a method that was taken off it', () => {
    const alive = answerOf(
      `
        ${SERVICE}
        const take = () => {
          const service = new Service();
          return [service.itself, new WeakRef(service)];
        };
        let [itself, ref] = take();
        await collect();
        const held = (await itself()) === ref.deref();
        itself = undefined;
        await collect();
        answer([held, ref.deref() === undefined]);
      `,
      decorators,
    );

    expect(alive).toEqual([true, true]);
  });

  it('a class can be collected with its static caches', () => {
    const alive = answerOf(
      `
        const make = async () => {
          class Factory {
            @cached({ tags: () => ['t'], ttl: '1h' }) static async make(id) { return { id, by: this }; }
            @cached({ scope: 'class' }) async find(id) { return { id, by: this }; }
          }
          class Sub extends Factory {}
          await Factory.make(1);
          await Sub.make(1);
          await new Sub().find(1);
          return [new WeakRef(Factory), new WeakRef(Sub)];
        };
        const refs = await make();
        await collect();
        answer(refs.map((ref) => ref.deref() === undefined));
      `,
      decorators,
    );

    expect(alive).toEqual([true, true]);
  });

  /** By how many bytes the process grows at least for each of some instances that are gone again. */
  function growthBy(use: string): unknown {
    return answerOf(
      `
        ${SERVICE}
        const heapAfter = async () => {
          for (let made = 0; made < 300; made++) {
            const service = new Service();
            ${use}
            if (made % 200 === 0) await turn();
          }
          await collect();
          return process.memoryUsage().heapUsed;
        };
        let heap = await heapAfter();
        const growths = [];
        for (let round = 0; round < 3; round++) {
          const before = heap;
          heap = await heapAfter();
          growths.push((heap - before) / 300);
        }
        // What the compiler needs grows at times; what is not let go grows each time.
        answer(Math.min(...growths));
      `,
      decorators,
    );
  }

  it('the process does not grow by instances', () => {
    const growth = growthBy(`
      await service.plain(made);
      await service.itself();
      asCached(service, 'plain').getMetrics();
    `);

    expect(growth).toBeLessThan(50);
  });

  it('the process does not grow by the timers of instances', () => {
    expect(growthBy('await service.timed(made);')).toBeLessThan(50);
  });
});

describe('a private method', () => {
  it('lets its instances be collected, the only one included', () => {
    const alive = answerOf(`
      class Vault {
        @cached({ ttl: '1h' }) async #open(id) { return { id, of: this }; }
        async use() {
          await this.#open(1);
          await asCached(this.#open).refresh(1);
          return asCached(this.#open, this).getMetrics().loads;
        }
      }
      const use = async () => {
        const vault = new Vault();
        const loads = await vault.use();
        return [loads, new WeakRef(vault)];
      };
      const [loads, first] = await use();
      await collect();
      answer([loads, first.deref() === undefined]);
    `);

    expect(alive).toEqual([2, true]);
  });
});

describe('a function', () => {
  it('can be collected with its cache, on its own one and on one that is given', () => {
    const alive = answerOf(`
      const cache = new AsyncCache({ ttl: '1h' });
      const make = async () => {
        const refs = [];
        for (const options of [{ ttl: '1h', tags: () => ['t'] }, { cache, name: 'named' }, { cache }]) {
          const value = {};
          const fn = cached(async function find(id) { return [id, value]; }, options);
          await fn(1);
          await fn.clearCache();
          refs.push(new WeakRef(fn), new WeakRef(value));
        }
        return refs;
      };
      const refs = await make();
      await collect();
      // A name is free again once its function is gone.
      cached(async function find() {}, { cache });
      answer(refs.map((ref) => ref.deref() === undefined));
    `);

    expect(alive).toEqual(Array(6).fill(true));
  });

  it('retains nothing of a call: neither its `this`, nor who called it', () => {
    const gone = answerOf(`
      import { AsyncLocalStorage } from 'node:async_hooks';
      const requests = new AsyncLocalStorage();
      const shared = new AsyncCache();
      const fns = {
        own: cached(async function (id) { await turn(); return id; }),
        tagged: cached(async function (id) { await turn(); return id; }, { tags: () => ['t'], ttl: '1h' }),
        given: cached(async function (id) { await turn(); return id; }, { cache: shared, name: 'f' }),
      };
      const refs = {};
      const use = async (name) => {
        const request = { body: new Array(1000).fill(1), fn: fns[name] };
        refs[name] = new WeakRef(request);
        await requests.run(request, async () => {
          await Promise.all([request.fn(1), request.fn(1)]);
          await request.fn(1);
          await fns[name].refresh(2);
        });
      };
      for (const name of Object.keys(fns)) await use(name);
      await collect();
      answer(Object.keys(refs).filter((name) => refs[name].deref() !== undefined));
    `);

    expect(gone).toEqual([]);
  });
});

describe('nothing is left unhandled', () => {
  it('whatever fails behind the back of callers', () => {
    const outcome = answerOf(`
      import { fakeClock } from '@acache/core/testing';
      const down = async () => { await turn(); throw new Error('down'); };
      const caught = (promise) => promise.then(() => 0, () => 0);
      const clock = fakeClock();
      const cache = new AsyncCache({ ttl: 1, clock });
      let fails = false;
      class Service {
        @AsyncTTL({ ttl: 1, clock, staleWhileRevalidate: '1h', timeout: 5, tags: () => ['t'] })
        async stale() { if (fails) await down(); return 1; }
        @cached({ cache, staleWhileRevalidate: '1h' })
        async given() { if (fails) await down(); return 1; }
        @cached() sync() { throw new Error('at once'); }
        @invalidates({ tags: ['t'] }) async write() { throw new Error('no'); }
        @invalidates({ cache, tags: ['t'], keys: ['k'] }) async writeGiven() { throw new Error('no'); }
      }
      const service = new Service();
      await service.stale();
      await service.given();
      fails = true;
      await clock.advance(10);
      for (let call = 0; call < 3; call++) {
        await Promise.all([caught(service.stale()), caught(service.given()), caught(service.sync())]);
        await Promise.all([caught(service.write()), caught(service.writeGiven())]);
        await caught(asCached(service, 'given').refresh());
        await turn();
      }
      await cache.close();
      await Promise.all([caught(service.given()), caught(service.writeGiven())]);
      for (let at = 0; at < 10; at++) await turn();
      answer('nothing');
    `);

    expect(outcome).toBe('nothing');
  });
});
