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
type Descriptor = TypedPropertyDescriptor<any>;

it('decorators here are those of old', () => {
  let described: unknown;
  class Probe {
    @((_target: object, _key: string, descriptor: Descriptor) =>
      void (described = descriptor.value))
    probe(): void {}
  }
  expect(described).toBe(Object.getOwnPropertyDescriptor(Probe.prototype, 'probe')?.value);
});

refusals((decorate, who) => [
  [
    'a getter that returns a function',
    () => {
      class Service {
        @decorate get find() {
          return async () => 1;
        }
      }
      return Service;
    },
    new RegExp(
      `^${who} decorates methods and wraps functions, got the getter find: wrap the function itself, ${who}\\(…\\)\\(fn\\)$`,
    ),
  ],
  [
    'a static getter',
    () => {
      class Service {
        @decorate static get find() {
          return async () => 1;
        }
      }
      return Service;
    },
    /got the getter find:/,
  ],
  [
    'a setter',
    () => {
      class Service {
        @decorate set find(_fn: () => Promise<number>) {}
      }
      return Service;
    },
    /got the setter find:/,
  ],
  [
    'a property that holds a function',
    () => {
      class Service {
        @decorate find = async () => 1;
      }
      return Service;
    },
    new RegExp(`^${who} decorates methods and wraps functions, got the field find:`),
  ],
  [
    'a static property',
    () => {
      class Service {
        @decorate static find = async () => 1;
      }
      return Service;
    },
    /got the field find:/,
  ],
  [
    'a property as Babel has it, with an initializer',
    (): unknown =>
      decorate({}, 'find', {
        configurable: true,
        enumerable: true,
        writable: true,
        initializer: () => async () => 1,
      }),
    /got the field find:/,
  ],
  [
    'a getter with a symbol for name',
    () => {
      class Service {
        @decorate get [LOOKUP]() {
          return 1;
        }
      }
      return Service;
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
    new RegExp(`^${who} takes a function, got the class User$`),
  ],
  [
    'an async generator',
    () => {
      class Service {
        @decorate async *pages() {
          yield 1;
        }
      }
      return Service;
    },
    /got a generator 'pages': what one caller has read of it is gone for the next$/,
  ],
  [
    'a static generator',
    () => {
      class Service {
        @decorate static *pages() {
          yield 1;
        }
      }
      return Service;
    },
    /got a generator 'pages'/,
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
    expect(() => {
      class Service {
        @decorate async find() {
          return 1;
        }
      }
      return Service;
    }).toThrow(message);
  });

  it('is refused on a static method and on a property', () => {
    expect(() => {
      class Service {
        @decorate static async find() {
          return 1;
        }
      }
      return Service;
    }).toThrow(message);
    expect(() => {
      class Service {
        @decorate find = 1;
      }
      return Service;
    }).toThrow(message);
  });

  it('is refused on a class', () => {
    expect(() => {
      @decorate
      class User {}
      return User;
    }).toThrow(/got (the class|function) User$/);
  });
});

