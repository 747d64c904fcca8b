import { AsyncCache } from '@acache/core';
import { asCached, AsyncLRU, AsyncTTL, cached, invalidates } from './index.js';

class Service {
  calls = 0;
  static made = 0;
  @AsyncLRU({ maxSize: 10 })
  async find(id: number, full = false): Promise<string> {
    this.calls++;
    return `${id} ${full} ${this.calls}`;
  }
  @cached({ tags: (id: number) => [`user:${id}`] })
  async tagged(id: number): Promise<number> {
    this.calls++;
    return id * 100 + this.calls;
  }
  @invalidates({ tags: (id: number) => [`user:${id}`] })
  async update(_id: number): Promise<void> {}
  @AsyncTTL()
  async #secret(id: number): Promise<number> {
    this.calls++;
    return id + this.calls;
  }
  secret(id: number) {
    return this.#secret(id);
  }
  secretMetrics() {
    return asCached(this.#secret, this).getMetrics();
  }
  @AsyncLRU()
  static async make(x: number): Promise<number> {
    return x + ++this.made;
  }
}
class Sub extends Service {
  override async find(id: number): Promise<string> {
    return `sub ${await super.find(id)}`;
  }
}

it('standard', async () => {
  const a = new Service();
  const b = new Service();
  expect(asCached(a, 'find').getMetrics().hits).toBe(0);
  expect(await a.find(1)).toBe('1 false 1');
  expect(await a.find(1)).toBe('1 false 1');
  expect(await b.find(1)).toBe('1 false 1');
  expect(await asCached(a, 'find').refresh(1)).toBe('1 false 2');
  expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 1, loads: 2 });
  expect(a.find.name).toBe('find');
  expect(a.find.length).toBe(1);
  expect(await a.tagged(1)).toBe(103);
  expect(await a.tagged(1)).toBe(103);
  await a.update(1);
  expect(await a.tagged(1)).toBe(104);
  expect(await a.secret(1)).toBe(6);
  expect(await a.secret(1)).toBe(6);
  expect(a.secretMetrics().hits).toBe(1);
  const s = new Sub();
  expect(await s.find(1)).toBe('sub 1 false 1');
  expect(await s.find(1)).toBe('sub 1 false 1');
  expect(await Service.make(1)).toBe(2);
  expect(await Service.make(1)).toBe(2);
  expect(await asCached(Service, 'make').refresh(1)).toBe(3);
});

it('functions', async () => {
  let n = 0;
  const f = cached(async (x: number) => x + ++n, { ttl: '1m' });
  expect(await f(1)).toBe(2);
  expect(await f(1)).toBe(2);
  expect(await f.refresh(1)).toBe(3);
  expect(await f.invalidateCache(1)).toBe(true);
  const g = AsyncLRU()((x: number) => x + ++n);
  expect(await g(1)).toBe(4);
  const cache = new AsyncCache({ maxSize: 10 });
  expect(() => cached(async () => 1, { cache })).toThrow(/anonymous/);
  const h = cached({ cache, name: 'h', tags: () => ['t'] })(async (x: number) => x + ++n);
  const w = invalidates({ cache, tags: ['t'] })(async () => {});
  expect(await h(1)).toBe(5);
  expect(await h(1)).toBe(5);
  await w();
  expect(await h(1)).toBe(6);
  expect(h.getMetrics()).toMatchObject({ hits: 1, misses: 2 });
});
