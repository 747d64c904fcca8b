import fc from 'fast-check';
import { decodePrimitiveKey, encodeKey, makeKey } from './make-key.js';

/** Pieces of keys, so that texts are likely to look like what surrounds them. */
const fragments = [
  '',
  'a',
  'b',
  '1',
  '12',
  ':',
  ';',
  '|',
  '%',
  'n1;',
  's1:a',
  '1:a',
  'true;',
  '{',
  '}',
];
const moreFragments = [
  '[',
  ']',
  '(',
  ')',
  '@1:A',
  'Map(',
  'w',
  '%7C',
  '%25',
  '\0',
  '\ud800',
  '\udc00',
  '😀',
];
const attack = fc
  .array(fc.constantFrom(...fragments, ...moreFragments), { maxLength: 3 })
  .map((parts) => parts.join(''));
const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));
const text = fc.oneof(attack, anyUnits, fc.string());

const primitive = fc.oneof(
  { weight: 3, arbitrary: attack },
  text,
  fc.constantFrom<unknown>(0, -0, 1, 12, NaN, 1n, 12n, true, false, null, undefined),
  fc.double(),
  fc.bigInt(),
);

class A {
  declare readonly a: unknown;
}
class B {
  declare readonly a: unknown;
}
class AMap extends Map<unknown, unknown> {}

const leaf = fc.oneof(
  { weight: 4, arbitrary: primitive },
  fc.constantFrom(0, 1, NaN).map((time) => new Date(time)),
  fc.constantFrom(/a/, /a/g, /b/),
  fc.constantFrom('http://a/', 'http://a/b').map((href) => new URL(href)),
  fc.constantFrom<unknown>(1, '1', 'a', true, 1n).map((value) => Object(value) as unknown),
  fc
    .tuple(
      fc.constantFrom(Uint8Array, Int8Array, Uint16Array, Float32Array, Float64Array),
      fc.array(fc.constantFrom(0, -0, 1, 255), { maxLength: 3 }),
    )
    .map(([kind, elements]) => kind.from(elements)),
);

/** Small trees of few words: two of them are often nearly, and sometimes quite, the same. */
const value = fc.letrec<{ tree: unknown }>((tie) => {
  const children = fc.array(tie('tree'), { maxLength: 3 });
  const name = fc.oneof(fc.constantFrom('a', 'b', '1', '__proto__', 'constructor'), attack);
  const record = fc.array(fc.tuple(name, tie('tree')), { maxLength: 3 });
  const entries = fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 });
  return {
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      children,
      record.map((pairs) => build({}, pairs)),
      record.map((pairs) => build(Object.create(null) as object, pairs)),
      record.map((pairs) => build(new A(), pairs)),
      record.map((pairs) => build(new B(), pairs)),
      entries.map((pairs) => new Map(pairs)),
      entries.map((pairs) => new AMap(pairs)),
      children.map((values) => new Set(values)),
      fc.tuple(attack, tie('tree')).map(([message, cause]) => new Error(message, { cause })),
    ),
  };
}).tree;

/** Defines rather than assigns, as JSON.parse does: '__proto__' is a name like any other. */
function build(target: object, pairs: readonly (readonly [string, unknown])[]): object {
  for (const [name, property] of pairs) {
    const descriptor = { value: property, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, name, descriptor);
  }
  return target;
}

