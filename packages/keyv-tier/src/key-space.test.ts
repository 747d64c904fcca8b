import fc from 'fast-check';
import { NamespaceKeys } from './key-space.js';

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ':', '%', '%003a', '+', 'a:b', 'a', '\ud800', 'k'.repeat(80), 'k'.repeat(81)),
);

describe('the keys of a namespace', () => {
  it('are short and in ASCII, whatever the texts', () => {
    fc.assert(
      fc.property(texts, texts, (name, key) => {
        const keys = new NamespaceKeys('p'.repeat(48), name);
        for (const storeKey of [keys.value(key), keys.tag(key), keys.all, keys.any]) {
          expect(storeKey).toMatch(/^[!-~]{1,220}$/);
        }
      }),
    );
  });

  it('differ where a text, a prefix or a kind differs', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'a:v', 'a:v:x', 'v'), texts, texts), {
          minLength: 2,
          maxLength: 20,
          selector: (parts) => JSON.stringify(parts),
        }),
        (places) => {
          const all = places.flatMap(([prefix, name, key]) => {
            const keys = new NamespaceKeys(prefix, name);
            return [keys.value(key), keys.tag(key)];
          });
          expect(new Set(all).size).toBe(all.length);
        },
      ),
    );
  });
});
