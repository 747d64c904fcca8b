import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readLog, type LogOptions } from './access-log.js';
import { InputError } from './input-error.js';

const folder = mkdtempSync(join(tmpdir(), 'access-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The keys of a log that has such a name and content. */
async function keysOf(name: string, content: string | Buffer, options?: LogOptions) {
  const path = join(folder, name);
  writeFileSync(path, content);
  const keys: string[] = [];
  for await (const some of readLog(path, options)) keys.push(...some);
  return keys;
}

async function whyNot(...args: Parameters<typeof keysOf>): Promise<string> {
  const error = await keysOf(...args).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

const mark = '\ufeff';
const latin = (text: string) => Buffer.from(text, 'latin1');

describe('a log of lines', () => {
  it('is UTF-8, also where a piece of it ends within a character', async () => {
    const keys = Array.from({ length: 30_000 }, (_, at) => `ключ€😀${at % 97}`);
    expect(await keysOf('a.log', keys.join('\n'))).toEqual(keys);
    expect(await keysOf('a.log.gz', gzipSync(keys.join('\n')))).toEqual(keys);
  });

  it('may have a byte order mark, which is no part of its first key', async () => {
    expect(await keysOf('b.log', `${mark}a\nb\na\n`)).toEqual(['a', 'b', 'a']);
    expect(await keysOf('b.log', `${mark}a`)).toEqual(['a']);
    expect(await keysOf('b.log', `a\n${mark}a`)).toEqual(['a', `${mark}a`]);
    expect(await keysOf('b.log', `${mark}\n`)).toEqual([]);
  });

  it('may have lines that are no UTF-8, which are told apart', async () => {
    const content = Buffer.concat([Buffer.from('ü\n'), latin('\xe9\n\xe8\n'), Buffer.from('é')]);
    expect(await keysOf('c.log', content)).toEqual(['ü', '\xe9', '\xe8', 'é']);
  });

  it('is cut at the ends of lines alone', async () => {
    expect(await keysOf('d.log', 'a\u2028b\nc\u0085d\r\ne\vf\r')).toEqual([
      'a\u2028b',
      'c\u0085d',
      'e\vf',
    ]);
  });

  it.each([65_533, 65_534, 65_535, 65_536])('may have lines of %p characters', async (length) => {
    const keys = ['x'.repeat(length), 'b', 'é'.repeat(length)];
    if (length === 65_536) keys.pop();
    expect(await keysOf('e.log', keys.join('\n'))).toEqual(keys);
  });

  it.each(['x', 'é'])('has no line that is much longer', async (character) => {
    for (const end of ['', '\n']) {
      const why = await whyNot('f.log', `a\nb\n${character.repeat(70_000)}${end}`);
      expect(why).toMatch(/^line 3 of '.*f\.log' has more than 65536 characters; expected one key/);
    }
  });
});

describe('a log in CSV', () => {
  it('has its columns named behind a byte order mark', async () => {
    const content = `${mark}key,size\na,1\né,2\n`;
    expect(await keysOf('a.csv', content, { column: 'key' })).toEqual(['a', 'é']);
    expect(await keysOf('b.csv', `${mark}a,1\nb,2\n`)).toEqual(['a', 'b']);
  });

  it('may have keys that are no UTF-8, which are told apart', async () => {
    expect(await keysOf('c.csv', latin('\xe9,1\n\xe8,2\n'))).toEqual(['\xe9', '\xe8']);
  });

  it('has quoted keys as they are meant', async () => {
    const keys = ['a,b', 'say "hi"\nthere', '', 'c'];
    const rows = keys.map((key, at) => `${at},"${key.replaceAll('"', '""')}"`);
    expect(await keysOf('d.csv', `time,key\n${rows.join('\n')}\n`, { column: 'key' })).toEqual(
      keys,
    );
  });

  it('may have rows of 256 kilobytes', async () => {
    const long = 'x\n'.repeat(131_069);
    const [key] = await keysOf('e.csv', `a,"${long}"\n`, { column: '2' });
    expect(key === long).toBe(true);
  });

  it.each([
    { what: 'quote', open: '"' + 'x\n'.repeat(16_000_000) },
    { what: 'field', open: 'x'.repeat(32_000_000) },
    { what: 'row', open: ','.repeat(32_000_000) },
  ])('is read no further in a $what without an end', async ({ open }) => {
    let read = 0;
    const progress = (bytes: number) => (read = bytes);
    const why = await whyNot('f.csv', `key,n\na,1\n\n"b\nb",2\n\n${open}`, {
      column: 'key',
      progress,
    });
    expect(why).toMatch(
      /f\.csv' is no CSV: the row that begins in line 7 has more than 262144 bytes; expected a line, with/,
    );
    expect(read).toBeLessThan(1_500_000);
  });

  it('tells where a quote was opened that is not closed', async () => {
    const why = await whyNot('g.csv', 'key,n\n\na,1\n"b,2\nc,3\nd,4\n', { column: 'key' });
    expect(why).toMatch(
      /the row that begins in line 4 has an open quote; expected a line, with each/,
    );
  });

  it.each(['none', '0', '-1', '1.5', '', 'Key', ' key', 'NaN', '__proto__', 'constructor'])(
    'has no column %j',
    async (column) => {
      const why = await whyNot('i.csv', 'time,key\n1,a\n', { column });
      expect(why).toContain(`has no column '${column}'; its columns are 'time', 'key'`);
    },
  );

  it.each([
    ['too short', 'a,b\n1,2\n1\n3,4\n', 3],
    ['too short, behind one of several lines', 'a,b\n"x\ny\nz",2\n1\n', 5],
    ['too short, behind empty lines', 'a,b\n\n\n1,2\n\n1\n', 6],
    ['of a quote within a field', 'a,b\n1,2\n3,4"5\n', 3],
    ['of text behind a quote', 'a,b\n1,2\n3,"4"5\n', 3],
  ])('tells the line of a row that is %s', async (_, content, line) => {
    expect(await whyNot('h.csv', content, { column: 'b' })).toMatch(new RegExp(`line ${line}\\b`));
  });
});

describe('a gzipped log', () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `key ${(at * 7919) % 1000}`);
  const zipped = gzipSync(lines.join('\n'));

  it.each([10, 11, 100, zipped.length >> 1, zipped.length - 8, zipped.length - 1])(
    'is not read where it ends after %p bytes',
    async (length) => {
      expect(await whyNot('a.log.gz', zipped.subarray(0, length))).toContain('cannot read');
    },
  );

  it('is not read as something else where a byte of it is damaged', async () => {
    for (let at = 12; at < zipped.length; at += Math.floor(zipped.length / 10)) {
      const damaged = Buffer.from(zipped);
      damaged[at] = ~(damaged[at] as number) & 0xff;
      expect(await whyNot('b.log.gz', damaged)).toContain('cannot read');
    }
  });

  it('may be of several parts, and nothing else may follow', async () => {
    const parts = Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')]);
    expect(await keysOf('c.log.gz', parts)).toEqual(['a', 'b', 'c']);
    const more = Buffer.concat([gzipSync('a\nb\n'), Buffer.from('what is no gzip')]);
    expect(await whyNot('c.log.gz', more)).toContain('cannot read');
  });

  it('is told by what it holds, whatever its name', async () => {
    expect(await keysOf('d.log.gz', 'a\nb\n')).toEqual(['a', 'b']);
    expect(await keysOf('d', gzipSync('a\nb\n'))).toEqual(['a', 'b']);
  });
});

describe('a log of ids', () => {
  it('may be cut in pieces anywhere', async () => {
    const ids = Uint32Array.from({ length: 20_001 }, (_, at) => Math.imul(at, 2_654_435_761));
    const keys = Array.from(ids, String);
    expect(await keysOf('a.u32', Buffer.from(ids.buffer))).toEqual(keys);
    expect(await keysOf('a.u32.gz', gzipSync(Buffer.from(ids.buffer)))).toEqual(keys);
  });

  it.each([1, 2, 3, 5, 4097])('is not read where it has %p bytes', async (length) => {
    const bytes = Buffer.alloc(length, 1);
    expect(await whyNot('b.u32', bytes)).toContain('ends within a number');
    expect(await whyNot('b.u32.gz', gzipSync(bytes))).toContain('ends within a number');
  });
});