/** What equality is meant to be, told without a word about keys. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b);
  }
  if (classOf(a) !== classOf(b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof RegExp || a instanceof URL) return a.toString() === (b as RegExp).toString();
  if (a instanceof Map)
    return sameAnyOrder([...(a as Iterable<unknown>)], [...(b as Map<unknown, unknown>)]);
  if (a instanceof Set)
    return sameAnyOrder([...(a as Iterable<unknown>)], [...(b as Set<unknown>)]);
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    return sameInOrder([...(a as unknown[])], [...(b as unknown[])]);
  }
  if (a instanceof Error) {
    return a.message === (b as Error).message && same(a.cause, (b as Error).cause);
  }
  if (boxes.includes(classOf(a))) return same(a.valueOf(), b.valueOf());
  return sameAnyOrder(Object.entries(a), Object.entries(b));
}

const boxes = ['Number', 'String', 'Boolean', 'BigInt'];

function classOf(object: object): string {
  const prototype = Object.getPrototypeOf(object) as { constructor: { name: string } } | null;
  return prototype === null ? 'Object' : prototype.constructor.name;
}

function sameInOrder(a: unknown[], b: unknown[]): boolean {
  return a.length === b.length && a.every((element, index) => same(element, b[index]));
}

function sameAnyOrder(a: unknown[], b: unknown[]): boolean {
  if (a.length !== b.length) return false;
  const rest = [...b];
  return a.every((element) => {
    const found = rest.findIndex((other) => same(element, other));
    if (found === -1) return false;
    rest.splice(found, 1);
    return true;
  });
}

/** A copy that was put together the other way round. */
function reordered(original: unknown): unknown {
  if (typeof original !== 'object' || original === null) return original;
  if (Array.isArray(original)) return original.map(reordered);
  if (original instanceof Map) {
    const Kind = original.constructor as MapConstructor;
    return new Kind(
      [...(original as Map<unknown, unknown>)]
        .reverse()
        .map(([k, v]) => [reordered(k), reordered(v)]),
    );
  }
  if (original instanceof Set) return new Set([...original].reverse().map(reordered));
  if (original instanceof Error) {
    return new Error(original.message, { cause: reordered(original.cause) });
  }
  if (!['Object', 'A', 'B'].includes(classOf(original))) return original;
  const pairs = Object.entries(original).reverse();
  const target = Object.create(Object.getPrototypeOf(original) as object | null) as object;
  return build(
    target,
    pairs.map(([name, property]) => [name, reordered(property)]),
  );
}

const runs = { numRuns: 500 };

describe('makeKey, for any values', () => {
  it('gives equal keys exactly to equal values', () => {
    const near = fc.tuple(value, value);
    const alike = value.map((one) => [one, reordered(one)] as [unknown, unknown]);
    fc.assert(
      fc.property(fc.oneof(near, alike), ([a, b]) => {
        expect(encodeKey(a) === encodeKey(b)).toBe(same(a, b));
      }),
      runs,
    );
  });

  it('gives equal keys exactly to equal calls', () => {
    const call = fc.tuple(attack, fc.array(fc.oneof(primitive, value), { maxLength: 3 }));
    fc.assert(
      fc.property(call, call, ([name, args], [otherName, otherArgs]) => {
        const equal = name === otherName && sameInOrder(args, otherArgs);
        expect(makeKey(name, args) === makeKey(otherName, otherArgs)).toBe(equal);
      }),
      runs,
    );
  });

  it('tells apart calls whose words run together', () => {
    const split = fc.tuple(text, fc.nat(8), fc.nat(8));
    fc.assert(
      fc.property(split, ([whole, i, j]) => {
        const cut = (at: number) => [whole.slice(0, at), whole.slice(at)];
        const calls = [[whole], cut(i), cut(j), [cut(i)], [whole, ''], ['', whole]];
        for (const a of calls) {
          for (const b of calls)
            expect(makeKey('f', a) === makeKey('f', b)).toBe(sameInOrder(a, b));
        }
      }),
      runs,
    );
  });

  it('does not depend on the order of properties, Maps and Sets', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(encodeKey(reordered(one))).toBe(encodeKey(one));
      }),
      runs,
    );
  });

  it('never gives a key that is the beginning of another', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [first, second] = [encodeKey(a), encodeKey(b)];
        expect(first !== second && second.startsWith(first)).toBe(false);
      }),
      runs,
    );
  });

  it('gives keys that UTF-8 carries unchanged', () => {
    fc.assert(
      fc.property(text, value, (name, one) => {
        for (const key of [makeKey(name, [one]), encodeKey(one)]) {
          expect(Buffer.from(key).toString()).toBe(key);
        }
      }),
      runs,
    );
  });

  it('leaves out skipped arguments and only those', () => {
    fc.assert(
      fc.property(fc.array(primitive, { maxLength: 4 }), fc.nat(5), (args, skip) => {
        expect(makeKey('f', args, skip)).toBe(makeKey('f', args.slice(skip)));
      }),
    );
  });
});

describe('decodePrimitiveKey, for any text', () => {
  it('gives back every primitive', () => {
    fc.assert(
      fc.property(primitive, (one) => {
        expect(decodePrimitiveKey(encodeKey(one))).toEqual({ value: one });
      }),
      runs,
    );
  });

  it('knows a text only when it is the key of what it gives back', () => {
    fc.assert(
      fc.property(fc.oneof(text, value.map(encodeKey)), (key) => {
        const decoded = decodePrimitiveKey(key);
        if (decoded) expect(encodeKey(decoded.value)).toBe(key);
      }),
      runs,
    );
  });
});
