import { CacheError } from '../errors.js';
import { valueSerializer } from '../values.js';

const serializer = valueSerializer({
  types: [{ name: 'N', class: Number as never, encode: Number, decode: (data: unknown) => data }],
});
const MOST = [0xff, 0xff, 0xff, 0xff];
const a = [0x81, 0x61];

/** Whatever bytes are wrong say so in one way; all else is a crash. */
function read(bytes: ArrayLike<number>): unknown {
  try {
    return serializer.deserialize(Uint8Array.from(bytes));
  } catch (error) {
    if (error instanceof CacheError && error.code === 'ERR_ACACHE_DAMAGED') return error;
    throw error;
  }
}

const wrong: Record<string, readonly number[]> = {
  'expected 1 bytes of the version, and 0 are left (at byte 0)': [],
  'expected a version, and 123 is none': [0x7b, 0x7d],
  'they are of version 2, and 1 is the newest known here': [2, 0],
  'expected 1 bytes of a value, and 0 are left (at byte 1)': [1],
  'expected the end, and 1 more bytes are there': [1, 0, 0],
  'expected a value, and none begins with 255': [1, 0xff],
  'expected 3 bytes of text, and 1 are left': [1, 0x83, 0x61],
  'expected text, and it is no UTF-8': [1, 0x82, 0xc3, 0x28],
  'expected 4294967295 bytes of text': [1, 0xeb, ...MOST, 0x61],
  'expected 8589934590 bytes of text': [1, 0xec, ...MOST, 0x61],
  'expected 8 bytes of a number, and 7 are left': [1, 0xe8, 0, 0, 0, 0, 0, 0, 0],
  'expected 8 bytes of a bigint': [1, 0xe9, 0],
  'expected 4294967295 bytes of a bigint': [1, 0xea, 0, ...MOST],
  'expected the sign of a bigint, 0 or 1, got 2': [1, 0xea, 2, 0, 0, 0, 0],
  'expected 34359738367 values, and 0 bytes are left': [1, 0xf0, ...MOST, 0x7f],
  'expected a count, and it is longer than five bytes': [1, 0xf0, ...MOST, 0xff, 0],
  'expected 8589934590 values, and 0 bytes are left': [1, 0xf1, ...MOST],
  'expected 4294967295 values, and 0 bytes are left': [1, 0xf2, ...MOST],
  'expected 16383 values, and 1 bytes are left': [1, 0xed, 0xff, 0x7f, 0x80],
  'expected the name of a property, and it is no text': [1, 0xed, 1, 5, 5],
  'expected a shape, and 3 is none of 0': [1, 0xc3, 0],
  'expected a shape, and 127 is none of 0': [1, 0xee, 0x7f],
  'expected a shape, and none begins with 5': [1, 0xef, 5],
  'expected a value, got a hole outside of an array': [1, 0xe4],
  'got a hole outside of an array (at byte 7)': [1, 0xf2, 1, 0, 0, 0, 0xe4],
  'expected 8 bytes of a date': [1, 0xf3, 0],
  'expected the source of a regular expression, and it is no text': [1, 0xf4, 1],
  'expected a regular expression that is valid here': [1, 0xf4, 0x81, 0x28, 0x80],
  'expected a URL that is valid here': [1, 0xf5, ...a],
  'expected a boxed string, number, boolean or bigint': [1, 0xf6, 0xf6, 0xf6, 1],
  'expected 4294967295 bytes of binary data': [1, 0xf7, 3, ...MOST],
  '1 bytes of binary data of kind 99 are none here': [1, 0xf7, 99, 1, 0, 0, 0, 0],
  '3 bytes of binary data of kind 11 are none here': [1, 0xf7, 11, 3, 0, 0, 0, 0, 0, 0],
  'expected the class of an error, and 8 is none': [1, 0xf8, 8, 0, 0xed, 0],
  "no custom type 'a' was given": [1, 0xf9, 0xed, 1, ...a, 0],
  "no custom type 'a,a' was given": [1, 0xf9, 0xed, 2, ...a, ...a, 0],
  'expected a whole value, got a custom one that refers to itself': [
    1, 0xf9, 0xed, 1, 0x81, 0x4e, 0xfa, 0,
  ],
  'expected a reference, and 0 is none of 0 objects': [1, 0xfa, 0],
};

