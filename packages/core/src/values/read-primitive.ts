import { bigIntOfBytes } from './bigint-bytes.js';
import type { ByteReader } from './byte-reader.js';
import { NEAR_SHAPES, Tag } from './tags.js';

/** What `readPrimitive` returns for a tag of something else. */
export const NO_PRIMITIVE = Symbol('no primitive');

/** Reads what follows the tag of a primitive. */
export function readPrimitive(reader: ByteReader, tag: number): unknown {
  if (tag < Tag.ShortText) return tag;
  if (tag < Tag.NearShape) return reader.utf8(tag - Tag.ShortText);
  if (tag < Tag.NearShape + NEAR_SHAPES) return NO_PRIMITIVE;
  switch (tag) {
    case Tag.Null:
      return null;
    case Tag.True:
      return true;
    case Tag.False:
      return false;
    case Tag.Undefined:
      return undefined;
    case Tag.Double:
      return reader.f64('a number');
    case Tag.Int8:
      return reader.i8('a number');
    case Tag.Int16:
      return reader.i16('a number');
    case Tag.Int32:
      return reader.i32('a number');
    case Tag.Utf8:
      return reader.utf8(reader.u32('the length of a text'));
    case Tag.Utf16:
      return reader.utf16(reader.u32('the length of a text'));
    case Tag.BigInt64:
      return reader.i64('a bigint');
    case Tag.BigInt:
      return readBigInt(reader);
    default:
      return NO_PRIMITIVE;
  }
}

function readBigInt(reader: ByteReader): bigint {
  const sign = reader.u8('the sign of a bigint');
  if (sign > 1) throw reader.damaged(`expected the sign of a bigint, 0 or 1, got ${sign}`);
  const bytes = reader.bytes(reader.u32('the length of a bigint'), 'a bigint');
  try {
    const magnitude = bigIntOfBytes(bytes);
    return sign === 1 ? -magnitude : magnitude;
  } catch (error) {
    throw reader.damaged('the bigint is larger than this platform allows', error);
  }
}

/** @param what - is expected to be a text, and said not to be one otherwise: `the name of a property` */
export function readText(reader: ByteReader, what: string): string {
  const text = readPrimitive(reader, reader.u8(what));
  if (typeof text !== 'string') throw reader.damaged(`expected ${what}, and it is no text`);
  return text;
}
