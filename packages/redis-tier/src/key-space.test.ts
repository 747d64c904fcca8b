import fc from 'fast-check';
import { KeySpace } from './key-space.js';

const keys = new KeySpace('pre:acache:');
const names = fc.string({ unit: 'binary', minLength: 1 });
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('{', '}', ':', '%', '*', 'a', '\u0000', '\ud800', '\udc00') }),
);

describe('KeySpace', () => {
  it('leads from a Redis key back to what it holds', () => {
    fc.assert(
      fc.property(names, text, (name, rest) => {
        const own = keys.of(name);
        expect(keys.placeOf(own.value(rest))).toEqual({ kind: 'value', name, key: rest });
        expect(keys.placeOf(own.tag(rest))).toEqual({ kind: 'tag', name, tag: rest });
        expect(keys.placeOf(own.all)).toEqual({ kind: 'all', name });
        expect(keys.placeOf(own.any)).toEqual({ kind: 'any', name });
      }),
    );
  });

  it('gives all stamps of a namespace one hash tag, and each key and its lock one of their own', () => {
    fc.assert(
      fc.property(names, text, (name, rest) => {
        const own = keys.of(name);
        const stamps = [own.all, own.any, own.tag(rest)].map(hashTag);
        expect(new Set(stamps).size).toBe(1);
        expect(hashTag(own.value(rest))).toBe(hashTag(own.lock(rest)));
      }),
    );
  });

  it('keeps what survives UTF-8, and no pattern or control character', () => {
    fc.assert(
      fc.property(names, text, (name, rest) => {
        const key = keys.of(name).value(rest);
        expect(Buffer.from(key).toString()).toBe(key);
        expect(key.slice('pre:acache:v:{'.length, -1)).not.toMatch(/[{}*?[\]\\]|\p{Control}/u);
      }),
    );
  });

  it.each(['', 'acache:v:{n:k}', 'pre:acache:v:n:k', 'pre:acache:y:{n:k}', 'pre:acache:v:{n:k'])(
    'finds nothing in %j',
    (key) => {
      expect(keys.placeOf(key)).toBeUndefined();
    },
  );
});

function hashTag(key: string): string {
  return /\{([^}]+)\}/.exec(key)?.[1] ?? key;
}
