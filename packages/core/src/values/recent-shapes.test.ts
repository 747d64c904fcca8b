import { ByteReader } from './byte-reader.js';
import { ObjectShape } from './object-shape.js';
import { MOST_RECENT, RecentShapes } from './recent-shapes.js';

/** Adds a shape as though these bytes had told it. */
function add(recent: RecentShapes, bytes: readonly number[]): ObjectShape {
  const reader = new ByteReader();
  reader.begin(Uint8Array.of(99, ...bytes, 99));
  reader.u8('what comes before');
  reader.bytes(bytes.length, 'a shape');
  const shape = new ObjectShape([]);
  recent.add(shape, reader, 1);
  return shape;
}

/** The shape that comes next in these bytes, and how many were read for it. */
function next(recent: RecentShapes, bytes: readonly number[]) {
  const reader = new ByteReader();
  reader.begin(Uint8Array.from(bytes));
  return [recent.next(reader), reader.at];
}

describe('RecentShapes', () => {
  it('finds a shape by its bytes, and goes past them', () => {
    const recent = new RecentShapes();
    const shape = add(recent, [1, 2, 3]);
    expect(next(recent, [1, 2, 3, 4])).toEqual([shape, 3]);
    expect(next(recent, [1, 2, 3])[0]).toBe(shape);
  });

  it('finds none by other bytes, or fewer, and reads nothing', () => {
    const recent = new RecentShapes();
    add(recent, [1, 2, 3]);
    for (const bytes of [[], [1, 2], [1, 2, 4], [0, 1, 2, 3]]) {
      expect(next(recent, bytes)).toEqual([undefined, 0]);
    }
  });

  it('keeps the last few', () => {
    const recent = new RecentShapes();
    const shapes = Array.from({ length: 3 * MOST_RECENT }, (_, nth) => add(recent, [nth, nth]));
    const found = shapes.map((shape, nth) => next(recent, [nth, nth])[0] === shape);
    expect(found).toEqual(shapes.map((_, nth) => nth >= 2 * MOST_RECENT));
  });

  it('keeps none that is long', () => {
    const recent = new RecentShapes();
    const long = Array.from({ length: 257 }, () => 5);
    add(recent, long);
    expect(next(recent, long)[0]).toBeUndefined();
    expect(next(recent, [...long.slice(1), 6])[0]).toBeUndefined();
    const shape = add(recent, long.slice(1));
    expect(next(recent, long)).toEqual([shape, 256]);
  });

  it('keeps bytes of its own', () => {
    const recent = new RecentShapes();
    const reader = new ByteReader();
    const bytes = Buffer.from([1, 2]);
    reader.begin(bytes);
    reader.bytes(2, 'a shape');
    recent.add(new ObjectShape([]), reader, 0);
    bytes.fill(7);
    expect(next(recent, [7, 7])[0]).toBeUndefined();
    expect(next(recent, [1, 2])[0]).toBeDefined();
  });
});
