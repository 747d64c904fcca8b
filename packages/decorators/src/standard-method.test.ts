import { AsyncCache, makeKey } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import {
  LOOKUP,
  methodCases,
  refusals,
  untyped,
  type MakeClasses,
  type Subject,
} from '../test/method-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, AsyncLRU, AsyncTTL, cached, invalidates } from './index.js';
import type { CachedOptions } from './index.js';

failOnUnhandledRejections();

const makeClasses: MakeClasses = (decorate) => {
  class Service implements Subject {
    static calls = 0;
    readonly calls: unknown[][] = [];
    name: string;

    constructor(name = 'a') {
      this.name = name;
    }

    @decorate()
    async find(id: number, full = false): Promise<string> {
      return `${this.name}:${id}:${this.calls.push([id, full])}`;
    }

    @decorate()
    async [LOOKUP](id: number): Promise<string> {
      return `${this.name}:${id}:${this.calls.push([id])}`;
    }

    @decorate()
    async take(argument: unknown): Promise<string> {
      return `${this.name}:${String(argument)}:${this.calls.push([argument])}`;
    }

    @decorate()
    wait(until: Promise<string>): Promise<string> {
      this.calls.push([until]);
      return until;
    }

    @decorate()
    fail(): Promise<never> {
      this.calls.push([]);
      throw new Error(`${this.name} failed`);
    }

    @decorate()
    async factorial(n: number): Promise<number> {
      this.calls.push([n]);
      return n < 2 ? n : n * (await this.factorial(n - 1));
    }

    @decorate()
    static async make(id: number): Promise<string> {
      // A counter of its own for each subclass.
      if (!Object.hasOwn(this, 'calls')) this.calls = 0;
      return `${this.name}:${id}:${++this.calls}`;
    }
  }

  class Inheriting extends Service {}

  class Overriding extends Service {
    override async find(id: number): Promise<string> {
      return `over(${await super.find(id)})`;
    }

    static override async make(id: number): Promise<string> {
      return `over(${await super.make(id)})`;
    }
  }

  class Redecorating extends Service {
    @decorate()
    override async find(id: number): Promise<string> {
      return `over(${await super.find(id)})`;
    }

    @decorate()
    static override async make(id: number): Promise<string> {
      return `over(${await super.make(id)})`;
    }
  }

  class Binding extends Service {
    constructor(name?: string) {
      super(name);
      this.find = this.find.bind(this);
    }
  }

  class Freezing extends Service {
    constructor(name?: string) {
      super(name);
      Object.freeze(this);
    }
  }

  class Base {
    readonly first = this.find(1);

    find(_id: number): Promise<string> {
      return Promise.reject(new Error('of the base'));
    }
  }

  class Eager extends Base {
    @decorate()
    override async find(id: number): Promise<string> {
      return `eager:${id}`;
    }
  }

  return { Service, Inheriting, Overriding, Redecorating, Binding, Freezing, Eager };
};

methodCases(makeClasses);

/** A method as decorators see it. */
type Method = (this: any, ...args: any[]) => Promise<string>;

it('decorators here are those of TC39', () => {
  let kind: string | undefined;
  class Probe {
    @((_method: unknown, context: DecoratorContext) => void (kind = context.kind))
    probe(): void {}
  }
  expect([kind, typeof Probe]).toEqual(['method', 'function']);
});

