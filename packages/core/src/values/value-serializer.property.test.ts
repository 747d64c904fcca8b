import fc from 'fast-check';
import { difference } from '../../test/difference.js';
import { valueSerializer } from '../values.js';

const serializer = valueSerializer();
const roundTrip = (value: unknown) => serializer.deserialize(serializer.serialize(value));

const anyUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units));
const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  anyUnits,
);
const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 8 }) },
  fc.nat(2000).map(String),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'length',
    '4294967295',
    'a\nb',
    'é',
    '\ud800',
  ),
);
const number = fc.oneof(
  fc.integer(),
  fc.integer({ min: -200, max: 200 }),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 5e-324),
);
const primitive = fc.oneof(
  text,
  number,
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.constantFrom<unknown>(undefined, null, true, false),
);

const views: readonly (new (buffer: ArrayBuffer, at: number, length: number) => object)[] = [
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  Uint8Array,
];
const bytes = fc.uint8Array({ maxLength: 40 });
const builtIn = fc.oneof(
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(/a/, /[/\]]\n/giu, /(?:)/y).map((regExp) => new RegExp(regExp)),
  fc.webUrl({ withQueryParameters: true, withFragments: true }).map((href) => new URL(href)),
  bytes,
  bytes.map((array) => Buffer.from(array)),
  bytes.map((array) => array.slice().buffer),
  fc
    .tuple(fc.constantFrom(...views), fc.uint8Array({ minLength: 24, maxLength: 24 }))
    .map(([View, array]) => new View(array.buffer, 8, array.length / 8 - 2)),
  fc.oneof(text, number, fc.boolean(), fc.bigInt()).map((value): unknown => Object(value)),
);
const errorClass = fc.constantFrom(Error, TypeError, RangeError, SyntaxError, URIError, EvalError);

/** Trees of everything that there is. */
const tree = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, primitive, builtIn, tie('object')),
  object: fc.oneof(
    fc.array(tie('value'), { maxLength: 5 }),
    fc.sparseArray(tie('value'), { maxLength: 6, maxNumElements: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: false }),
    fc.array(fc.record({ id: fc.nat(300), name: text, more: tie('value') }), { maxLength: 4 }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((all) => new Map(all)),
    fc.array(tie('value'), { maxLength: 4 }).map((all) => new Set(all)),
    fc
      .tuple(errorClass, text, tie('value'), fc.dictionary(key, tie('value'), { maxKeys: 2 }))
      .map(([Class, message, cause, more]) => {
        const error = new Class(message, { cause });
        for (const [name, value] of Object.entries(more)) {
          Object.defineProperty(error, name, {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        }
        return error;
      }),
    fc
      .tuple(fc.array(tie('value'), { maxLength: 3 }), text)
      .map(([errors, message]) => new AggregateError(errors, message)),
  ),
})).value;

/** Puts into arrays, Maps and Sets some of the objects that there are anyway, so that they are shared or a cycle. */
const graph = fc
  .tuple(tree, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }))
  .map(([root, links]) => {
    const found = objectsIn(root);
    if (found.length === 0) return root;
    for (const [from, to] of links) {
      const holder = found[from % found.length];
      const held = found[to % found.length];
      if (Array.isArray(holder)) holder.push(held);
      else if (holder instanceof Map) holder.set(held, holder);
      else if (holder instanceof Set) holder.add(held);
    }
    return root;
  });

function objectsIn(value: unknown, found: unknown[] = []): unknown[] {
  if (typeof value !== 'object' || value === null || found.includes(value)) return found;
  found.push(value);
  if (value instanceof Map) for (const part of [...value].flat()) objectsIn(part, found);
  else if (value instanceof Set) for (const part of value) objectsIn(part, found);
  else if (!ArrayBuffer.isView(value))
    for (const part of Object.values(value)) objectsIn(part, found);
  return found;
}

/** Links are put into the very values that shrinking would use again. */
const once = { endOnFailure: true };

describe('valueSerializer, for any value', () => {
  it('gives back what it was given, with what is shared in it', () => {
    fc.assert(
      fc.property(graph, (value) => {
        expect(difference(roundTrip(value), value)).toBeUndefined();
      }),
      { numRuns: 800, ...once },
    );
  });

  it('writes what it read in the same bytes', () => {
    fc.assert(
      fc.property(graph, (value) => {
        const written = serializer.serialize(value);
        const again = serializer.serialize(serializer.deserialize(written));
        expect(Buffer.compare(again, written)).toBe(0);
      }),
      { numRuns: 200, ...once },
    );
  });
});
