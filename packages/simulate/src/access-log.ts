import { createReadStream } from 'node:fs';
import { pipeline, Transform, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { csvKeys } from './csv-keys.js';
import { InputError } from './input-error.js';
import { lineKeys } from './line-keys.js';

/** How a log is written. */
export type LogFormat = 'lines' | 'csv' | 'u32';

export const FORMATS: readonly LogFormat[] = ['lines', 'csv', 'u32'];

export interface LogOptions {
  /** @defaultValue by the name of the file: `.csv`, `.u32`, else lines */
  readonly format?: LogFormat | undefined;
  /** The column of a CSV file that has the keys: its name, or its number from 1 on. @defaultValue `'1'` */
  readonly column?: string | undefined;
  /** Told of the bytes that were read, as they lie in the file. */
  readonly progress?: ((bytes: number) => void) | undefined;
}

/**
 * The keys of an access log, in order, many at a time. What is gzipped is unzipped, whatever its name.
 *
 * @param file - its path; `-` for standard input
 * @throws InputError with the number of the line, where it cannot be read
 */
export async function* readLog(
  file: string,
  { format: given, column, progress }: LogOptions = {},
): AsyncGenerator<readonly string[]> {
  // Whoever names a column means a file that has some.
  const format = given ?? (column === undefined ? formatOf(file) : 'csv');
  if (column !== undefined && format !== 'csv') {
    throw new InputError(`a column is of CSV alone, and the format is ${format}`);
  }
  const source: Readable = file === '-' ? process.stdin : createReadStream(file);
  let read = 0;
  const counted = new Transform({
    transform(piece: Buffer, _encoding, done) {
      read += piece.length;
      progress?.(read);
      done(null, piece);
    },
  });
  const nothing = (): void => undefined;
  // What goes wrong with the file destroys what is read from it, and the reader gets the error.
  const bytes = pipeline(source, counted, nothing) as unknown as Readable;
  try {
    const start = await beginning(bytes);
    refuseOthers(start, file, format);
    const content = isGzip(start, format) ? pipeline(bytes, createGunzip(), nothing) : bytes;
    if (format === 'u32') yield* numberKeys(content, file);
    else if (format === 'csv') yield* csvKeys(content, column ?? '1', file);
    else yield* lineKeys(content, file);
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(whyUnreadable(error, file));
  } finally {
    source.destroy();
  }
}

function formatOf(file: string): LogFormat {
  const [, name] = /\.(csv|u32)(?:\.gz)?$/i.exec(file) ?? [];
  return (name?.toLowerCase() as LogFormat | undefined) ?? 'lines';
}

/** Looks at the first piece without consuming it. */
async function beginning(bytes: Readable): Promise<Buffer> {
  const piece = await new Promise<Buffer | null>((resolve, reject) => {
    bytes.once('error', reject);
    bytes.once('end', () => {
      resolve(null);
    });
    bytes.once('readable', () => {
      resolve(bytes.read() as Buffer | null);
    });
  });
  if (piece !== null) bytes.unshift(piece);
  return piece ?? Buffer.alloc(0);
}

function isGzip(start: Buffer, format: LogFormat): boolean {
  // Plain ids may begin with any bytes, but hardly with these and the deflate method behind them.
  return start[0] === 0x1f && start[1] === 0x8b && (format !== 'u32' || start[2] === 8);
}

const OTHERS = [
  { kind: 'xz-compressed', start: [0xfd, 0x37, 0x7a, 0x58] },
  { kind: 'zstd-compressed', start: [0x28, 0xb5, 0x2f, 0xfd] },
  { kind: 'bzip2-compressed', start: [0x42, 0x5a, 0x68] },
  { kind: 'a zip archive', start: [0x50, 0x4b, 0x03, 0x04] },
  { kind: 'UTF-16 text', start: [0xff, 0xfe] },
  { kind: 'UTF-16 text', start: [0xfe, 0xff] },
];

function refuseOthers(start: Buffer, file: string, format: LogFormat): void {
  if (format === 'u32') return;
  const found = OTHERS.find((other) => other.start.every((byte, at) => start[at] === byte));
  if (found === undefined) return;
  throw new InputError(`'${file}' is ${found.kind}; expected text in UTF-8, plain or gzipped`);
}

/** Numbers of 32 bits, little-endian, one for each access. */
async function* numberKeys(
  content: AsyncIterable<Buffer>,
  file: string,
): AsyncGenerator<readonly string[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of content) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const keys: string[] = [];
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) keys.push(String(bytes.readUInt32LE(at)));
    rest = bytes.subarray(at);
    yield keys;
  }
  if (rest.length === 0) return;
  throw new InputError(
    `'${file}' ends within a number: expected 4 bytes for each access, got ${rest.length} at the end`,
  );
}

function whyUnreadable(error: unknown, file: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no file '${file}'`;
  if (code === 'EISDIR') return `'${file}' is a directory; expected an access log`;
  return `cannot read '${file}': ${message}`;
}
