import { execFileSync } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { parse } from 'node:querystring';
import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { buildSync } from 'esbuild';
import { CacheError, InvalidOptionError } from './errors.js';
import { decodePrimitiveKey, encodeKey, makeKey } from './make-key.js';

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}
class Weight {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}
class Tagged extends Map<string, number> {
  tag = 'a';
}
class Page<T> extends Array<T> {}
class UserId {
  readonly #id: string;
  constructor(id: string) {
    this.#id = id;
  }
  toCacheKey(): string {
    return this.#id;
  }
}
class OrderId extends UserId {}
class Enigma {
  readonly #tag = 'Secret';
  get [Symbol.toStringTag](): string {
    return this.#tag;
  }
}

const withProperty = <T extends object>(value: T, properties: object): T =>
  Object.assign(value, properties);
const buffer = (...bytes: number[]) => new Uint8Array(bytes).buffer;
const elsewhere = (source: string): unknown => runInNewContext(`(${source})`, { URL });

/** Every line holds values that differ from each other, and from those of all other lines. */
const different: Record<string, readonly unknown[]> = {
  numbers: [0, -0, 1, -1, 10, 0.1, 1e21, 1e-7, NaN, Infinity, -Infinity, Number.MIN_VALUE],
  strings: ['', '1', 'a', 'ab', 'NaN', 'null', 'undefined', 'true', 'n1;', '|', '%7C', '😀'],
  'lone surrogates': ['\ud800', '\ud801', '\udc00', '\ufffd', '\ud800\ud800', '%ud800', 'w%ud800'],
  'characters that look alike': ['\u00e9', 'e\u0301', ' ', '\u00a0', '\0', '\\0'],
  bigints: [0n, 1n, -1n, 10n, 2n ** 64n],
  'booleans, null and undefined': [true, false, null, undefined],
  dates: [new Date(0), new Date(1), new Date(NaN), withProperty(new Date(0), { zone: 'UTC' })],
  'regular expressions': [/a/, /b/, /a/g, /a/gi, /(?:)/, new RegExp('a/g')],
  urls: [new URL('http://a/'), new URL('http://a/?b'), new URL('http://a/#b')],
  'search parameters': ['', 'a=1', 'a=1&b=2', 'b=2&a=1'].map((text) => new URLSearchParams(text)),
  arrays: [[], [1], ['1'], [[1]], [1, 2], [2, 1], [[1], 2], [[1, 2]], [undefined], [null], [[]]],
  'plain objects': [{}, { a: 1 }, { a: '1' }, { b: 1 }, { a: undefined }, { a: null }, { a: {} }],
  'objects with prototype names': [
    JSON.parse('{"__proto__":1}'),
    JSON.parse('{"__proto__":{}}'),
    { constructor: 1 },
    { toString: 1 },
    { hasOwnProperty: 1 },
    { toCacheKey: 'text' },
    '__proto__',
    'constructor',
  ],
  'keys that look like other structure': [
    { 'a:1': 1 },
    { 'an1;1:b': 2 },
    { a: 1, b: 2 },
    { a: { b: 2 } },
    { 0: 1 },
    { '': 1 },
    { '\ud800': 1 },
    { '\ud801': 1 },
  ],
  maps: [
    new Map(),
    new Map([['a', 1]]),
    new Map([['a', '1']]),
    new Map<unknown, unknown>([[1, 'a']]),
    new Map<unknown, unknown>([[{}, 'a']]),
    new Map<unknown, unknown>([
      [{}, 'a'],
      [{}, 'a'],
    ]),
    withProperty(new Map([['a', 1]]), { extra: true }),
  ],
  sets: [
    new Set(),
    new Set([1]),
    new Set(['1']),
    new Set([1, 2]),
    new Set([[1, 2]]),
    new Set([{}]),
  ],
  'boxed primitives': [
    Object(1),
    Object(-0),
    Object('1'),
    Object('12'),
    Object(true),
    Object(1n),
    withProperty(Object('1') as object, { a: 1 }),
    withProperty(Object('1') as object, { 5: 1 }),
  ],
  'typed arrays': [
    Int8Array.of(1, 2),
    Uint8Array.of(1, 2),
    Uint8Array.of(1, 2, 0),
    Uint8ClampedArray.of(1, 2),
    Int16Array.of(1, 2),
    Uint16Array.of(1, 2),
    Int32Array.of(1, 2),
    Uint32Array.of(1, 2),
    Float32Array.of(1, 2),
    Float64Array.of(1, 2),
    Float64Array.of(0),
    Float64Array.of(-0),
    Float64Array.of(NaN),
    BigInt64Array.of(1n, 2n),
    BigUint64Array.of(1n, 2n),
    Float64Array.of(),
    Uint8Array.of(),
  ],
  bytes: [
    Buffer.from([1, 2]),
    buffer(1, 2),
    buffer(),
    new SharedArrayBuffer(2),
    new DataView(buffer(1, 2)),
    new DataView(buffer(1, 2, 3, 4), 1, 2),
  ],
  errors: [
    new Error('a'),
    new Error('b'),
    new TypeError('a'),
    new Error('a', { cause: 1 }),
    new Error('a', { cause: undefined }),
    withProperty(new Error('a'), { code: 'E' }),
    withProperty(new Error('a'), { name: 'Other' }),
    new AggregateError([], 'a'),
    new AggregateError([1], 'a'),
    new DOMException('a', 'AbortError'),
    new CacheError('ERR_ACACHE_CLOSED', 'a'),
  ],
  'instances of classes': [
    new Money(1, 'EUR'),
    new Money(1, 'USD'),
    new Weight(1, 'EUR'),
    { amount: 1, currency: 'EUR' },
  ],
  'subclasses of built-ins': [
    new Tagged([['a', 1]]),
    withProperty(new Tagged([['a', 1]]), { tag: 'b' }),
    Page.of(1),
    withProperty(Page.of(1), { cursor: 'x' }),
    withProperty(Page.of(1), { '-1': 'x' }),
    withProperty(Page.of(1), { '00': 'x' }),
    new (class Moment extends Date {})(0),
    new (class Uniques extends Set {})(),
    new (class Text extends String {})('1'),
  ],
  'classes with the names of built-ins': [
    new (class Map {
      a = 1;
    })(),
    new (class Date {
      a = 1;
    })(),
    new (class Object {
      a = 1;
    })(),
  ],
  'own keys': [
    new UserId('1'),
    new UserId('2'),
    new OrderId('1'),
    { toCacheKey: () => '1' },
    { toCacheKey: () => 1 },
  ],
};

