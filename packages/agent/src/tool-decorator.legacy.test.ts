import { AgentCache, AgentCacheInvalidator, AgentCacheSession } from './index.js';

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
}

describe('a method decorated as of old', () => {
  it('caches, and its mutation invalidates', async () => {
    const [shop, other] = [new Shop(), new Shop()];
    await AgentCacheSession.run({}, async (session) => {
      await shop.cart('u');
      await shop.cart('u');
      await other.cart('u');
      expect([shop.loads, other.loads]).toEqual([1, 1]);
      await shop.add('u', 'tea');
      expect(await shop.cart('u')).toEqual(['tea']);
      expect([await Shop.open(), await Shop.open()]).toEqual([1, 1]);
      const seen = [];
      for (let at = 0; at < 2; at++) for await (const page of shop.pages()) seen.push(page);
      expect(seen).toEqual([1, 2, 2]);
      expect(Object.keys(session.getMetrics().byTool)).toEqual(['cart', 'add', 'open', 'pages']);
    });
  });

  it('refuses what is no method', () => {
    const decorate = AgentCache({ name: 'x' }) as (...args: unknown[]) => unknown;
    expect(() => decorate({}, 'cart', { get: () => 1 })).toThrow(/got the getter cart/);
    expect(() => decorate({}, 'cart', { set: () => 1 })).toThrow(/got the setter cart/);
    expect(() => decorate({}, 'cart', undefined)).toThrow(/got the field cart/);
  });

  it('is what a descriptor says besides its value', () => {
    const decorate = AgentCache({ name: 'x' });
    const descriptor = { value: async () => 1, enumerable: true, writable: false };
    expect(decorate({}, 'x', descriptor)).toMatchObject({ enumerable: true, writable: false });
  });
});
