import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readTrace } from './trace.js';

const web12 = join(__dirname, '../data/web12.u32.gz');
const folder = mkdtempSync(join(tmpdir(), 'web-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function ids(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

describe('readTrace', () => {
  it('reads web12 whole: 95,607 requests to 13,756 pages', async () => {
    const trace = await readTrace(web12);
    expect(trace.requests).toHaveLength(95_607);
    expect(trace.keys).toHaveLength(13_756);
    expect(new Set(trace.requests).size).toBe(13_756);
    expect(trace.complete).toBe(true);
  });

  it('reads as many requests as wanted, and the keys among them only', async () => {
    const path = file('some.txt', 'a\nb\na\nc\n');
    expect(await readTrace(path, 3)).toEqual({
      keys: ['a', 'b'],
      requests: ['a', 'b', 'a'],
      complete: false,
    });
    expect((await readTrace(path, 4)).complete).toBe(true);
    expect((await readTrace(web12, 1000)).requests).toHaveLength(1000);
  });

  it.each([
    ['one key a line', 'a\nb\n'],
    ['no line end at the end', 'a\nb'],
    ['CRLF', 'a\r\nb\r\n'],
    ['blank lines', '\na\n\r\n\nb\n\n'],
    ['a byte order mark', '\uFEFFa\nb\n'],
  ])('reads text with %s', async (_, text) => {
    expect((await readTrace(file('text.txt', text))).requests).toEqual(['a', 'b']);
  });

  it('keeps spaces, quotes and every other character of a key', async () => {
    const keys = [' padded ', `it's "quoted"`, 'größe/☃/🦄', "'; drop table product; --", '\t'];
    expect((await readTrace(file('odd.txt', keys.join('\n')))).requests).toEqual(keys);
  });

  it('knows gzip by its content, whatever the name', async () => {
    expect((await readTrace(file('log.gz', gzipSync('a\nb\n')))).requests).toEqual(['a', 'b']);
    expect((await readTrace(file('log.txt', gzipSync('a\nb\n')))).requests).toEqual(['a', 'b']);
  });

  it('keeps lines and characters whole that span two pieces of the file', async () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, index) => `ключ-${'ж'.repeat(index % 17)}-${index}`,
    );
    expect((await readTrace(file('long.txt', lines.join('\n')))).requests).toEqual(lines);
    expect((await readTrace(file('long.gz', gzipSync(lines.join('\n'))))).requests).toEqual(lines);
  });

  it('keeps keys apart that are no UTF-8', async () => {
    const path = file('latin1.txt', Buffer.from('caf\xe9\ncaf\xe8\nok \xc3\xa9\n', 'latin1'));
    expect((await readTrace(path)).requests).toEqual(['café', 'cafè', 'ok é']);
  });

  it('shows a NUL, which Postgres cannot hold, by its symbol', async () => {
    expect((await readTrace(file('nul.txt', 'a\0b\n'))).requests).toEqual(['a␀b']);
  });

  it('reads ids from .u32 and .u32.gz', async () => {
    const bytes = ids(7, 0x8b1f, 7);
    const requests = ['/product/7', '/product/35615', '/product/7'];
    expect((await readTrace(file('own.u32', bytes))).requests).toEqual(requests);
    expect((await readTrace(file('own.u32.gz', gzipSync(bytes)))).requests).toEqual(requests);
    // Plain ids may begin with the bytes of gzip.
    expect((await readTrace(file('alike.u32', ids(0x8b1f)))).requests).toEqual(['/product/35615']);
  });
});

describe('readTrace refuses, and says why,', () => {
  it.each([
    ['a missing file', () => join(folder, 'none.txt'), "there is no file '"],
    ['a directory', () => folder, 'is a directory; expected a file with one key a line'],
    ['an empty file', () => file('empty.txt', ''), 'holds no keys; expected one a line'],
    ['blank lines alone', () => file('blank.txt', '\n\r\n\n'), 'holds no keys'],
    ['an empty .gz', () => file('empty.gz', gzipSync('')), 'holds no keys'],
    [
      'half a .gz',
      () => file('half.gz', gzipSync('a\n'.repeat(99)).subarray(0, 20)),
      'unexpected end of file',
    ],
    [
      'a .gz that is damaged',
      () => file('bad.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3])),
      'cannot read',
    ],
    [
      'xz',
      () => file('log.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])),
      'is xz-compressed; expected UTF-8 text',
    ],
    [
      'UTF-16',
      () => file('wide.txt', Buffer.from('\uFEFFa\n', 'utf16le')),
      'is UTF-16 text; expected UTF-8 text',
    ],
    [
      'ids cut off',
      () => file('cut.u32', ids(1, 2).subarray(0, 7)),
      'is cut off: ids take 4 bytes each, 3 are left over',
    ],
    [
      'a line without an end',
      () => file('image.bin', 'x'.repeat(300_000)),
      'has a line of more than 65536 bytes',
    ],
  ])('%s', async (_, path, message) => {
    await expect(readTrace(path())).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringContaining(message),
    });
  });
});
