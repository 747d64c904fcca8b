import { runInNewContext } from 'node:vm';
import { difference } from '../../test/difference.js';
import { valueSerializer } from '../values.js';

const serializer = valueSerializer();
const roundTrip = <T>(value: T): T => serializer.deserialize(serializer.serialize(value)) as T;
const elsewhere = (source: string): unknown => runInNewContext(`(${source})`);
const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
};

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}
class Secret {
  readonly #code = 1;
  get code(): number {
    return this.#code;
  }
}
class HttpError extends TypeError {
  override name = 'HttpError';
  readonly status = 404;
}
class Named extends Error {
  override get name(): string {
    return 'Named';
  }
}
class Rows extends Array<number> {}
class Tagged extends Map<string, number> {
  tag = 'a';
}

const withHoles: unknown[] = [1];
withHoles[2] = undefined;
withHoles.length = 6;

const shared = new Uint16Array(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
const kinds: Record<string, readonly unknown[]> = {
  'undefined, null and booleans': [undefined, null, true, false],
  numbers: [0, -0, 1, -1, 127, 128, -128, -129, 32_767, 32_768, -32_769, 2 ** 31 - 1, 2 ** 31],
  'more numbers': [-(2 ** 31), 2 ** 53, 0.1, 5e-324, 1.7e308, NaN, Infinity, -Infinity],
  bigints: [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, -(7n ** 999n)],
  texts: ['', 'a', 'é', '€', '😀', '\0', '\ufeff', '\ud800', 'a\udc00b', '\ud83d\ude00\ud83d'],
  'long texts': [
    ...[31, 32, 33, 62, 63, 64, 65, 5000].flatMap((n) =>
      ['a', 'é', '€', '\ud800'].map((c) => c.repeat(n)),
    ),
  ],
  'texts that end otherwise than they begin': [
    `${'a'.repeat(70_000)}é`,
    `${'a'.repeat(70_000)}\ud800`,
  ],
  dates: [new Date(0), new Date(1.7e12), new Date(-1), new Date(NaN)],
  'regular expressions': [/a/, /a\/b\n/dgimsuy, new RegExp('/'), new RegExp('')],
  urls: [new URL('https://user:pw@example.com:8080/a%20b?q=é#h'), new URL('data:text/plain,')],
  maps: [
    new Map(),
    new Map<unknown, unknown>([
      [NaN, 1],
      [0, 2],
      ['0', 3],
      [{}, new Map([[1, 2]])],
    ]),
  ],
  sets: [new Set(), new Set<unknown>(['b', 'a', NaN, undefined, [1]])],
  arrays: [[], [1, [2, [3]]], withHoles, new Array(100), Array.from({ length: 300 }, (_, n) => n)],
  objects: [{}, { b: 1, a: 2, 10: 3, 9: 4, '': 5, 'x\ny': 6 }, { 'x\ny': 1 }, { x: 1, y: 1 }],
  'objects with numbers for names': [
    { 1000: 1, 1001: 2 },
    { 4294967294: 1, 4294967295: 2 },
    { '-1': 1, '01': 2 },
  ],
  'objects without a prototype': [
    Object.create(null),
    Object.assign(Object.create(null), { a: 1, __proto__: 2 }),
  ],
  'names that objects inherit': [
    JSON.parse('{"__proto__":{"polluted":1},"constructor":1,"toString":2}'),
  ],
  buffers: [new Uint8Array(0).buffer, shared.buffer, Buffer.from('hé'), Buffer.alloc(0)],
  'views of a part': [
    shared.subarray(1, 3),
    new DataView(shared.buffer, 2, 3),
    Buffer.from('abcdef').subarray(2, 4),
  ],
  'numbers in views': [
    new Float32Array([0.5, -0, NaN]),
    new Float64Array([0.1]),
    new BigInt64Array([-1n]),
  ],
  'boxed primitives': [
    Object(1),
    Object(-0),
    Object(''),
    Object('ab'),
    Object(false),
    Object(2n ** 70n),
  ],
  errors: [
    new Error('a'),
    new TypeError(''),
    new RangeError('b', { cause: 0 }),
    new AggregateError([1], 'm'),
  ],
  'errors with more': [Object.assign(new Error('c'), { code: 'E', errno: -2 }), new HttpError('d')],
};

describe('valueSerializer', () => {
  for (const [kind, values] of Object.entries(kinds)) {
    it(`gives back ${kind}`, () => {
      for (const value of values) {
        if (value instanceof HttpError) Object.setPrototypeOf(value, TypeError.prototype);
        expect(difference(roundTrip(value), value)).toBeUndefined();
      }
      expect(difference(roundTrip(values), values)).toBeUndefined();
    });
  }

  it('keeps what is shared, and cycles', () => {
    const date = new Date(5);
    const error = new Error('a');
    error.cause = error;
    const map = new Map<unknown, unknown>([[date, date]]);
    map.set(map, error);
    const value = { date, map, list: [date, map], self: undefined as unknown };
    value.self = value;
    const back = roundTrip(value);
    expect(back.self).toBe(back);
    expect(back.list[0]).toBe(back.date);
    expect([...back.map.keys()]).toEqual([back.date, back.map]);
    expect((back.map.get(back.map) as Error).cause).toBe(back.map.get(back.map));
  });

  it('pollutes no prototype', () => {
    const back = roundTrip(JSON.parse('{"__proto__":{"polluted":1}}') as object);
    expect(Object.hasOwn(back, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect('polluted' in {}).toBe(false);
  });

  it('stores an instance of a class as its own enumerable properties', () => {
    expect(
      difference(roundTrip(new Money(1, 'EUR')), { amount: 1, currency: 'EUR' }),
    ).toBeUndefined();
    expect(Object.getPrototypeOf(roundTrip(new Money(1, 'EUR')))).toBe(Object.prototype);
    const getter = {
      get price() {
        return 5;
      },
      [Symbol('a')]: 1,
    };
    expect(difference(roundTrip(getter), { price: 5 })).toBeUndefined();
    expect(
      roundTrip(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })),
    ).toEqual({ own: 2 });
  });

  it('stores an instance of a class that extends a built-in as that built-in', () => {
    expect(difference(roundTrip(Rows.of(1, 2)), [1, 2])).toBeUndefined();
    expect(difference(roundTrip(new Tagged([['a', 1]])), new Map([['a', 1]]))).toBeUndefined();
    const back = roundTrip(new HttpError('gone'));
    expect(back).toBeInstanceOf(TypeError);
    expect(back).toMatchObject({ name: 'HttpError', message: 'gone', status: 404 });
    expect(roundTrip(new Named('x')).name).toBe('Named');
    expect(roundTrip(new DOMException('late', 'AbortError'))).toMatchObject({
      name: 'AbortError',
      message: 'late',
    });
    expect(roundTrip(new DOMException('late', 'AbortError'))).toBeInstanceOf(Error);
  });

  it('understands objects of another realm', () => {
    const foreign =
      '{ a: [1], m: new Map([[1, new Set([2])]]), d: new Date(5), r: /a/g, n: Object(1) }';
    const own = {
      a: [1],
      m: new Map([[1, new Set([2])]]),
      d: new Date(5),
      r: /a/g,
      n: Object(1) as unknown,
    };
    expect(difference(roundTrip(elsewhere(foreign)), own)).toBeUndefined();
    expect(roundTrip(elsewhere('new RangeError("far")'))).toBeInstanceOf(RangeError);
  });

  it('copies shared memory as an ArrayBuffer', () => {
    const memory = new SharedArrayBuffer(2);
    new Uint8Array(memory).set([1, 2]);
    expect(difference(roundTrip<unknown>(memory), new Uint8Array([1, 2]).buffer)).toBeUndefined();
  });

  it('gives no memory to two owners', () => {
    const written = serializer.serialize(Buffer.from('abc'));
    const copy = written.slice();
    const back = serializer.deserialize(written) as Buffer;
    written.fill(0);
    expect(back.toString()).toBe('abc');
    serializer.serialize('something else');
    expect(serializer.deserialize(copy)).toEqual(Buffer.from('abc'));
    const pooled = Buffer.from(copy); // a part of a larger memory
    expect(serializer.deserialize(pooled)).toEqual(Buffer.from('abc'));
  });

  it('tells the names of properties once', () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id, isActive: true, createdAt: null }));
    expect(serializer.serialize(rows).length).toBeLessThan(500);
    const alternating = rows.flatMap((row) => [row, { other: 1 }]);
    expect(difference(roundTrip(alternating), alternating)).toBeUndefined();
    const dictionaries = [1, 2].map(() => Object.fromEntries(rows.map(({ id }) => [`k${id}`, id])));
    expect(difference(roundTrip(dictionaries), dictionaries)).toBeUndefined();
    const shapes = Array.from({ length: 300 }, (_, id) => ({ [`k${id % 150}`]: id }));
    expect(difference(roundTrip(shapes), shapes)).toBeUndefined();
  });

  it('works while it is at work', () => {
    const inner: unknown[] = [];
    const value = {
      before: [1],
      get inside() {
        inner.push(roundTrip({ before: [2] }));
        return 'read';
      },
      after: [3],
    };
    expect(roundTrip(value)).toEqual({ before: [1], inside: 'read', after: [3] });
    expect(inner).toEqual([{ before: [2] }]);
  });

  it('survives a value that changes while it is read', () => {
    const list: unknown[] = [
      1,
      {
        get first() {
          list.length = 2;
          return 1;
        },
      },
      3,
    ];
    expect(roundTrip(list)).toHaveLength(3);
    const object = {
      get a() {
        delete (this as { b?: number }).b;
        return 1;
      },
      b: 2,
    };
    expect(roundTrip(object)).toEqual({ a: 1, b: undefined });
    const liar = new Proxy([1, 2], {
      get: (target, name) =>
        name === 'length' ? 2 ** 40 + 3 : (Reflect.get(target, name) as unknown),
    });
    expect(roundTrip(liar)).toHaveLength(3);
  });
});

