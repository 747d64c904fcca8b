import { MAX_SHORT_TEXT, Tag } from './tags.js';

/** A buffer of at most this many bytes is kept for the next value. */
const KEPT_BYTES = 64 * 1024;
/** Up to this many characters a loop is faster than a call of the platform. */
const LOOP_CHARACTERS = 32;

const encoder = new TextEncoder();

/** Bytes that grow at their end. All numbers are little-endian. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A whole number below 2 ** 32 in one to five bytes: seven bits each, the lowest first. */
  varint(value: number): void {
    this.#reserve(5);
    for (; value > 0x7f; value = Math.floor(value / 128)) {
      this.#bytes[this.#length++] = (value & 0x7f) | 0x80;
    }
    this.#bytes[this.#length++] = value;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A number with its tag, in the fewest bytes that hold it exactly. */
  number(value: number): void {
    this.#reserve(9);
    if ((value | 0) !== value || Object.is(value, -0)) {
      this.#bytes[this.#length++] = Tag.Double;
      this.#view.setFloat64(this.#length, value, true);
      this.#length += 8;
    } else if (value >= 0 && value < Tag.ShortText) {
      this.#bytes[this.#length++] = value;
    } else if (value === (value << 24) >> 24) {
      this.#bytes[this.#length++] = Tag.Int8;
      this.#bytes[this.#length++] = value;
    } else if (value === (value << 16) >> 16) {
      this.#bytes[this.#length++] = Tag.Int16;
      this.#view.setInt16(this.#length, value, true);
      this.#length += 2;
    } else {
      this.#bytes[this.#length++] = Tag.Int32;
      this.#view.setInt32(this.#length, value, true);
      this.#length += 4;
    }
  }

  /** A text with its tag: as UTF-8, or as the UTF-16 it is where a lone surrogate has no UTF-8. */
  text(text: string): void {
    const { length } = text;
    if (length > LOOP_CHARACTERS) {
      this.#longText(text);
      return;
    }
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = Tag.ShortText + length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) {
        this.#longText(text);
        return;
      }
      bytes[at++] = unit;
    }
    this.#length = at;
  }

  #longText(text: string): void {
    const head = this.#length;
    this.#reserve(5 + text.length);
    this.#length += 5;
    const read = this.#utf8(text);
    if (read < text.length) {
      // Not all of it is ASCII, which takes up to three bytes a character.
      this.#reserve(3 * (text.length - read));
      this.#utf8(text.slice(read));
    }
    const start = head + 5;
    const written = this.#length - start;
    if (written !== text.length && !isWellFormed(text)) {
      this.#length = head;
      this.#utf16(text);
    } else if (written <= MAX_SHORT_TEXT) {
      this.#bytes[head] = Tag.ShortText + written;
      this.#bytes.copyWithin(head + 1, start, this.#length);
      this.#length = head + 1 + written;
    } else {
      this.#bytes[head] = Tag.Utf8;
      this.#view.setUint32(head + 1, written, true);
    }
  }

  /** @returns how many characters there was room for */
  #utf8(text: string): number {
    const { read, written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    this.#length += written;
    return read;
  }

  #utf16(text: string): void {
    this.u8(Tag.Utf16);
    this.u32(text.length);
    this.#reserve(2 * text.length);
    for (let index = 0; index < text.length; index++, this.#length += 2) {
      this.#view.setUint16(this.#length, text.charCodeAt(index), true);
    }
  }

  /** Hands over what was written, which nobody else holds, and begins anew. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    // A buffer too big to keep may as well be given away, if little of it is left over.
    const given = this.#bytes.length > KEPT_BYTES && written.length > this.#bytes.length * 0.9;
    const taken = given ? written : written.slice();
    this.clear();
    return taken;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#replace(new Uint8Array(KEPT_BYTES));
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    // What a large buffer or text needs is taken to be most of what will come.
    const grown = new Uint8Array(Math.max(needed + 64, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#replace(grown);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function isWellFormed(text: string): boolean {
  // Not in the language level this is compiled to, but several times faster where the platform has it.
  const { isWellFormed } = text as { isWellFormed?: () => boolean };
  return isWellFormed ? isWellFormed.call(text) : !/\p{Surrogate}/u.test(text);
}
