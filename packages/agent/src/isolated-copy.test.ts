import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { isolatedCopy } from './isolated-copy.js';

/** Changes everything in a value that can be changed in place. */
function spoil(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map) {
    for (const [key, inner] of value) {
      spoil(key, seen);
      spoil(inner, seen);
    }
    value.set('spoilt', true);
  } else if (value instanceof Set) {
    for (const inner of value) spoil(inner, seen);
    value.add('spoilt');
  } else if (value instanceof Date) value.setTime(1);
  else if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer).fill(7);
  else {
    for (const inner of Object.values(value)) spoil(inner, seen);
    (value as Record<string, unknown>).spoilt = true;
  }
}

describe('isolatedCopy', () => {
  it('equals what it is a copy of, and shares nothing with it', () => {
    const value = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      withBigInt: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(value, (original) => {
        const copy = isolatedCopy(original);
        const another = isolatedCopy(original);
        expect(copy).toStrictEqual(original);
        spoil(copy);
        expect(original).toStrictEqual(another);
      }),
    );
  });

  it('keeps what an array has besides its items', () => {
    const match = /(?<letter>b)/d.exec('abc')!;
    const copy = isolatedCopy(match);
    expect(copy).toStrictEqual(match);
    expect(copy).toMatchObject({ index: 1, input: 'abc', groups: { letter: 'b' } });
    expect(copy.indices?.groups).toEqual({ letter: [1, 2] });
    expect(copy.groups).not.toBe(match.groups);
    const key = Symbol('key');
    const sparse = [1];
    sparse[2] = 3;
    const odd = Object.assign(sparse, { [key]: {}, '01': 'one', '-1': [4], 4294967295: 5 });
    expect(isolatedCopy(odd)).toStrictEqual(odd);
    expect(Reflect.ownKeys(isolatedCopy(odd))).toEqual(Reflect.ownKeys(odd));
    expect(isolatedCopy(odd)[key]).not.toBe(odd[key]);
    expect(1 in isolatedCopy(odd)).toBe(false);
  });

  it('keeps cycles, and what is there twice the same', () => {
    const shared = { n: 1 };
    const original: Record<string, unknown> = { shared, list: [shared] };
    original.self = original;
    const copy = isolatedCopy(original) as typeof original & { list: unknown[] };
    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy.shared);
    expect(copy.shared).not.toBe(shared);
  });

  it('leaves alone what it does not know', () => {
    class Cart {
      #items = [1];
      get size() {
        return this.#items.length;
      }
    }
    class Dates extends Date {}
    class Index extends Map {}
    const strangers = {
      cart: new Cart(),
      dates: new Dates(),
      index: new Index(),
      fn: () => 1,
      error: new Error('x'),
      promise: Promise.resolve(),
      regexp: /x/,
      weak: new WeakMap(),
      url: new URL('https://example.org'),
    };
    const copy = isolatedCopy(strangers);
    expect(copy).not.toBe(strangers);
    for (const [name, value] of Object.entries(copy)) {
      expect(value).toBe(strangers[name as keyof typeof strangers]);
    }
  });

  it('copies a buffer as a buffer, with its own bytes', () => {
    const buffer = Buffer.from('hello');
    const copy = isolatedCopy(buffer);
    copy[0] = 0;
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect(buffer.toString()).toBe('hello');

    const view = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2);
    const viewCopy = isolatedCopy(view);
    viewCopy.setUint8(0, 9);
    expect([viewCopy.byteLength, view.getUint8(0)]).toEqual([2, 2]);

    const bytes = new Uint8Array([1]).buffer;
    expect(isolatedCopy(bytes)).not.toBe(bytes);
    const threads = new Uint8Array(new SharedArrayBuffer(1));
    expect(isolatedCopy(threads)).toBe(threads);
  });

  it('knows the objects of other realms', () => {
    const code =
      '({ list: [1], map: new Map([[1, {}]]), date: new Date(0), bytes: new Uint8Array(1) })';
    const original = runInNewContext(code) as {
      list: number[];
      map: Map<number, object>;
      date: Date;
      bytes: Uint8Array;
    };
    const copy = isolatedCopy(original);
    expect(copy.list).not.toBe(original.list);
    expect(copy.map).not.toBe(original.map);
    expect(copy.map.get(1)).not.toBe(original.map.get(1));
    expect(copy.date).not.toBe(original.date);
    expect(copy.bytes).not.toBe(original.bytes);
  });

  it('keeps keys that mean something elsewhere', () => {
    const text = '{ "__proto__": { "polluted": true }, "constructor": 1 }';
    const original = JSON.parse(text) as { polluted?: boolean };
    const copy = isolatedCopy(original);
    expect(Object.keys(copy)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy.polluted).toBeUndefined();
    const symbol = Symbol('s');
    expect(isolatedCopy({ [symbol]: 1 })).toEqual({ [symbol]: 1 });
  });
});