describe('the descriptor of a decorated method', () => {
  const log: string[] = [];
  beforeEach(() => (log.length = 0));

  const wrapping = (name: string, method: Method): Method =>
    async function (...args) {
      log.push(`${name} ${args.join()}`);
      return method.apply(this, args);
    };

  /** The ways in which decorators replace a method. */
  const ways: readonly (readonly [
    string,
    (name: string) => (target: object, key: string, descriptor: Descriptor) => unknown,
  ])[] = [
    [
      'changes it',
      (name) => (_target, _key, descriptor) => {
        descriptor.value = wrapping(name, descriptor.value as Method);
      },
    ],
    [
      'changes and returns it',
      (name) => (_target, _key, descriptor) => {
        descriptor.value = wrapping(name, descriptor.value as Method);
        return descriptor;
      },
    ],
    [
      'returns a copy',
      (name) => (_target, _key, descriptor) => ({
        ...descriptor,
        value: wrapping(name, descriptor.value as Method),
      }),
    ],
    [
      'returns one of its own',
      (name) => (_target, _key, descriptor) => ({
        value: wrapping(name, descriptor.value as Method),
        configurable: true,
        writable: true,
      }),
    ],
    [
      'defines it itself',
      (name) => (target, key, descriptor) => {
        const value = wrapping(name, descriptor.value as Method);
        const replaced = { ...descriptor, value };
        Object.defineProperty(target, key, replaced);
        return replaced;
      },
    ],
  ];

  it.each(ways)('may be wrapped above and below by one that %s', async (_way, wrap) => {
    const [above, below] = [wrap('above'), wrap('below')].map(untyped) as [
      MethodDecorator,
      MethodDecorator,
    ];
    class Service {
      @above
      @cached()
      @below
      async find(id: number): Promise<string> {
        return `${id}`;
      }
    }
    const [a, b] = [new Service(), new Service()];
    for (const service of [a, a, b]) expect(await service.find(1)).toBe('1');

    expect(log).toEqual(['above 1', 'below 1', 'above 1', 'above 1', 'below 1']);
    expect(() => asCached(a, 'find')).toThrow('asCached takes a cached function');
  });

  it.each(ways)('may be wrapped below alone by one that %s', async (_way, wrap) => {
    const below = untyped(wrap('below')) as MethodDecorator;
    class Service {
      @cached()
      @below
      async find(id: number): Promise<string> {
        return `${id}`;
      }
    }
    const a = new Service();
    await a.find(1);
    await a.find(1);

    expect(log).toEqual(['below 1']);
    expect(asCached(a, 'find')).toBe(a.find);
    await asCached(a, 'find').refresh(1);
    expect(log).toEqual(['below 1', 'below 1']);
  });

  it.each([
    ['returns nothing', (): undefined => undefined],
    ['returns it', (descriptor: Descriptor) => descriptor],
    ['returns a copy', (descriptor: Descriptor) => ({ ...descriptor })],
    ['makes it enumerable', (descriptor: Descriptor) => void (descriptor.enumerable = true)],
    ['makes it read-only', (descriptor: Descriptor) => void (descriptor.writable = false)],
  ])('looks like that of a method to one above that %s', async (_what, use) => {
    let seen: unknown;
    const above = untyped((_target: object, _key: string, descriptor: Descriptor) => {
      const { get, set, value } = descriptor;
      seen = [typeof value, get, set, 'value' in descriptor, Object.keys(descriptor).sort()];
      return use(descriptor);
    });
    class Service {
      calls = 0;
      @above
      @cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const [a, b] = [new Service(), new Service()];

    expect(seen).toEqual([
      'function',
      undefined,
      undefined,
      true,
      ['configurable', 'enumerable', 'value', 'writable'],
    ]);
    expect([await a.find(1), await a.find(1), await b.find(1)]).toEqual(['1:1', '1:1', '1:1']);
    expect(await asCached(a, 'find').refresh(1)).toBe('1:2');
    expect(await a.find(1)).toBe('1:2');
  });

  it('may become a getter that binds, above', async () => {
    const bound = untyped((_target: object, key: string, { value }: Descriptor) => ({
      configurable: true,
      get(this: object) {
        const method = (value as Method).bind(this);
        Object.defineProperty(this, key, { value: method, configurable: true });
        return method;
      },
    }));
    class Service {
      calls = 0;
      @bound
      @cached()
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const [a, b] = [new Service(), new Service()];
    const { find } = a;

    expect([await find(1), await a.find(1), await b.find(1)]).toEqual(['1:1', '1:1', '1:1']);
  });

  it('may be frozen above', async () => {
    const frozen = untyped((_t: object, _k: string, descriptor: Descriptor) =>
      Object.freeze(descriptor),
    );
    class Service {
      @frozen
      @cached()
      async find(id: number): Promise<string> {
        return `${id}`;
      }
    }

    expect(await new Service().find(1)).toBe('1');
  });

  it('may have a property put on its method above', () => {
    const marked = untyped((_target: object, _key: string, { value }: Descriptor) => {
      Object.assign(value as Method, { route: '/users' });
    });
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

  it('may be that of ours, too', async () => {
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
});