describe('what has no form in bytes', () => {
  const refused: Record<string, () => unknown> = {
    'value is a function, which has no form in bytes': () => () => 1,
    'value.user.save is a function, which has no form in bytes': () => ({ user: { save() {} } }),
    'value["two words"][1] is a symbol, which has no form in bytes': () => ({
      'two words': [0, Symbol('a')],
    }),
    'value[key 1] is a symbol,': () =>
      new Map([
        [1, 2],
        [Symbol('a'), 3],
      ] as never),
    'value[value 0].a is of type Promise, whose state cannot be read': () =>
      new Map([[1, { a: Promise.resolve() }]]),
    'value[value 1] is of type WeakMap,': () => new Set([1, new WeakMap()]),
    'value.cause is of type WeakRef,': () => new Error('a', { cause: new WeakRef({}) }),
    'value is of type Secret, whose state cannot be read. Give the serializer a custom type': () =>
      new Secret(),
    'value is of type URLSearchParams,': () => new URLSearchParams('a=1'),
    'value is of type Symbol,': () => Object(Symbol('a')) as unknown,
    'value.now cannot be read: too early': () => ({
      now: {
        get then() {
          throw new Error('too early');
        },
      },
    }),
    'value.p cannot be read: no': () => ({
      p: new Proxy(
        {},
        {
          ownKeys() {
            throw new Error('no');
          },
        },
      ),
    }),
    'value cannot be read: ': () => Object.create(Date.prototype) as unknown,
    'value[1000000] is one of over 1000000 holes': () => new Array<number>(4_000_000_000),
    'value[1] is one of regular expressions of together over 1024': () =>
      ['a', 'b'].map((x) => new RegExp(x.repeat(600))),
  };
  for (const [message, make] of Object.entries(refused)) {
    it(`is told: ${message}`, () => {
      const error = thrownBy(() => serializer.serialize(make()));
      expect(error).toMatchObject({ name: 'CacheError', code: 'ERR_ACACHE_UNSERIALIZABLE' });
      expect((error as Error).message).toContain(message);
      // The serializer is as good as new.
      expect(roundTrip({ a: [1] })).toEqual({ a: [1] });
    });
  }

  it.each([
    ['Generator', () => (function* () {})()],
    ['Array Iterator', () => [1][Symbol.iterator]()],
  ])('is told: value is of type %s, which newer platforms call an Iterator', (name, make) => {
    const error = thrownBy(() => serializer.serialize(make()));
    expect((error as Error).message).toMatch(new RegExp(`^value is of type (${name}|Iterator),`));
  });

  it('keeps the cause, and shortens a long path', () => {
    const cause = new Error('too early');
    const thrower = {
      get a(): number {
        throw cause;
      },
    };
    expect(thrownBy(() => serializer.serialize(thrower))).toHaveProperty('cause', cause);
    let nested: unknown = Symbol('a');
    for (let depth = 0; depth < 50; depth++) nested = [nested];
    expect(() => serializer.serialize(nested)).toThrow(/^value(\[0\]){6}…(\[0\]){3} is a symbol/);
  });
});
