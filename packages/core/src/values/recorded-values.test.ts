import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { difference } from '../../test/difference.js';
import { valueSerializer, type CustomType } from '../values.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}
const point: CustomType<Point> = {
  name: 'Point',
  class: Point,
  encode: ({ x, y }) => [x, y],
  decode: ([x, y]: [number, number]) => new Point(x, y),
};
const serializer = valueSerializer({ types: [point] });

/** Bytes as version 1.0.0 wrote them, in hexadecimal: they lie in somebody's Redis. Only ever add to them. */
const recorded = JSON.parse(
  readFileSync(join(__dirname, 'recorded-values.json'), 'utf8'),
) as Record<string, string>;

const memory = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);
const bytes = (length: number) => memory.slice(0, length).buffer;
const withHoles: unknown[] = [1];
withHoles[2] = 3;
withHoles.length = 5;
const cycle: unknown[] = [];
cycle.push(cycle, { cycle });
const row = (id: number) => ({ id, name: `user ${id}` });

function error<T extends Error>(made: T, more = {}): T {
  made.stack = 'at home';
  return Object.assign(made, more);
}

const values: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  booleans: [true, false],
  integers: [
    0,
    1,
    127,
    128,
    -1,
    -128,
    -129,
    32_767,
    32_768,
    -32_768,
    -32_769,
    2 ** 31 - 1,
    -(2 ** 31),
  ],
  doubles: [-0, 0.1, 2 ** 31, 2 ** 53, 5e-324, NaN, Infinity, -Infinity],
  bigints: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 64n) - 255n],
  texts: ['', 'core', 'é€😀\0', '\ud800a', 'x'.repeat(63), 'x'.repeat(64), 'é'.repeat(32)],
  dates: [new Date(1.7e12), new Date(NaN)],
  regExps: [/a\/b+/giu],
  urls: [new URL('https://example.com/a?b#c')],
  arrays: [[], [1, [2]], withHoles],
  maps: [
    new Map(),
    new Map<unknown, unknown>([
      ['a', 1],
      [{}, new Map()],
    ]),
  ],
  sets: [new Set(), new Set([1, 'a'])],
  objects: [{}, { a: 1, b: { a: 2 } }, [1, 2, 3].map(row), JSON.parse('{"__proto__":1,"1000":2}')],
  nullPrototype: Object.assign(Object.create(null) as object, { a: 1 }),
  farShapes: Array.from({ length: 70 }, (_, at) => ({ [`k${at % 35}`]: at })),
  boxed: [Object('a'), Object(1), Object(true), Object(1n)],
  buffers: [bytes(3), Buffer.from(bytes(3)), new DataView(bytes(4), 1, 2)],
  byteViews: [new Uint8Array(bytes(2)), new Uint8ClampedArray(bytes(2)), new Int8Array(bytes(2))],
  wideViews: [Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array].map(
    (View) => new View(bytes(4)),
  ),
  widestViews: [Float64Array, BigInt64Array, BigUint64Array].map((View) => new View(bytes(8))),
  errors: [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (Class) => error(new Class('a')),
  ),
  richErrors: [
    error(new AggregateError([1], 'b')),
    error(new Error('c', { cause: 1 }), { code: 'E', name: 'Own' }),
  ],
  shared: [memory, memory, cycle],
  custom: [new Point(1, 2), new Point(3, 4)],
};

describe('values recorded by 1.0.0', () => {
  it('are all here', () => {
    expect(Object.keys(recorded)).toEqual(Object.keys(values));
  });

  for (const [name, hex] of Object.entries(recorded)) {
    it(`are read: ${name}`, () => {
      const read = serializer.deserialize(Buffer.from(hex, 'hex'));
      expect(difference(read, values[name])).toBeUndefined();
    });

    it(`are written the same: ${name}`, () => {
      expect(Buffer.from(serializer.serialize(values[name])).toString('hex')).toBe(hex);
    });
  }
});
