import fc from 'fast-check';
import { crc32, crc32ByTable } from './crc32.js';

describe.each([
  ['crc32', crc32],
  ['crc32ByTable', crc32ByTable],
])('%s', (_, checksum) => {
  it.each([
    ['nothing', '', 0],
    ['a letter', 'a', 0xe8b7be43],
    ['digits', '123456789', 0xcbf43926],
    ['a sentence', 'The quick brown fox jumps over the lazy dog', 0x414fa339],
    ['a thousand zeros', '\0'.repeat(1000), 0x060b1780],
  ])('is what everybody else makes of %s', (_what, text, expected) => {
    expect(checksum(Buffer.from(text), 0, text.length)).toBe(expected);
  });

  it('covers the bytes of its range only', () => {
    const bytes = Buffer.from('xx123456789yyy');
    expect(checksum(bytes, 2, 11)).toBe(0xcbf43926);
    expect(checksum(bytes.subarray(2), 0, 9)).toBe(0xcbf43926);
  });
});

describe('crc32', () => {
  it('is the same by either means, however many bytes there are', () => {
    const bytes = fc.uint8Array({ maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(bytes, fc.nat(10), (array, from) => {
        const given = Buffer.from(array);
        expect(crc32(given, from, given.length)).toBe(crc32ByTable(given, from, given.length));
      }),
      { numRuns: 500 },
    );
  });
});