/** Every line holds values that are one and the same. */
const equal: Record<string, readonly unknown[]> = {
  'NaN however it came about': [NaN, 0 / 0, -NaN],
  'properties in any order': [
    { a: 1, b: { c: 2, d: 3 } },
    { b: { d: 3, c: 2 }, a: 1 },
  ],
  'many properties in any order': [
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, i])),
    Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${39 - i}`, 39 - i])),
  ],
  'a Map in any order': [
    new Map(Object.entries({ a: 1, b: 2 })),
    new Map(Object.entries({ b: 2, a: 1 })),
  ],
  'a Set in any order': [new Set([1, '1', {}]), new Set([{}, '1', 1])],
  'a hole and undefined': [[1, undefined, 3], withProperty(new Array(3), { 0: 1, 2: 3 })],
  'objects without a prototype': [
    { a: 1 },
    Object.assign(Object.create(null) as object, { a: 1 }),
    Object.assign(Object.create(Object.create(null) as object) as object, { a: 1 }),
    parse('a=1').a === '1' ? withProperty(parse(''), { a: 1 }) : undefined,
  ],
  'a property that cannot be listed': [
    {},
    Object.defineProperty({}, 'hidden', { value: 1 }),
    Object.defineProperty({}, Symbol('hidden'), { value: 1 }),
  ],
  'a getter and what it returns': [
    { a: 1 },
    {
      get a() {
        return 1;
      },
    },
  ],
  'a Proxy of a plain object': [{ a: 1 }, new Proxy({ a: 1 }, {})],
  'a Proxy of an array': [[1, 2], new Proxy([1, 2], {})],
  'an instance and one of a class with the same name': [
    new Money(1, 'EUR'),
    new (class Money {
      currency = 'EUR';
      amount = 1;
    })(),
  ],
  'views of the same bytes': [Uint8Array.of(1, 2), new Uint8Array(buffer(0, 1, 2, 3), 1, 2)],
  'an error wherever it was made': [new Error('a'), (() => new Error('a'))()],
  'a RegExp wherever it stands': [/a/g, withLastIndex(/a/g, 3)],
  'the same reference twice': [twice({ a: 1 }), [{ a: 1 }, { a: 1 }]],
};

function withLastIndex(pattern: RegExp, lastIndex: number): RegExp {
  pattern.lastIndex = lastIndex;
  return pattern;
}

function twice(value: object): unknown {
  return [value, value];
}

/** What later versions must still make of these, or every shared tier starts empty. */
const golden: readonly (readonly [unknown, string])[] = [
  ['bob', 's3:bob'],
  ['😀', 's2:😀'],
  ['\ud800%|', 'ws3:%ud800%25%7C'],
  [42, 'n42;'],
  [-0, 'n-0;'],
  [NaN, 'nNaN;'],
  [1e21, 'n1e+21;'],
  [-5n, 'b-5;'],
  [true, 'true;'],
  [false, 'false;'],
  [null, 'null;'],
  [undefined, 'undefined;'],
  [[1, 'a', []], '[n1;s1:a[]]'],
  [{ b: 1, a: { c: null } }, '{1:a{1:cnull;}1:bn1;}'],
  [new Date(1e12), 'Date(n1000000000000;)'],
  [/a+/gi, 'RegExp(s2:a+s2:gi)'],
  [new URL('https://example.org/?q=1'), 'URL(s24:https://example.org/?q=1)'],
  [new URLSearchParams('a=1&b=2'), 'URLSearchParams(s7:a=1&b=2)'],
  [
    new Map([
      ['b', 2],
      ['a', 1],
    ]),
    'Map(s1:an1;s1:bn2;)',
  ],
  [new Set([2, 10]), 'Set(n10;n2;)'],
  [Object('a'), 'String(s1:a)'],
  [Uint8Array.of(1, 255), 'Uint8Array(01ff)'],
  [Buffer.from('hi'), 'Uint8Array@6:Buffer(6869)'],
  [Float32Array.of(-0, 1.5), 'Float32Array(-0,1.5,)'],
  [BigInt64Array.of(-1n), 'BigInt64Array(-1,)'],
  [buffer(1, 2), 'ArrayBuffer(0102)'],
  [new DataView(buffer(1, 2)), 'DataView(0102)'],
  [new TypeError('bad'), 'Error@9:TypeError(;7:messages3:bad4:names9:TypeError)'],
  [new Money(1, 'EUR'), '@5:Money{6:amountn1;8:currencys3:EUR}'],
  [new Tagged([['x', 1]]), 'Map@6:Tagged(s1:xn1;;3:tags1:a)'],
  [Page.of(1), 'Array@4:Page(n1;)'],
  [new UserId('7'), '@6:UserId(s1:7)'],
];

describe('makeKey', () => {
  it('is the name and one word per argument', () => {
    expect(makeKey('getUser', [])).toBe('getUser|');
    expect(makeKey('getUser', [42])).toBe('getUser|n42;');
    expect(makeKey('getUser', ['bob'])).toBe('getUser|s3:bob');
    expect(makeKey('getUser', [42, 'bob'])).toBe('getUser|n42;s3:bob');
    expect(makeKey('getUser', [{ id: 1 }, null])).toBe('getUser|{2:idn1;}null;');
  });

  it('leaves out the first skipArgs arguments, whatever they are', () => {
    expect(makeKey('f', [() => 1, 42], 1)).toBe('f|n42;');
    expect(makeKey('f', [Symbol('s'), () => 1], 2)).toBe('f|');
    expect(makeKey('f', [1], 5)).toBe('f|');
  });

  it('tells missing arguments from undefined ones', () => {
    expect(makeKey('f', [])).not.toBe(makeKey('f', [undefined]));
    expect(makeKey('f', [1])).not.toBe(makeKey('f', [1, undefined]));
  });

  it('keeps arguments apart however they run together', () => {
    const calls = [
      ['ab'],
      ['a', 'b'],
      ['', 'ab'],
      ['ab', ''],
      ['a|'],
      ['a|', ''],
      ['a', '|'],
      [1, 2],
      [12],
      ['1', '2'],
      ['12'],
      [1, '2'],
      ['1', 2],
      [1n, 2n],
      [12n],
      ['s1:a'],
      ['a', 's1:'],
      ['a'.repeat(63)],
      ['a'.repeat(64)],
      ['a'.repeat(65)],
      [['a'], 'b'],
      [['a', 'b']],
      [new Set([{}])],
      [withProperty(new Set(), {}), {}],
      [[new Set(), { a: 1 }]],
      [[withProperty(new Set(), { a: 1 })]],
    ];
    expect(new Set(calls.map((args) => makeKey('f', args))).size).toBe(calls.length);
  });

  it('keeps the name apart from the arguments', () => {
    const calls: [string, unknown[]][] = [
      ['f', ['a']],
      ['f|s1:a', []],
      ['f|', ['a']],
      ['f%7C', ['a']],
      ['f%257C', ['a']],
      ['', ['a']],
      ['|', ['a']],
      ['', []],
      ['\0f', ['a']],
      ['w\0f', ['a']],
      ['%u0000f', ['a']],
      ['wf', ['a']],
      ['\ud800', ['a']],
      ['\ud801', ['a']],
      ['\ud800|', ['a']],
      ['f', ['\ud800']],
      ['f', ['\ud801']],
    ];
    expect(new Set(calls.map((call) => makeKey(...call))).size).toBe(calls.length);
    expect(makeKey('a|b', [])).toBe('a%7Cb|');
  });

  it('makes keys that UTF-8 can carry and that do not begin with NUL', () => {
    for (const key of [
      makeKey('\0f', [1]),
      makeKey('\ud800', []),
      makeKey('f', ['\udfff']),
      encodeKey({ '\ud800': 1 }),
      encodeKey('\0'),
    ]) {
      expect(Buffer.from(key).toString()).toBe(key);
      expect(key.charCodeAt(0)).not.toBe(0);
    }
  });

  it('goes on telling names apart when calls alternate', () => {
    const keys = ['f', 'g', 'a|', 'f', 'g', 'a|'].map((name) => makeKey(name, [1]));
    expect(keys).toEqual(['f|n1;', 'g|n1;', 'a%7C|n1;', 'f|n1;', 'g|n1;', 'a%7C|n1;']);
  });

  it.each([-1, 1.5, NaN, Infinity, '1', null])('rejects skipArgs: %p', (skipArgs) => {
    expect(() => makeKey('f', [], skipArgs as number)).toThrow(InvalidOptionError);
    expect(() => makeKey('f', [], skipArgs as number)).toThrow(/skipArgs must be .*, got /);
  });

  it('rejects a name that is no string', () => {
    expect(() => makeKey(42 as unknown as string, [])).toThrow(InvalidOptionError);
    expect(() => makeKey(undefined as unknown as string, [])).toThrow(/name must be .* undefined/);
  });
});

describe('encodeKey', () => {
  const all = Object.entries(different).flatMap(([line, values]) =>
    values.map((value, index) => [`${line} #${index}`, value] as const),
  );

  it.each(Object.entries(different))('tells %s apart', (_, values) => {
    expect(new Set(values.map(encodeKey)).size).toBe(values.length);
  });

  it('tells every value of the table from every other, alone and inside others', () => {
    for (const wrap of [
      (value: unknown) => value,
      (value: unknown) => [value],
      (value: unknown) => ({ a: value }),
      (value: unknown) => new Map([[value, value]]),
      (value: unknown) => new Set([value]),
      (value: unknown) => new Error('a', { cause: value }),
      (value: unknown) => new Money(value as number, 'EUR'),
      (value: unknown) => ({ toCacheKey: () => value }),
    ]) {
      const owners = new Map<string, string>();
      for (const [label, value] of all) {
        const key = encodeKey(wrap(value));
        // A Set and a Map know one zero only.
        const minusZero = Object.is(value, -0) && wrap(1) instanceof Set;
        if (!minusZero) expect([label, owners.get(key)]).toEqual([label, undefined]);
        owners.set(key, label);
      }
    }
  });

  it.each(Object.entries(equal))('takes for equal: %s', (_, values) => {
    expect(new Set(values.map(encodeKey)).size).toBe(1);
  });

  it.each(golden)('encodes %p as %s, as in every version', (value, key) => {
    expect(encodeKey(value)).toBe(key);
  });

  it.each([
    ["{ a: [1, { b: null }], c: 'x' }", { a: [1, { b: null }], c: 'x' }],
    ['Object.assign(Object.create(null), { a: 1 })', { a: 1 }],
    ['new Map([[1, new Set([2])]])', new Map([[1, new Set([2])]])],
    ['new Date(5)', new Date(5)],
    ['/a/g', /a/g],
    ["new TypeError('a', { cause: 1 })", new TypeError('a', { cause: 1 })],
    ['Float64Array.of(1, -0)', Float64Array.of(1, -0)],
    ['new DataView(new ArrayBuffer(2))', new DataView(new ArrayBuffer(2))],
    ['new ArrayBuffer(2)', new ArrayBuffer(2)],
    ['new SharedArrayBuffer(2)', new SharedArrayBuffer(2)],
    ['Object(1n)', Object(1n)],
    ["new URL('http://a/')", new URL('http://a/')],
    ["new (class Money { amount = 1; currency = 'EUR' })", new Money(1, 'EUR')],
    ['new (class Page extends Array {})()', new Page()],
  ])('takes %s of another realm for its own', (source, value) => {
    expect(encodeKey(elsewhere(source))).toBe(encodeKey(value));
  });

  it('gives equal keys in a process of its own', () => {
    const { outputFiles } = buildSync({
      entryPoints: [`${__dirname}/make-key.ts`],
      bundle: true,
      format: 'cjs',
      write: false,
    });
    const source = `
      const values = [{ b: [1, 'x'], a: new Map([[1, new Set(['b', 'a'])]]) }, new Date(5), -0, 'é😀'];
      process.stdout.write(JSON.stringify([exports.makeKey('f', values), values.map(exports.encodeKey)]));
    `;
    const values = [
      { a: new Map([[1, new Set(['a', 'b'])]]), b: [1, 'x'] },
      new Date(5),
      -0,
      'é😀',
    ];
    const output = execFileSync(process.execPath, ['-'], {
      input: `const module = { exports: {} }; let exports = module.exports;
        ${outputFiles[0]!.text}; exports = module.exports; ${source}`,
      encoding: 'utf8',
    });
    expect(JSON.parse(output)).toEqual([makeKey('f', values), values.map(encodeKey)]);
  });

  it('looks for a class at every use where a prototype has none', () => {
    const prototype = {};
    expect(encodeKey(Object.create(prototype))).toBe('{}');
    withProperty(prototype, { a: 1 });
    expect(() => encodeKey(Object.create(prototype))).toThrow(/inherits from an object/);
  });

  it('does not mind what a class itself inherits from', () => {
    class Mixed {
      a = 1;
    }
    Object.setPrototypeOf(Mixed.prototype, { greet: () => 'hi' });
    expect(encodeKey(new Mixed())).toBe('@5:Mixed{1:an1;}');
  });

  it('goes by the kind of a view also where Buffer is built in, as in Bun', () => {
    const constructor = { value: runInNewContext('Promise') as unknown };
    const view = Object.setPrototypeOf(
      Uint8Array.of(1),
      Object.create(Uint8Array.prototype, { constructor }) as object,
    ) as unknown;
    expect(encodeKey(view)).toBe('Uint8Array@7:Promise(01)');
  });

  it('does not see #private fields, nor what an array has beside its elements', () => {
    class Secret {
      readonly #value: number;
      constructor(value: number) {
        this.#value = value;
      }
      reveal(): number {
        return this.#value;
      }
    }
    expect(encodeKey(new Secret(1))).toBe(encodeKey(new Secret(2)));
    expect(encodeKey(withProperty([1], { extra: true }))).toBe(encodeKey([1]));
  });
});

