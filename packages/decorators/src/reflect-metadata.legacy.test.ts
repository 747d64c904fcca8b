import 'reflect-metadata';
import { untyped } from '../test/method-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, cached, invalidates } from './index.js';

failOnUnhandledRejections();

/** As frameworks have it: metadata on the method itself. */
const onMethod = (name: string, value: unknown) =>
  untyped((_target: object, _key: string, descriptor: TypedPropertyDescriptor<object>) => {
    Reflect.defineMetadata(name, value, descriptor.value!);
    return descriptor;
  });
/** Others have it on the class, under the name of the method. */
const onKey = (name: string, value: unknown) =>
  untyped((target: object, key: string) => {
    Reflect.defineMetadata(name, value, target, key);
  });

class User {}

describe.each([
  ['cached', () => cached({ tags: () => [] })],
  ['invalidates', () => invalidates({ tags: [] })],
])('%s', (_who, decorator) => {
  it('keeps what the compiler tells of a method', () => {
    class Service {
      @decorator()
      async find(_user: User, _id: number): Promise<void> {}
      @decorator()
      static async make(_name: string): Promise<void> {}
    }
    const of = (target: object, key: string) => [
      Reflect.getMetadata('design:type', target, key) as unknown,
      Reflect.getMetadata('design:paramtypes', target, key) as unknown,
      Reflect.getMetadata('design:returntype', target, key) as unknown,
    ];

    expect(of(Service.prototype, 'find')).toEqual([Function, [User, Number], Promise]);
    expect(of(Service, 'make')).toEqual([Function, [String], Promise]);
  });

  it.each([
    [
      'above',
      (): object => {
        class Service {
          @onMethod('roles', ['admin'])
          @decorator()
          async find(): Promise<void> {}
        }
        return new Service();
      },
    ],
    [
      'below',
      (): object => {
        class Service {
          @decorator()
          @onMethod('roles', ['admin'])
          async find(): Promise<void> {}
        }
        return new Service();
      },
    ],
  ])('keeps metadata that a decorator %s puts on the method', (_where, make) => {
    const service = make() as { find: object };
    const prototype = Object.getPrototypeOf(service) as { find: object };

    expect(Reflect.getMetadata('roles', service.find)).toEqual(['admin']);
    expect(Reflect.getOwnMetadata('roles', prototype.find)).toEqual(['admin']);
    // Frameworks look for methods, and skip accessors.
    expect(Object.getOwnPropertyDescriptor(prototype, 'find')).toHaveProperty('value');
  });

  it('keeps metadata that decorators put under the name of the method', () => {
    class Service {
      @onKey('above', 1)
      @decorator()
      @onKey('below', 2)
      async find(): Promise<void> {}
    }

    expect(Reflect.getMetadata('above', Service.prototype, 'find')).toBe(1);
    expect(Reflect.getMetadata('below', Service.prototype, 'find')).toBe(2);
    expect(Object.getOwnPropertyDescriptor(Service.prototype, 'find')).toHaveProperty('value');
  });

  it('keeps metadata of static methods', () => {
    class Service {
      @onMethod('above', 1)
      @decorator()
      @onMethod('below', 2)
      static async make(): Promise<void> {}
    }

    const { make } = Service;

    expect([Reflect.getMetadata('above', make), Reflect.getMetadata('below', make)]).toEqual([
      1, 2,
    ]);
  });

  it('lets the decorator above win where both put the same metadata', () => {
    class Service {
      @onMethod('roles', ['above'])
      @decorator()
      @onMethod('roles', ['below'])
      async find(): Promise<void> {}
    }

    expect(Reflect.getMetadata('roles', Service.prototype.find)).toEqual(['above']);
  });

  it('keeps metadata that a decorator of the class puts on the method', () => {
    const secured = (target: { prototype: { find: object } }): void => {
      Reflect.defineMetadata('roles', ['admin'], target.prototype.find);
    };
    @secured
    class Service {
      @decorator()
      async find(): Promise<void> {}
    }

    expect(Reflect.getMetadata('roles', Service.prototype.find)).toEqual(['admin']);
    expect(Reflect.getMetadata('roles', new Service().find)).toEqual(['admin']);
  });
});

describe('a method with the metadata of a framework', () => {
  class Service {
    calls = 0;
    constructor(readonly name: string) {}

    @onMethod('route', '/users')
    @cached()
    async find(id: number): Promise<string> {
      return `${this.name}:${id}:${++this.calls}`;
    }
  }
  class Inheriting extends Service {}

  it('caches as any other', async () => {
    const [a, b] = [new Service('a'), new Inheriting('b')];

    expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual([
      'a:1:1',
      'a:1:1',
      'b:1:1',
    ]);
  });

  it('has its controls by asCached', async () => {
    const [a, b] = [new Service('a'), new Inheriting('b')];
    expect(asCached(a, 'find').getMetrics()).toMatchObject({ hits: 0, misses: 0 });
    await a.find(1);
    await b.find(1);

    expect(await asCached(a, 'find').refresh(1)).toBe('a:1:2');
    expect(await asCached(b, 'find').invalidateCache(1)).toBe(true);
    expect([await a.find(1), await b.find(1)]).toEqual(['a:1:2', 'b:1:2']);
  });

  it('says how to reach its controls without asCached', async () => {
    const { find } = new Service('a');

    await expect(asCached(find).refresh(1)).rejects.toMatchObject({
      code: 'ERR_ACACHE_NO_INSTANCE',
      message: expect.stringContaining('asCached(this.find, this)') as string,
    });
  });
});

describe('a method without the metadata of a framework', () => {
  it('is an accessor, by which each instance has its own', () => {
    class Service {
      @cached()
      async find(_id: number): Promise<void> {}
    }

    expect(Object.getOwnPropertyDescriptor(Service.prototype, 'find')).toMatchObject({
      get: expect.any(Function) as object,
      set: expect.any(Function) as object,
      enumerable: false,
      configurable: true,
    });
  });
});
