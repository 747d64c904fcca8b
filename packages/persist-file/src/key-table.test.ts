import fc from 'fast-check';
import { bytesOfKey } from './key-bytes.js';
import { KeyTable } from './key-table.js';

describe('KeyTable', () => {
  it('finds what a Map finds', () => {
    const key = fc.oneof(fc.nat(300).map(String), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), key), { maxLength: 2500, size: 'max' }),
        (ops) => {
          const table = new KeyTable();
          const map = new Map<string, number>();
          let next = 0;
          for (const [isAdd, key] of ops) {
            const slot = map.get(key);
            expect(table.find(key)).toBe(slot ?? -1);
            if (isAdd && slot === undefined) {
              map.set(key, next);
              table.add(bytesOfKey(key), next++);
            } else if (!isAdd && slot !== undefined) {
              map.delete(key);
              table.remove(slot);
            }
          }
          expect(table.size).toBe(map.size);
          for (const [key, slot] of map)
            expect([table.find(key), table.keyOf(slot)]).toEqual([slot, key]);
        },
      ),
      { numRuns: 15 },
    );
  });
});