refusals((decorate, who) => [
  [
    'a getter that returns a function',
    () =>
      class {
        @decorate get find() {
          return async () => 1;
        }
      },
    new RegExp(
      `^${who} decorates methods and wraps functions, got the getter find: wrap the function itself, ${who}\\(…\\)\\(fn\\)$`,
    ),
  ],
  [
    'a static getter',
    () =>
      class {
        @decorate static get find() {
          return async () => 1;
        }
      },
    /got the getter find:/,
  ],
  [
    'a setter',
    () =>
      class {
        @decorate set find(_fn: () => Promise<number>) {}
      },
    /got the setter find:/,
  ],
  [
    'a field that holds a function',
    () =>
      class {
        @decorate find = async () => 1;
      },
    /got the field find:/,
  ],
  [
    'a private field',
    () =>
      class {
        @decorate #find = async () => 1;
        find = () => this.#find();
      },
    /got the field #find:/,
  ],
  [
    'an accessor',
    () =>
      class {
        @decorate accessor find = async () => 1;
      },
    /got the accessor find:/,
  ],
  [
    'a getter with a symbol for name',
    () =>
      class {
        @decorate get [LOOKUP]() {
          return 1;
        }
      },
    /got the getter Symbol\(lookup\):/,
  ],
  [
    'a class',
    () => {
      @decorate
      class User {}
      return User;
    },
    /got the class User$/,
  ],
  [
    'an async generator',
    () =>
      class {
        @decorate async *pages() {
          yield 1;
        }
      },
    /got a generator 'pages': what one caller has read of it is gone for the next$/,
  ],
  [
    'a static generator',
    () =>
      class {
        @decorate static *pages() {
          yield 1;
        }
      },
    /got a generator 'pages'/,
  ],
  [
    'a private async generator',
    () =>
      class {
        @decorate async *#pages() {
          yield 1;
        }
        pages = () => this.#pages();
      },
    /got a generator/,
  ],
]);

describe.each([
  ['cached', untyped(cached)],
  ['AsyncLRU', untyped(AsyncLRU)],
  ['AsyncTTL', untyped(AsyncTTL)],
  ['invalidates', untyped(invalidates)],
])('%s without a call', (who, decorate) => {
  const message = `${who} must be called to decorate: @${who}(…), not @${who}`;

  it('is refused on a method', () => {
    expect(
      () =>
        class {
          @decorate async find() {
            return 1;
          }
        },
    ).toThrow(message);
  });

  it('is refused on a static and on a private method', () => {
    expect(
      () =>
        class {
          @decorate static async find() {
            return 1;
          }
        },
    ).toThrow(message);
    expect(
      () =>
        class {
          @decorate async #find() {
            return 1;
          }
          find = () => this.#find();
        },
    ).toThrow(message);
  });

  it('is refused on a field and on a class', () => {
    expect(
      () =>
        class {
          @decorate find = 1;
        },
    ).toThrow(message);
    expect(() => {
      @decorate
      class User {}
      return User;
    }).toThrow(message);
  });
});