describe('bytes that are wrong', () => {
  for (const [message, bytes] of Object.entries(wrong)) {
    it(`say: ${message}`, () => {
      expect((read(bytes) as Error).message).toContain(message);
    });
  }

  it('are Uint8Arrays at least', () => {
    for (const other of ['text', null, [1, 0], new Uint16Array(2)]) {
      expect(() => serializer.deserialize(other as never)).toThrow('expected a Uint8Array, got');
    }
  });

  it('may be anything', () => {
    const random = randomFrom(7);
    const byte = () => Math.floor(random() * 256);
    for (let round = 0; round < 10_000; round++) {
      read([1, ...Array.from({ length: Math.floor(random() * 40) }, byte)]);
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12);
  });

  it('may have been right before', () => {
    const random = randomFrom(8);
    const valid = samples().map((value) => serializer.serialize(value));
    const names = Object.getOwnPropertyNames(Object.prototype);
    let damaged = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Array.from(valid[round % valid.length]!);
      const at = () => Math.floor(random() * bytes.length);
      const kind = random();
      if (kind < 0.2) bytes.length = at();
      else if (kind < 0.4) bytes.splice(at(), 1 + Math.floor(random() * 4));
      else if (kind < 0.6) bytes.splice(at(), 0, Math.floor(random() * 256));
      else if (kind < 0.8) bytes[at()]! ^= 1 << Math.floor(random() * 8);
      else
        bytes[at()] = [0x00, 0x7f, 0x80, 0xc0, 0xed, 0xf0, 0xfa, 0xff][Math.floor(random() * 8)]!;
      if (read(bytes) instanceof CacheError) damaged++;
    }
    expect(damaged).toBeGreaterThan(4_000);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
  });

  it('that end early never make a value', () => {
    for (const value of samples()) {
      const bytes = serializer.serialize(value);
      for (let length = 0; length < bytes.length; length++) {
        expect(read(bytes.subarray(0, length))).toBeInstanceOf(CacheError);
      }
    }
  });
});

describe('bytes that ask for much', () => {
  const SIZE = 100_000;
  const fill = (head: readonly number[], unit: readonly number[]) => {
    const bytes = new Uint8Array(SIZE);
    bytes.set(head);
    for (let at = head.length; at < SIZE; at++) bytes[at] = unit[(at - head.length) % unit.length]!;
    return bytes;
  };
  const array = (count: number) => [
    1,
    0xf0,
    (count & 0x7f) | 0x80,
    ((count >> 7) & 0x7f) | 0x80,
    count >> 14,
  ];
  const greedy: Record<string, Uint8Array> = {
    'arrays in arrays': fill([1], [0xf0, 1]),
    'objects in objects': fill([1, 0xed, 1, ...a], [0xc0]),
    'objects of many properties in each other': fill(
      [1, 0xed, 60, ...Array.from({ length: 60 }, () => a).flat()],
      [0xc0],
    ),
    'custom values in each other': fill([1, 0xf9, 0xed, 1, 0x81, 0x4e], [0xf9, 0xc0]),
    'causes of causes': fill([1, 0xf8, 0, 1, 0xed, 1, ...a], [0xf8, 0, 1, 0xc0]),
    'empty maps': fill(array(SIZE / 5 - 2), [0xf1, 0, 0, 0, 0]),
    holes: fill(array(SIZE - 5), [0xe4]),
    'objects with a large number for a name': fill(
      [...array(SIZE / 4), 0xed, 1, 0x84, 0x31, 0x30, 0x30, 0x30, 5],
      [0xc0, 5],
    ),
    errors: fill([...array(SIZE / 8), 0xf8, 0, 0, 0xed, 0], [0xf8, 0, 0, 0xc0]),
    'zeros of a bigint': fill([1, 0xea, 0, SIZE & 0xff, SIZE >> 8, 0, 0], [0]),
    'slow regular expressions': fill(
      [1, 0xf4, 0xeb, 0x80, 0x80, 1, 0],
      [0x5c, 0x70, 0x7b, 0x4c, 0x7d],
    ),
  };
  for (const [kind, bytes] of Object.entries(greedy)) {
    it(`get little: ${kind}`, () => {
      const before = process.memoryUsage().rss;
      const start = performance.now();
      read(bytes);
      expect(performance.now() - start).toBeLessThan(3_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    });
  }
});

/** One value of every kind, small enough that every byte is likely to be hit. */
function samples(): unknown[] {
  const error = Object.assign(new TypeError('a', { cause: [1] }), { code: 'E' });
  error.stack = 'at b';
  const cycle: unknown[] = [
    { id: 1, name: 'bob' },
    { id: 2, name: 'eve' },
  ];
  cycle.push(cycle, new Map<unknown, unknown>([[cycle, new Set([1.5])]]));
  const hole: unknown[] = [1];
  hole[2] = 3;
  return [
    cycle,
    hole,
    [undefined, null, true, -1, -300, 70_000, 0.1, 'é', '\ud800', 5n, 2n ** 70n, 'x'.repeat(64)],
    [
      new Date(5),
      /a+/gi,
      new URL('http://a/?b'),
      Object('x'),
      Buffer.from('abc'),
      new DataView(new ArrayBuffer(3)),
    ],
    [
      new Float64Array([1]),
      new Uint16Array(2).buffer,
      error,
      Object.assign(Object.create(null), { 1000: 1, __proto__: 2 }),
    ],
  ];
}

/** The same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
