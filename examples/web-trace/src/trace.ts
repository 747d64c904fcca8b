import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from './input-error.js';

/** A recording of which keys were asked for, in order. */
export interface Trace {
  /** Every key once, by first appearance. */
  readonly keys: readonly string[];
  readonly requests: readonly string[];
  /** False when the file goes on after the requests that were wanted. */
  readonly complete: boolean;
}

/**
 * Reads the first `limit` requests of a trace: text with one key a line, or `.u32` ids; either may be gzipped.
 * @throws InputError when the file is missing, cannot be read, is no trace or holds no key.
 */
export async function readTrace(file: string, limit = Infinity): Promise<Trace> {
  const known = new Map<string, string>();
  const requests: string[] = [];
  let complete = true;

  reading: for await (const keys of keysOf(file)) {
    for (const key of keys) {
      if (requests.length >= limit) {
        complete = false;
        break reading;
      }
      // One string for each key, however often it comes.
      const same = known.get(key);
      if (same === undefined) known.set(key, key);
      requests.push(same ?? key);
    }
  }

  if (requests.length === 0) throw new InputError(`'${file}' holds no keys; expected one a line`);
  return { keys: [...known.keys()], requests, complete };
}

/** The keys of a file in batches, one for each piece that was read. */
async function* keysOf(file: string): AsyncGenerator<string[]> {
  const bytes = createReadStream(file);
  try {
    const gzipped = isGzip(await beginning(bytes), file);
    // What goes wrong with the file destroys the unzipped stream, whose reader then gets the error.
    const content = gzipped ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
    yield* /\.u32(\.gz)?$/i.test(file) ? idsIn(content, file) : linesIn(content, file);
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(whyUnreadable(error, file));
  } finally {
    bytes.destroy();
  }
}

/** Looks at the first piece without consuming it, which works for pipes as well. */
async function beginning(bytes: Readable): Promise<Buffer> {
  await once(bytes, 'readable');
  const piece = bytes.read() as Buffer | null;
  if (piece !== null) bytes.unshift(piece);
  return piece ?? Buffer.alloc(0);
}

const kinds = [
  { kind: 'gzip', start: [0x1f, 0x8b] },
  { kind: 'xz-compressed', start: [0xfd, 0x37, 0x7a, 0x58] },
  { kind: 'zstd-compressed', start: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'bzip2-compressed', start: [0x42, 0x5a, 0x68] },
  { kind: 'a zip archive', start: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'UTF-16 text', start: [0xff, 0xfe] },
  { kind: 'UTF-16 text', start: [0xfe, 0xff] },
];

/** Tells by the content, whatever the name; only a plain `.u32` may begin with any bytes. */
function isGzip(beginning: Buffer, file: string): boolean {
  if (/\.u32$/i.test(file)) return false;
  const kind = kinds.find(({ start }) => start.every((byte, at) => beginning[at] === byte))?.kind;
  if (kind === undefined || kind === 'gzip') return kind === 'gzip';
  throw new InputError(
    `'${file}' is ${kind}; expected UTF-8 text with one key a line, plain or .gz`,
  );
}

function whyUnreadable(error: unknown, file: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no file '${file}'`;
  if (code === 'EISDIR') return `'${file}' is a directory; expected a file with one key a line`;
  return `cannot read '${file}': ${message}`;
}

/** What is longer is no key, and the file no list of keys. */
const longestLine = 65_536;

async function* linesIn(content: AsyncIterable<Buffer>, file: string): AsyncGenerator<string[]> {
  let rest = Buffer.alloc(0);
  for await (const piece of content) {
    const bytes = Buffer.concat([rest, piece]);
    const end = bytes.lastIndexOf('\n') + 1;
    yield keysInLines(bytes.subarray(0, end));
    rest = bytes.subarray(end);
    if (rest.length > longestLine) {
      throw new InputError(
        `'${file}' has a line of more than ${longestLine} bytes; expected one key a line`,
      );
    }
  }
  yield keysInLines(rest);
}

function keysInLines(bytes: Buffer): string[] {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : decodeLineByLine(bytes);
  return text
    .split('\n')
    .map((line) => line.replace(/^\uFEFF|\r$/g, '').replaceAll('\0', '\u2400')) // Postgres holds no NUL.
    .filter((line) => line !== '');
}

/** A line that is no UTF-8 is read as Latin-1, so that different bytes stay different keys. */
function decodeLineByLine(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => {
      const raw = Buffer.from(line, 'latin1');
      return isUtf8(raw) ? raw.toString('utf8') : line;
    })
    .join('\n');
}

async function* idsIn(content: AsyncIterable<Buffer>, file: string): AsyncGenerator<string[]> {
  let rest = Buffer.alloc(0);
  for await (const piece of content) {
    const bytes = Buffer.concat([rest, piece]);
    const count = Math.floor(bytes.length / 4);
    yield Array.from({ length: count }, (_, index) => `/product/${bytes.readUInt32LE(4 * index)}`);
    rest = bytes.subarray(4 * count);
  }
  if (rest.length > 0) {
    throw new InputError(
      `'${file}' is cut off: ids take 4 bytes each, ${rest.length} are left over`,
    );
  }
}