describe('a private method', () => {
  function vault(options?: CachedOptions) {
    return class Vault {
      static calls = 0;
      calls = 0;

      @cached(options)
      async #open(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      open(id: number) {
        return this.#open(id);
      }
      get controls() {
        return asCached(this.#open, this);
      }
      get controlsOfNobody() {
        return asCached(this.#open);
      }
      refreshByCall(id: number): Promise<string> {
        return asCached(this.#open).refresh.call(this, id);
      }

      @cached(options)
      static async #make(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      static make(id: number) {
        return this.#make(id);
      }
      static get controls() {
        return asCached(this.#make);
      }
    };
  }

  it('keeps a result for each instance apart', async () => {
    const Vault = vault();
    const [a, b] = [new Vault(), new Vault()];

    expect([await a.open(1), await a.open(1), await b.open(1)]).toEqual(['1:1', '1:1', '1:1']);
    expect(await a.open(2)).toBe('2:2');
  });

  it('has the controls of an instance that is named', async () => {
    const Vault = vault();
    const [a, b] = [new Vault(), new Vault()];
    expect(a.controls.getMetrics()).toMatchObject({ hits: 0, size: 0 });
    await a.open(1);
    await b.open(1);
    expect(await a.controls.refresh(1)).toBe('1:2');
    expect(a.controls.getMetrics()).toMatchObject({ loads: 2 });
    expect(b.controls.getMetrics()).toMatchObject({ loads: 1 });
    expect(await a.controls.invalidateCache(1)).toBe(true);
    await a.controls.clearCache();

    expect([await a.open(1), await b.open(1)]).toEqual(['1:3', '1:1']);
    expect(await a.refreshByCall(1)).toBe('1:4');
  });

  it('has those of the only instance that there is', async () => {
    const only = new (vault())();
    await only.open(1);

    expect(await only.controlsOfNobody.refresh(1)).toBe('1:2');
    expect(only.controlsOfNobody.getMetrics()).toMatchObject({ loads: 2 });
    expect(await only.controlsOfNobody.invalidateCache(1)).toBe(true);
    await only.controlsOfNobody.clearCache();
    expect(await only.open(1)).toBe('1:3');
  });

  it('asks which one where there are several', async () => {
    const Vault = vault();
    const [a] = [new Vault(), new Vault()];
    const { controlsOfNobody } = a;
    const error = {
      code: 'ERR_ACACHE_NO_INSTANCE',
      message:
        '#open cannot tell which instance its cache is asked for: ' +
        'say so by asCached(this.#open, this) or this.#open.refresh.call(this, …)',
    };

    await expect(controlsOfNobody.refresh(1)).rejects.toMatchObject(error);
    await expect(controlsOfNobody.invalidateCache(1)).rejects.toMatchObject(error);
    await expect(controlsOfNobody.clearCache()).rejects.toMatchObject(error);
    expect(() => controlsOfNobody.getMetrics()).toThrow(error.message);
  });

  it('is cached for instances of subclasses', async () => {
    const Vault = vault();
    class Safe extends Vault {}
    const [safe, other] = [new Safe(), new Safe()];

    expect([await safe.open(1), await safe.open(1), await other.open(1)]).toEqual([
      '1:1',
      '1:1',
      '1:1',
    ]);
    expect(await safe.controls.refresh(1)).toBe('1:2');
  });

  it('that is static is cached, and its class is the only instance', async () => {
    const Vault = vault();
    new Vault();
    new Vault();

    expect([await Vault.make(1), await Vault.make(1)]).toEqual(['1:1', '1:1']);
    expect(await Vault.controls.refresh(1)).toBe('1:2');
    expect(Vault.controls.getMetrics()).toMatchObject({ hits: 1, loads: 2 });
  });

  it('keeps a result for each instance apart on a cache that is given', async () => {
    const cache = new AsyncCache();
    const Vault = vault({ cache });
    const [a, b] = [new Vault(), new Vault()];
    await a.open(1);
    await a.open(2);

    expect([await a.open(1), await b.open(1)]).toEqual(['1:1', '1:1']);
    expect(cache.size).toBe(3);
    await a.controls.clearCache();
    expect(cache.size).toBe(1);
  });

  it("may have one for all, with scope: 'class'", async () => {
    const Vault = vault({ scope: 'class' });
    const [a, b] = [new Vault(), new Vault()];
    await a.open(1);

    expect([await b.open(1), b.calls]).toEqual(['1:1', 0]);
    expect(b.controls.getMetrics()).toMatchObject({ hits: 1, misses: 1 });
  });

  it("knows its cache without being told an instance, with scope: 'class'", async () => {
    const Vault = vault({ scope: 'class' });
    const [a] = [new Vault(), new Vault()];
    await a.open(1);

    expect(a.controlsOfNobody.getMetrics()).toMatchObject({ misses: 1 });
    expect(await a.controlsOfNobody.invalidateCache(1)).toBe(true);
    await a.controlsOfNobody.clearCache();
    expect(await a.open(1)).toBe('1:2');
  });

  it("asks for an instance to be refreshed, and counts nothing, with scope: 'class'", async () => {
    const Vault = vault({ scope: 'class' });
    const [a] = [new Vault(), new Vault()];
    const refresh = a.controlsOfNobody.refresh(1);

    await expect(refresh).rejects.toMatchObject({ code: 'ERR_ACACHE_NO_INSTANCE' });
    expect(a.controls.getMetrics()).toMatchObject({ misses: 0, loads: 0, loadErrors: 0 });
  });

  it("needs a name on a cache that is given, with scope: 'class'", async () => {
    const cache = new AsyncCache();
    expect(() => vault({ cache, scope: 'class' })).toThrow(
      'cached needs a name for #make on a cache that is shared',
    );
    const Vault = vault({ cache, scope: 'class', name: 'vault' });
    await new Vault().open(1);

    expect(cache.peek(makeKey('vault', [1]))).toBe('1:1');
  });
});

describe('a class without a name', () => {
  const anonymous = (options?: CachedOptions) =>
    class {
      calls = 0;
      @cached(options)
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      @cached(options)
      async wait(): Promise<string> {
        return new Promise(() => undefined);
      }
    };

  it('is a class as any other', async () => {
    const Service = anonymous();
    const [a, b] = [new Service(), new Service()];

    expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual(['1:1', '1:1', '1:1']);
    expect(await asCached(a, 'find').refresh(1)).toBe('1:2');
  });

  it('names its caches by the method alone', async () => {
    const clock = fakeClock();
    const service = new (anonymous({ clock, timeout: 5 }))();
    const message = service.wait().catch(String);
    await clock.advance(5);
    expect(await message).toContain("cache 'wait'");

    const cache = new AsyncCache();
    await new (anonymous({ cache, scope: 'class' }))().find(1);
    expect(cache.peek(makeKey('find', [1]))).toBe('1:1');
  });
});

describe('another decorator', () => {
  const log: string[] = [];
  beforeEach(() => (log.length = 0));

  /** Replaces the method by one that calls it. */
  const logged =
    (name: string) =>
    (method: Method): Method =>
      async function (...args) {
        log.push(`${name} ${args.join()}`);
        return method.apply(this, args);
      };
  /** Knows the method, and replaces nothing. */
  const registered = (_method: Method, { name }: ClassMethodDecoratorContext): void => {
    log.push(`registered ${String(name)}`);
  };
  /** As the proposal itself shows it. */
  const bound = (_method: Method, { addInitializer, name }: ClassMethodDecoratorContext): void => {
    addInitializer(function () {
      const self = this as Record<string | symbol, Method>;
      self[name] = self[name]!.bind(this);
    });
  };

  it('above is asked at every call, below only when there is no result', async () => {
    class Service {
      @logged('above')
      @cached()
      @logged('below')
      async find(id: number): Promise<string> {
        return `${id}`;
      }
    }
    const [a, b] = [new Service(), new Service()];
    for (const service of [a, a, b]) expect(await service.find(1)).toBe('1');

    expect(log).toEqual(['above 1', 'below 1', 'above 1', 'above 1', 'below 1']);
    expect(() => asCached(a, 'find')).toThrow('asCached takes a cached function');
  });

  it('that replaces nothing leaves the controls as they are', async () => {
    class Service {
      calls = 0;
      @registered
      @cached()
      @registered
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const a = new Service();
    await a.find(1);

    expect(log).toEqual(['registered find', 'registered find']);
    expect(await asCached(a, 'find').refresh(1)).toBe('1:2');
    expect(await a.find(1)).toBe('1:2');
  });

  it.each([
    [
      'above',
      () => {
        class Service {
          calls = 0;
          @bound
          @cached()
          async find(id: number): Promise<string> {
            return `${id}:${++this.calls}`;
          }
        }
        return Service;
      },
    ],
    [
      'below',
      () => {
        class Service {
          calls = 0;
          @cached()
          @bound
          async find(id: number): Promise<string> {
            return `${id}:${++this.calls}`;
          }
        }
        return Service;
      },
    ],
  ])('%s may bind the method', async (_where, make) => {
    const Service = make();
    const [a, b] = [new Service(), new Service()];
    const { find } = a;

    expect([await find(1), await a.find(1), await b.find(1)]).toEqual(['1:1', '1:1', '1:1']);
    expect(await asCached(Service.prototype.find, a).refresh(1)).toBe('1:2');
    expect(await find(1)).toBe('1:2');
  });

  it('of ours, too', async () => {
    class Service {
      calls = 0;
      @AsyncTTL()
      @AsyncLRU()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const a = new Service();
    await a.find(1);
    expect(await asCached(a, 'find').refresh(1)).toBe('1:1');
    expect(a.calls).toBe(1);
  });

  it('of the class may put another one in its place', async () => {
    const extended = <C extends new (...args: any[]) => object>(Target: C): C =>
      class extends Target {};
    @extended
    class Service {
      static calls = 0;
      calls = 0;
      @cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      @cached()
      static async make(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const [a, b] = [new Service(), new Service()];

    expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual(['1:1', '1:1', '1:1']);
    expect(await asCached(a, 'find').refresh(1)).toBe('1:2');
    expect([await Service.make(1), await Service.make(1)]).toEqual(['1:1', '1:1']);
    expect(await asCached(Service, 'make').refresh(1)).toBe('1:2');
  });

  it('may put a property on the method', () => {
    const marked = (method: Method): void => void Object.assign(method, { route: '/users' });
    class Service {
      @marked
      @cached()
      async find(id: number): Promise<string> {
        return `${id}`;
      }
    }

    expect(Service.prototype.find).toHaveProperty('route', '/users');
    expect(new Service().find).toHaveProperty('route', '/users');
  });
});
