import { damagedError } from './damaged.js';

const NO_BYTES = new Uint8Array(0);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** How many arguments a call takes on every platform. */
const UNITS_AT_ONCE = 4096;
/** Up to this many characters a loop is faster than a call of the platform. */
const LOOP_CHARACTERS = 32;
/** The arguments of `String.fromCharCode` for a text of so many characters: faster than to add up characters. */
const argumentLists = Array.from({ length: LOOP_CHARACTERS + 1 }, (_, length) =>
  Array.from({ length }, () => 0),
);

/**
 * Reads bytes from the front and never past their end, one message after the other. All numbers are
 * little-endian.
 */
export class ByteReader {
  #bytes: Uint8Array = NO_BYTES;
  #dataView: DataView | undefined;
  #at = 0;

  /** Goes on with other bytes, from their front. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#dataView = undefined;
    this.#at = 0;
  }

  /** Lets go of the bytes. */
  end(): void {
    this.begin(NO_BYTES);
  }

  /** How many bytes were read. */
  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The error of what was read last, or of what comes next. */
  damaged(found: string, cause?: unknown): Error {
    return damagedError(found, this.#at, cause);
  }

  u8(what: string): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#short(1, what);
    this.#at++;
    return byte;
  }

  i8(what: string): number {
    return this.#view.getInt8(this.#skip(1, what));
  }

  i16(what: string): number {
    return this.#view.getInt16(this.#skip(2, what), true);
  }

  i32(what: string): number {
    return this.#view.getInt32(this.#skip(4, what), true);
  }

  u32(what: string): number {
    return this.#view.getUint32(this.#skip(4, what), true);
  }

  i64(what: string): bigint {
    return this.#view.getBigInt64(this.#skip(8, what), true);
  }

  f64(what: string): number {
    return this.#view.getFloat64(this.#skip(8, what), true);
  }

  varint(what: string): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.u8(what);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.damaged(`expected ${what}, and it is longer than five bytes`);
  }

  /** The next bytes, in memory of their own. */
  bytes(length: number, what: string): Uint8Array<ArrayBuffer> {
    return this.#part(this.#skip(length, what), length).slice();
  }

  /** The bytes from `start` up to where it is now, in memory of their own. */
  since(start: number): Uint8Array {
    return this.#part(start, this.#at - start).slice();
  }

  /** Goes past these bytes if they come next. */
  skipIf(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    for (let index = 0; index < expected.length; index++) {
      if (bytes[start + index] !== expected[index]) return false;
    }
    this.#at = start + expected.length;
    return true;
  }

  /** A text of so many bytes of UTF-8. */
  utf8(length: number): string {
    const start = this.#skip(length, 'text');
    if (length <= LOOP_CHARACTERS) {
      const text = this.#ascii(start, length);
      if (text !== undefined) return text;
    }
    try {
      return decoder.decode(this.#part(start, length));
    } catch (error) {
      throw this.damaged('expected text, and it is no UTF-8', error);
    }
  }

  #ascii(start: number, length: number): string | undefined {
    const bytes = this.#bytes;
    const units = argumentLists[length] as number[];
    for (let index = 0; index < length; index++) {
      const byte = bytes[start + index] as number;
      if (byte > 0x7f) return undefined;
      units[index] = byte;
    }
    // Not `...units`, which copies them.
    return String.fromCharCode.apply(null, units);
  }

  /** A text of so many UTF-16 code units, whatever they are. */
  utf16(length: number): string {
    const start = this.#skip(2 * length, 'text');
    let text = '';
    for (let from = 0; from < length; from += UNITS_AT_ONCE) {
      const units: number[] = [];
      for (let index = from; index < Math.min(length, from + UNITS_AT_ONCE); index++) {
        units.push(this.#view.getUint16(start + 2 * index, true));
      }
      text += String.fromCharCode(...units);
    }
    return text;
  }

  /** Made for the first number that needs it: many messages have none. */
  get #view(): DataView {
    this.#dataView ??= viewOf(this.#bytes);
    return this.#dataView;
  }

  /** A view of our own, since a Buffer has a `slice` that does not copy. */
  #part(start: number, length: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + start, length);
  }

  /** @returns where the next `length` bytes start */
  #skip(length: number, what: string): number {
    if (length > this.left) throw this.#short(length, what);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  #short(length: number, what: string): Error {
    return this.damaged(`expected ${length} bytes of ${what}, and ${this.left} are left`);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