describe('a key that an object makes for itself', () => {
  it('may be any value that has a key', () => {
    const parts = { toCacheKey: () => [1, new Map([['a', new UserId('x')]])] };
    expect(encodeKey(parts)).toBe('@0:([n1;Map(s1:a@6:UserId(s1:x))])');
  });

  it('comes before everything else about the object', () => {
    class Promised extends Promise<number> {
      toCacheKey(): number {
        return 1;
      }
    }
    expect(encodeKey(new Promised(() => {}))).toBe('@8:Promised(n1;)');
    expect(encodeKey(withProperty([1, 2], { toCacheKey: () => 'own' }))).toBe('@5:Array(s3:own)');
  });

  it('is asked for with the object as this, once', () => {
    const asked: unknown[] = [];
    const object = {
      toCacheKey() {
        asked.push(this);
        return 1;
      },
    };
    encodeKey([object]);
    expect(asked).toEqual([object]);
  });

  it('may be made by makeKey', () => {
    const object = { toCacheKey: () => makeKey('inner', [1]) };
    expect(makeKey('outer', [object])).toBe('outer|@0:(s9:inner|n1;)');
  });

  it('passes its error on unchanged', () => {
    const error = new RangeError('mine');
    const failing = {
      toCacheKey() {
        throw error;
      },
    };
    expect(thrownBy(() => makeKey('f', [{ failing }]))).toBe(error);
  });
});

