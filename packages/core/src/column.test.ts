import fc from 'fast-check';
import { float64Column, grownLength, uint32Column, uint8Column } from './column.js';

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

describe('a column of a million cells', () => {
  const { SharedArrayBuffer: platforms } = globalThis;
  afterEach(() => {
    globalThis.SharedArrayBuffer = platforms;
  });

  it.each<[string, unknown, string]>([
    ['there is shared memory', platforms, 'SharedArrayBuffer'],
    ['there is none', undefined, 'ArrayBuffer'],
    ['it is no constructor', {}, 'ArrayBuffer'],
    [
      'it cannot be had',
      function refuse() {
        throw new RangeError('Array buffer allocation failed');
      },
      'ArrayBuffer',
    ],
  ])('is to be had where %s', (_, shared, kind) => {
    globalThis.SharedArrayBuffer = shared as typeof platforms;
    for (const column of [float64Column, uint32Column, uint8Column]) {
      const cells = column(2 ** 20);
      expect(cells).toHaveLength(2 ** 20);
      expect(cells[2 ** 20 - 1]).toBe(0);
      expect(Object.prototype.toString.call(cells.buffer)).toBe(`[object ${kind}]`);
    }
  });
});
