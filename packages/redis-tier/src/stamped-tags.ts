import { isUtf8 } from 'node:buffer';
import { describeValue, InvalidOptionError } from '@acache/core';
import { writeExactly } from './beginning.js';

/** How many bytes a stamp has. */
export const STAMP_LENGTH = 8;

const MOST_TAGS = 0xffff;
const LONGEST_TAG = 0x7fff;
const UTF16 = 0x8000;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * How many bytes tags take with their stamps.
 *
 * @throws InvalidOptionError when there are more than 65,535, and when one has more than 32,767 bytes
 */
export function lengthOfTags(tags: readonly string[], stamps: readonly Buffer[]): number {
  if (tags.length > MOST_TAGS) {
    throw new InvalidOptionError(`an entry may have ${MOST_TAGS} tags, got ${tags.length}`);
  }
  if (stamps.length !== tags.length) {
    throw new RangeError(`${tags.length} tags need as many stamps, got ${stamps.length}`);
  }
  let length = 2;
  for (const tag of tags) length += 2 + textLength(tag) + STAMP_LENGTH;
  return length;
}

/** Writes tags, each with its stamp, and tells where they end. */
export function writeTags(
  out: Buffer,
  at: number,
  tags: readonly string[],
  stamps: readonly Buffer[],
): number {
  let end = out.writeUInt16BE(tags.length, at);
  for (let nth = 0; nth < tags.length; nth++) {
    end = writeText(out, end, tags[nth] as string);
    end = writeExactly(out, end, stamps[nth] as Buffer, STAMP_LENGTH);
  }
  return end;
}

/** The texts of the tags from `at` to `end`; `undefined` when one is no text. */
export function readTags(bytes: Buffer, at: number, end: number): string[] | undefined {
  const tags: string[] = [];
  for (let next = at + 2; next < end; next = endOfTag(bytes, next)) {
    const tag = readText(bytes, next);
    if (tag === undefined) return undefined;
    tags.push(tag);
  }
  return tags;
}

/** Their stamps, as views of the bytes. */
export function readStamps(bytes: Buffer, at: number, end: number): Buffer[] {
  const stamps: Buffer[] = [];
  for (let next = at + 2; next < end;) {
    next = endOfTag(bytes, next);
    stamps.push(bytes.subarray(next - STAMP_LENGTH, next));
  }
  return stamps;
}

/** Where the tags that begin at `at` end; `undefined` when that is beyond `limit`. */
export function endOfTags(bytes: Buffer, at: number, limit: number): number | undefined {
  if (at + 2 > limit) return undefined;
  let end = at + 2;
  for (let left = bytes.readUInt16BE(at); left > 0; left--) {
    if (end + 2 > limit) return undefined;
    end = endOfTag(bytes, end);
  }
  return end > limit ? undefined : end;
}

/** Where the tag that begins at `at` ends, its stamp included. */
function endOfTag(bytes: Buffer, at: number): number {
  return at + 2 + (bytes.readUInt16BE(at) & LONGEST_TAG) + STAMP_LENGTH;
}

/** How many bytes a tag takes. */
function textLength(tag: string): number {
  const length = LONE_SURROGATE.test(tag) ? tag.length * 2 : Buffer.byteLength(tag);
  if (length > LONGEST_TAG) {
    throw new InvalidOptionError(
      `a tag may have ${LONGEST_TAG} bytes, got ${length} in ${describeValue(tag)}`,
    );
  }
  return length;
}

/** Writes a tag with its length and tells where it ends. */
function writeText(out: Buffer, at: number, tag: string): number {
  const wide = LONE_SURROGATE.test(tag);
  const length = out.write(tag, at + 2, wide ? 'utf16le' : 'utf8');
  out.writeUInt16BE(wide ? length | UTF16 : length, at);
  return at + 2 + length;
}

/** The tag at `at`; `undefined` when `writeText` cannot have written it. */
function readText(bytes: Buffer, at: number): string | undefined {
  const mark = bytes.readUInt16BE(at);
  const from = at + 2;
  const to = from + (mark & LONGEST_TAG);
  if (from === to) return undefined;
  if (mark & UTF16) return (to - from) % 2 === 0 ? bytes.toString('utf16le', from, to) : undefined;
  const tag = bytes.toString('utf8', from, to);
  // Bytes that are no UTF-8 become U+FFFD, which a tag may have of its own.
  return tag.includes('\ufffd') && !isUtf8(bytes.subarray(from, to)) ? undefined : tag;
}