describe('a value without a key', () => {
  const cycle: Record<string, unknown> = { name: 'x' };
  cycle.child = { parent: cycle };
  const ring = new Map<string, unknown>();
  ring.set('self', new Set([ring]));
  const itself = {
    toCacheKey(): unknown {
      return this;
    },
  };

  const cases: [string, unknown, string][] = [
    ['a function', () => 1, 'args[1] is a function'],
    ['a class', Money, 'args[1] is a function'],
    ['a Proxy of a function', new Proxy(() => 1, {}), 'args[1] is a function'],
    ['a function in it', { user: { callback: () => 1 } }, 'args[1].user.callback is a function'],
    [
      'one under an odd name',
      { 'a b': { 'x"y': () => 1 } },
      'args[1]["a b"]["x\\"y"] is a function',
    ],
    ['one in an array', [1, [2, () => 1]], 'args[1][1][1] is a function'],
    [
      'one in a Map',
      new Map([
        [{}, 1],
        [{ f: () => 1 }, 1],
      ]),
      'args[1][key 1].f is a function',
    ],
    ['one in a Map value', new Map([[1, () => 1]]), 'args[1][value 0] is a function'],
    ['one in a Set', new Set([1, () => 1]), 'args[1][value 1] is a function'],
    ['one in a cause', new Error('a', { cause: () => 1 }), 'args[1].cause is a function'],
    ['one in an instance', new Money(1, (() => 1) as never), 'args[1].currency is a function'],
    [
      'one it made itself',
      { toCacheKey: () => [() => 1] },
      'args[1].toCacheKey()[0] is a function',
    ],
    ['a symbol', Symbol('s'), 'args[1] is a symbol'],
    ['a boxed symbol', Object(Symbol('s')), 'args[1] is of type Symbol'],
    [
      'a property named by a symbol',
      { a: { [Symbol('s')]: 1 } },
      'args[1].a is an object with a property named by a symbol, Symbol(s)',
    ],
    ['a cycle', cycle, 'args[1].child.parent is a cycle: it is args[1] again'],
    [
      'a cycle further in',
      { list: [cycle] },
      'args[1].list[0].child.parent is a cycle: it is args[1].list[0] again',
    ],
    [
      'a cycle of a Map and a Set',
      ring,
      'args[1][value 0][value 0] is a cycle: it is args[1] again',
    ],
    ['a cycle of toCacheKey', itself, 'args[1].toCacheKey() is a cycle: it is args[1] again'],
    [
      'a cycle at the end of a long way',
      nested(40, cycle),
      'is a cycle: it is args[1][0][0][0][0][0][0]…[0][0][0] again',
    ],
    ['a Promise', Promise.resolve(1), 'args[1] is of type Promise, whose state cannot be read'],
    [
      'an async toCacheKey',
      { toCacheKey: async () => 1 },
      'args[1].toCacheKey() is of type Promise',
    ],
    ['a WeakMap', new WeakMap(), 'args[1] is of type WeakMap'],
    ['a WeakSet', new WeakSet(), 'args[1] is of type WeakSet'],
    ['a WeakRef', new WeakRef({}), 'args[1] is of type WeakRef'],
    ['a generator', (function* () {})(), 'args[1] is of type Generator'],
    ['an async generator', (async function* () {})(), 'args[1] is of type AsyncGenerator'],
    ['an iterator', [1][Symbol.iterator](), 'args[1] is of type Array Iterator'],
    ['an Intl object', new Intl.NumberFormat('en'), 'args[1] is of type Intl.NumberFormat'],
    ['an AbortSignal', new AbortController().signal, 'args[1] is of type AbortSignal'],
    ['a web stream', new ReadableStream(), 'args[1] is of type ReadableStream'],
    ['a Node stream', new Readable(), 'args[1] is '],
    [
      'an event emitter',
      new EventEmitter(),
      'args[1] is an object with a property named by a symbol',
    ],
    ['a secret key', createSecretKey(Buffer.from('k')), 'args[1] is of type KeyObject'],
    ['a Blob', new Blob(['a']), 'args[1] is of type Blob'],
    ['FormData', new FormData(), 'args[1] is of type FormData'],
    ['Headers', new Headers(), 'args[1] is of type Headers'],
    ['an arguments object', argumentsOf(1, 2), 'args[1] is of type Arguments'],
    ['Math', Math, 'args[1] is of type Math'],
    ['a Promise of another realm', elsewhere('Promise.resolve(1)'), 'args[1] is of type Promise'],
    ['a Proxy of a Date', new Proxy(new Date(), {}), 'args[1] is of type Date'],
    ['a Proxy of a Map', new Proxy(new Map(), {}), 'args[1] is of type Map'],
    ['a Proxy of a Buffer', new Proxy(Buffer.from('a'), {}), 'args[1] is of type Uint8Array'],
    ['a Date without its state', Object.create(Date.prototype), 'args[1] is of type Date'],
    ['an array without its state', Object.create(Array.prototype), 'args[1] is of type Array'],
    ['what only calls itself a Map', tagged('Map'), 'args[1] is of type Map'],
    ['what only calls itself an Array', tagged('Array'), 'args[1] is of type Array'],
    ['a tag nobody knows', new Enigma(), 'args[1] is of type Secret'],
    [
      'an instance of a class without a name',
      new (class {
        a = 1;
      })(),
      'args[1] is an instance of a class without a name',
    ],
    [
      'an object made from another',
      Object.create({ a: 1 }),
      'args[1] is an object that inherits from an object without a class',
    ],
    [
      'an object made from an instance',
      Object.create(new Money(1, 'EUR')),
      'args[1] is an object that inherits',
    ],
  ];

  it.each(cases)('%s throws ERR_ACACHE_UNKEYABLE, and says where', (_, value, where) => {
    const error = thrownBy(() => makeKey('getUser', [1, value]));
    expect(error).toBeInstanceOf(CacheError);
    expect(error).toMatchObject({ code: 'ERR_ACACHE_UNKEYABLE' });
    const { message } = error as Error;
    expect(message).toContain('Cannot make a key for getUser: args[1]');
    expect(message).toContain(where);
    expect(message).toMatch(/\. (Pass|Name) /);
  });

  it('is named from the key itself where there are no arguments', () => {
    expect(() => encodeKey({ a: [() => 1] })).toThrow('Cannot make a key: key.a[0] is a function.');
  });

  it('counts arguments from the first, also of those that are skipped', () => {
    expect(() => makeKey('f', [1, 2, () => 1], 1)).toThrow('args[2] is a function');
  });

  it.each([
    ['arrays', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['Maps', (inner: unknown) => new Map([[1, inner]])],
    ['Map keys', (inner: unknown) => new Map([[inner, 1]])],
    ['Sets', (inner: unknown) => new Set([inner])],
    ['causes', (inner: unknown) => new Error('a', { cause: inner })],
    ['instances', (inner: unknown) => new Money(inner as number, 'EUR')],
    ['own keys', (inner: unknown) => ({ toCacheKey: () => inner })],
  ])('is one that nests %s too deeply, however deeply', (_, wrap) => {
    expect(() => encodeKey(nested(500, 1, wrap))).not.toThrow();
    for (const depth of [501, 20_000]) {
      const error = thrownBy(() => encodeKey(nested(depth, 1, wrap)));
      expect(error).toMatchObject({ code: 'ERR_ACACHE_UNKEYABLE' });
      expect((error as Error).message).toMatch(/ is nested more than 500 levels deep\. Pass an id/);
      expect((error as Error).message.length).toBeLessThan(400);
    }
  });

  it('is not one that holds the same reference many times, at any depth', () => {
    const shared = { a: [1] };
    expect(() => encodeKey([shared, { x: shared, y: [shared, shared] }])).not.toThrow();
    const deep = nested(30, [shared, [shared], { shared }, shared.a, shared]);
    expect(() => encodeKey([deep, deep])).not.toThrow();
  });

  it('lets an error of a getter through unchanged', () => {
    const error = new TypeError('mine');
    const failing = {
      get a() {
        throw error;
      },
    };
    expect(thrownBy(() => makeKey('f', [[failing]]))).toBe(error);
  });
});

describe('decodePrimitiveKey', () => {
  it.each([
    ['', '1', 'a:b', 's1:a', 'n1;', '|%', '\0', '😀', '\ud800', '%ud800\udfff', 'a'.repeat(100)],
    [0, -0, 42, -1.5, 1e21, 1e-7, NaN, Infinity, -Infinity],
    [0n, -7n, 2n ** 70n],
    [true, false, null, undefined],
  ])('gives back what encodeKey took', (...values: unknown[]) => {
    for (const value of values) {
      expect(decodePrimitiveKey(encodeKey(value))).toEqual({ value });
    }
  });

  it('does not know objects', () => {
    for (const value of [{}, [], [1], new Date(0), new Map(), Object(1), new UserId('1')]) {
      expect(decodePrimitiveKey(encodeKey(value))).toBeUndefined();
    }
  });

  it.each([
    '',
    'x',
    's',
    's1',
    's1:',
    's2:a',
    's1:ab',
    's01:a',
    's-1:',
    'n',
    'n;',
    'n1',
    'n01;',
    'n1;n2;',
    'n0x1;',
    'n 1;',
    'nnull;',
    'b',
    'b;',
    'b1.5;',
    'b01;',
    'b-0;',
    'btrue;',
    'true',
    't',
    'false',
    'f',
    'null',
    'undefined',
    'u',
    'w',
    'wn1;',
    'ws1:a',
    'w%',
    'w%uzzzz',
    'ws1:%ud800x',
    'getUser|n1;',
  ])('knows %p for no key', (text) => {
    expect(decodePrimitiveKey(text)).toBeUndefined();
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function nested(
  depth: number,
  innermost: unknown,
  wrap: (inner: unknown) => unknown = (inner) => [inner],
): unknown {
  let value = innermost;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

function tagged(tag: string): object {
  return Object.defineProperty({}, Symbol.toStringTag, { value: tag });
}

function argumentsOf(..._args: unknown[]): unknown {
  return (function () {
    // eslint-disable-next-line prefer-rest-params
    return arguments;
  })();
}
