import { InvalidOptionError } from '@acache/core';
import { beginningOf, BEGINNING_LENGTH, PLACEHOLDER } from './beginning.js';
import { readPlaceholder, writePlaceholder } from './placeholder.js';

const id = Buffer.alloc(16, 1);
const namespace = Buffer.alloc(8, 2);
const stamps = { namespace, tags: [Buffer.alloc(8, 3), Buffer.alloc(8, 4)] };

describe('placeholder', () => {
  it('says who loads, with which tags, and in the light of which stamps', () => {
    const bytes = writePlaceholder(id, ['user:1', '\ud800'], stamps);
    expect(readPlaceholder(bytes)).toEqual({
      kind: 'placeholder',
      id,
      tags: ['user:1', '\ud800'],
      stamps,
    });
  });

  it('begins as every placeholder of its id does, and is otherwise as documented', () => {
    const bytes = writePlaceholder(id, [], { namespace, tags: [] });
    expect(bytes.subarray(0, BEGINNING_LENGTH)).toEqual(beginningOf(PLACEHOLDER, id));
    expect(bytes.toString('hex')).toBe(
      `acca0101${'01'.repeat(16)}${'02'.repeat(8)}0000${bytes.toString('hex', 30)}`,
    );
    expect(bytes).toHaveLength(34);
  });

  it('keeps no view of the bytes it was read from', () => {
    const bytes = Buffer.from(writePlaceholder(id, ['a', 'b'], stamps));
    const read = readPlaceholder(bytes);
    bytes.fill(0);
    expect(read).toMatchObject({ id, stamps });
  });

  it('refuses what no entry could have', () => {
    expect(() => writePlaceholder(Buffer.alloc(15), [], { namespace, tags: [] })).toThrow(
      'must have 16 bytes, got 15',
    );
    expect(() => writePlaceholder(id, ['a'], stamps)).toThrow('1 tags need as many stamps, got 2');
    expect(() =>
      writePlaceholder(id, ['x'.repeat(32_768)], { namespace, tags: [namespace] }),
    ).toThrow(InvalidOptionError);
  });
});
