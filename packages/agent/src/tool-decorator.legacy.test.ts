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

  it('refuses it where it is put on, too', () => {
    const decorate = AgentCache({ name: 'x' }) as (...args: unknown[]) => any;
    const made = [
      () => {
        class Getter {
          @decorate
          get cart(): number {
            return 1;
          }
        }
        return Getter;
      },
      () => {
        class Setter {
          @decorate
          set cart(_: number) {}
        }
        return Setter;
      },
      () => {
        class Field {
          @decorate
          cart = 1;
        }
        return Field;
      },
      () => {
        class StaticGetter {
          @decorate
          static get cart(): number {
            return 1;
          }
        }
        return StaticGetter;
      },
      () => {
        class Parameter {
          cart(@decorate _id: string): void {}
        }
        return Parameter;
      },
      () => {
        class OfConstructor {
          constructor(@decorate readonly id: string) {}
        }
        return OfConstructor;
      },
      () => {
        @decorate
        class Whole {}
        return Whole;
      },
    ];
    const messages = made.map((make) => {
      try {
        return make().name;
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        expect(code).toBe('ERR_ACACHE_INVALID_OPTION');
        return message.replace(/.*, got (the )?|: wrap.*/g, '');
      }
    });
    expect(messages).toEqual([
      'getter cart',
      'setter cart',
      'field cart',
      'getter cart',
      'parameter 0 of cart',
      'parameter 0 of constructor',
      'class Whole',
    ]);
  });

  it('is what a descriptor says besides its value', () => {
    const decorate = AgentCache({ name: 'x' });
    const descriptor = { value: async () => 1, enumerable: true, writable: false };
    expect(decorate({}, 'x', descriptor)).toMatchObject({ enumerable: true, writable: false });
  });
});
