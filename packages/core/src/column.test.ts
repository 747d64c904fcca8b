import fc from 'fast-check';
import { grownLength } from './column.js';

describe('a column that is full', () => {
  it('grows, and to no more than it may need', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 26 }), fc.nat(2 ** 26), (length, more) => {
        const grown = grownLength(length, length + 1 + more);
        expect(grown).toBeGreaterThan(length);
        expect(grown).toBeLessThanOrEqual(length + 1 + more);
      }),
    );
  });

  it('of a million cells takes all that it may need, unless that is very much', () => {
    expect(grownLength(2 ** 20, 10_000_000)).toBe(10_000_000);
    expect(grownLength(2 ** 19, 10_000_000)).toBe(2 ** 20);
    expect(grownLength(2 ** 20, 2 ** 25)).toBe(2 ** 21);
    expect(grownLength(2 ** 20, Infinity)).toBe(2 ** 21);
  });
});
