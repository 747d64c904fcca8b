import fc from 'fast-check';
import { answerPrint } from './answer-print.js';

const hashOf = (value: unknown) => answerPrint(value).hash;

class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}

class Hidden {
  readonly #secret: number;
  constructor(secret: number) {
    this.#secret = secret;
  }
  peek() {
    return this.#secret;
  }
}

describe('answerPrint', () => {
  it.each<[string, () => unknown, () => unknown]>([
    ['order of properties', () => ({ a: 1, b: [2] }), () => ({ b: [2], a: 1 })],
    [
      'order in a Map',
      () =>
        new Map([
          [1, 'a'],
          [2, 'b'],
        ]),
      () =>
        new Map([
          [2, 'b'],
          [1, 'a'],
        ]),
    ],
    ['order in a Set', () => new Set(['a', 'b']), () => new Set(['b', 'a'])],
    ['class of an object', () => new Money(1, 'EUR'), () => ({ amount: 1, currency: 'EUR' })],
    ['any NaN', () => NaN, () => Number('x')],
    ['Date', () => new Date(5), () => new Date(5)],
    ['URL', () => new URL('http://a/'), () => new URL('http://a')],
    ['Error without its stack', () => new TypeError('x'), () => new TypeError('x')],
    [
      'toJSON',
      () => ({
        at: new (class {
          toJSON() {
            return 'now';
          }
        })(),
      }),
      () => ({
        at: new (class {
          toJSON() {
            return 'now';
          }
        })(),
      }),
    ],
    ['typed array', () => new Uint8Array([1, 2]), () => new Uint8Array([1, 2])],
    ['text however it was made', () => 'abcabc', () => ['abc', 'abc'].join('')],
    ['null prototype', () => ({ __proto__: null, a: 1 }), () => ({ a: 1 })],
  ])('is the same whatever the %s', (_, one, other) => {
    expect(answerPrint(one())).toEqual(answerPrint(other()));
  });

  it('tells different values apart', () => {
    const values: unknown[] = [
      undefined,
      null,
      true,
      false,
      0,
      -0,
      1,
      1.5,
      NaN,
      Infinity,
      0n,
      1n,
      -1n,
      2n ** 70n,
      '',
      '0',
      '1',
      'a',
      'b',
      'ab',
      'ba',
      [],
      [[]],
      [undefined],
      [1, 2],
      [2, 1],
      {},
      { a: 1 },
      { a: 2 },
      { b: 1 },
      { a: undefined },
      { a: { b: 1 } },
      { a: 1, b: 2 },
      { a: 2, b: 1 },
      new Map(),
      new Map([['a', 1]]),
      new Map([[1, 'a']]),
      new Set(),
      new Set(['a']),
      new Date(0),
      new Date(1),
      new Date(NaN),
      /a/,
      /a/g,
      new Uint8Array([1]),
      new Uint8Array([2]),
      new Uint8Array(1),
      new ArrayBuffer(2),
      new Error('a'),
      new Error('b'),
      new RangeError('a'),
      Symbol('a'),
      Symbol('b'),
      () => 1,
      () => 2,
      new Hidden(1),
      new Hidden(2),
      Promise.resolve(1),
      new URL('http://a'),
      new URL('http://b'),
    ];
    expect(new Set(values.map(hashOf)).size).toBe(values.length);
  });

  it('compares what cannot be looked into by identity', () => {
    const one = new Hidden(1);
    expect(hashOf({ one })).toBe(hashOf({ one }));
    expect(hashOf(new Hidden(1))).not.toBe(hashOf(new Hidden(1)));
    const fn = () => 1;
    expect(hashOf(fn)).toBe(hashOf(fn));
  });

  it('goes round no cycle', () => {
    const cyclic = (label: string) => {
      const node: Record<string, unknown> = { label, children: [] };
      node.self = node;
      (node.children as unknown[]).push(node, new Map([[node, node]]), new Set([node]));
      return node;
    };
    expect(hashOf(cyclic('a'))).toBe(hashOf(cyclic('a')));
    expect(hashOf(cyclic('a'))).not.toBe(hashOf(cyclic('b')));
  });

  it('never throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throws = () => {
      throw new Error('no');
    };
    const hostile: unknown[] = [
      proxy,
      Proxy.revocable([], {}).proxy,
      new Proxy({}, { get: throws, ownKeys: throws, getPrototypeOf: throws, has: throws }),
      new Proxy([1, 2], { get: throws }),
      new Proxy(throws, { get: throws, apply: throws }),
      Object.defineProperty({}, 'a', { get: throws, enumerable: true }),
      { toJSON: throws },
      new (class {
        toJSON = throws;
      })(),
      { [Symbol.toStringTag]: 'Map' },
      new (class {
        get [Symbol.toStringTag](): string {
          return throws();
        }
      })(),
      Object.create({
        get toJSON() {
          return throws();
        },
      }),
      { then: throws },
      Object.create(Map.prototype),
      Object.create(Date.prototype),
      Object.create(Uint8Array.prototype),
      new WeakMap(),
      (function* () {
        yield 1;
      })(),
      2n ** 100_000n,
      -(2n ** 100_000n),
      new Array(2 ** 32 - 1),
    ];
    for (const value of hostile) {
      expect(hashOf(value)).toEqual(expect.any(Number));
      expect(hashOf([value, { value }])).toEqual(expect.any(Number));
    }
  });

  it('takes any value', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const print = answerPrint(value);
        expect(answerPrint(value)).toEqual(print);
        expect(Number.isInteger(print.hash) && print.hash >= 0 && print.hash < 2 ** 32).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('sees any change of one character in a text of 60,000, and of one value in 500', () => {
    const text = 'x'.repeat(60_000);
    const list = Array.from({ length: 500 }, (_, at) => ({ at }));
    fc.assert(
      fc.property(fc.nat(59_999), fc.nat(499), (at, row) => {
        expect(hashOf(`${text.slice(0, at)}y${text.slice(at + 1)}`)).not.toBe(hashOf(text));
        expect(hashOf(list.with(row, { at: -1 }))).not.toBe(hashOf(list));
      }),
      { numRuns: 50 },
    );
  });

  it('sees what changed at either end of what is huge, and its size', () => {
    const text = 'x'.repeat(5_000_000);
    const list = new Array<number>(1_000_000).fill(0);
    const bytes = new Uint8Array(5_000_000);
    const ones: unknown[] = [text, `y${text.slice(1)}`, `${text.slice(1)}y`, `${text}x`];
    ones.push(list, list.with(0, 1), list.with(-1, 1), [...list, 0]);
    ones.push(bytes, bytes.with(0, 1), bytes.with(-1, 1), new Uint8Array(5_000_001));
    expect(new Set(ones.map(hashOf)).size).toBe(ones.length);
  });

  it('looks at a bounded part of what is huge', () => {
    let reads = 0;
    const endless: object = new Proxy(
      {},
      {
        ownKeys: () => Array.from({ length: 1000 }, (_, at) => `key${at}`),
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        get: () => {
          reads++;
          return endless;
        },
      },
    );
    answerPrint(endless);
    expect(reads).toBeLessThan(5000);
    let steps = 0;
    const map = new Map(
      Array.from({ length: 100_000 }, (_, at) => [
        at,
        {
          get a() {
            return ++steps;
          },
        },
      ]),
    );
    answerPrint(map);
    expect(steps).toBeLessThan(1000);
  });

  it.each<[unknown, number]>([
    [false, 1],
    ['abcd', 4],
    [{ vulnerable: false, advisories: [] }, 1],
    [{ id: 7, title: 'twelve chars' }, 16],
    [new Uint8Array(40), 40],
    [undefined, 0],
  ])('counts the content of %j, without names', (value, size) => {
    expect(answerPrint(value).size).toBe(size);
  });
});
