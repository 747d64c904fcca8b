import { isUtf8 } from 'node:buffer';
import { needsUtf16, readText } from './text.js';

/*
 * A record says what became of a key; FORMAT.md has its bytes. All numbers are little-endian.
 *
 *   offset  bytes
 *        0      4  length of the record, these four bytes included
 *        4      1  kind
 *        5      1  flags
 *        6      2  number of tags
 *        8      4  length of the key
 *       12         of a set: createdAt, freshUntil; with WINDOWS staleWhileRevalidate, staleIfError;
 *                  with WEIGHT weight: an f64 each
 *                  the key
 *                  each tag: 4 bytes for its length and, as the top bit, its encoding; the text
 *                  of a set: the value; of an order: ordinals, 4 bytes each
 */

/** What a record says. */
export const Kind = {
  /** The key has this entry. */
  Set: 1,
  /** The key has none. */
  Delete: 2,
  /** No key that was written before has one. */
  Clear: 3,
  /** Ordinals of records, least recently used first; what is written later was used later. */
  Order: 4,
} as const;

/** Marks of what a record holds. */
export const Flag = {
  /** The key is UTF-16, since it holds lone surrogates. */
  Utf16: 1,
  /** The entry has stale windows. */
  Windows: 2,
  /** The entry has a weight. */
  Weight: 4,
} as const;

/** Offsets within a record. */
export const KIND_AT = 4;
export const FLAGS_AT = 5;
export const TAGS_AT = 6;
export const KEY_LENGTH_AT = 8;
export const FIXED_LENGTH = 12;
/** The most tags that an entry may have. */
export const MOST_TAGS = 0xffff;
/** The bit of a tag's length that says it is UTF-16. */
export const TAG_UTF16 = 0x8000_0000;

/** Where the key of a record begins. */
export function keyAt(bytes: Buffer, at: number): number {
  const kind = bytes[at + KIND_AT] as number;
  if (kind !== Kind.Set) return at + FIXED_LENGTH;
  return at + FIXED_LENGTH + timesLength(bytes[at + FLAGS_AT] as number);
}

/** How many bytes the instants and the weight of an entry take. */
export function timesLength(flags: number): number {
  return 16 + (flags & Flag.Windows ? 16 : 0) + (flags & Flag.Weight ? 8 : 0);
}

/** The key of a record. */
export function keyOf(bytes: Buffer, view: DataView, at: number): string {
  const start = keyAt(bytes, at);
  const length = view.getUint32(at + KEY_LENGTH_AT, true);
  const flags = bytes[at + FLAGS_AT] as number;
  return readText(bytes, start, start + length, (flags & Flag.Utf16) !== 0);
}

/** When the entry of a set was stored. */
export function createdAtOf(view: DataView, at: number): number {
  return view.getFloat64(at + 12, true);
}

/** Until when the entry of a set is fresh. */
export function freshUntilOf(view: DataView, at: number): number {
  return view.getFloat64(at + 20, true);
}

/**
 * A stale window of the entry of a set, in milliseconds.
 *
 * @param which - 0 for staleWhileRevalidate, 8 for staleIfError
 */
export function windowsOf(bytes: Buffer, view: DataView, at: number, which: 0 | 8): number {
  const hasWindows = ((bytes[at + FLAGS_AT] as number) & Flag.Windows) !== 0;
  return hasWindows ? view.getFloat64(at + 28 + which, true) : 0;
}

/** Whether the entry of a set is past everything; one from the future is good for its own life only. */
export function isDead(bytes: Buffer, view: DataView, at: number, now: number): boolean {
  let end = view.getFloat64(at + 20, true);
  if (end === Infinity) return false;
  if (((bytes[at + FLAGS_AT] as number) & Flag.Windows) !== 0) {
    end += Math.max(view.getFloat64(at + 28, true), view.getFloat64(at + 36, true));
  }
  return end - Math.max(0, view.getFloat64(at + 12, true) - now) <= now;
}

/** What the cache's `weigh` said of the entry of a set. */
export function weightOf(bytes: Buffer, view: DataView, at: number): number | undefined {
  const flags = bytes[at + FLAGS_AT] as number;
  if ((flags & Flag.Weight) === 0) return undefined;
  return view.getFloat64(at + FIXED_LENGTH + timesLength(flags) - 8, true);
}

const NO_TAGS: readonly string[] = [];

/** The tags of an entry, and where its value begins. */
export function tagsOf(
  bytes: Buffer,
  view: DataView,
  at: number,
): { readonly tags: readonly string[]; readonly end: number } {
  let end = keyAt(bytes, at) + view.getUint32(at + KEY_LENGTH_AT, true);
  const count = view.getUint16(at + TAGS_AT, true);
  if (count === 0) return { tags: NO_TAGS, end };
  const tags: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = view.getUint32(end, true);
    const start = end + 4;
    end = start + (length & ~TAG_UTF16);
    tags.push(readText(bytes, start, end, (length & TAG_UTF16) !== 0));
  }
  return { tags, end };
}

/**
 * Whether the bytes from `at` up to `end` are records whose parts lie within them. Bytes under a right
 * checksum are; it is asked before anything else so that not even a forged file can throw.
 */
export function areRecords(
  bytes: Buffer,
  view: DataView,
  at: number,
  end: number,
  count: number,
): boolean {
  for (let index = 0; index < count; index++) {
    if (end - at < FIXED_LENGTH) return false;
    const length = view.getUint32(at, true);
    if (length < FIXED_LENGTH || length > end - at) return false;
    if (!isRecord(bytes, view, at, length)) return false;
    at += length;
  }
  return at === end;
}

/** Whether a key is written as it must be: one key has one form, or it could be there twice. */
function isKey(bytes: Buffer, start: number, end: number, flags: number): boolean {
  if ((flags & Flag.Utf16) !== 0) {
    return (end - start) % 2 === 0 && needsUtf16(readText(bytes, start, end, true));
  }
  let every = 0;
  for (let at = start; at < end; at++) every |= bytes[at] as number;
  return every < 0x80 || isUtf8(bytes.subarray(start, end));
}

function isRecord(bytes: Buffer, view: DataView, at: number, length: number): boolean {
  const kind = bytes[at + KIND_AT] as number;
  if (kind < Kind.Set || kind > Kind.Order) return false;
  const start = keyAt(bytes, at);
  let used = start - at + view.getUint32(at + KEY_LENGTH_AT, true);
  if (used > length) return false;
  if (!isKey(bytes, start, at + used, bytes[at + FLAGS_AT] as number)) return false;
  if (kind !== Kind.Set) return true;
  const tags = view.getUint16(at + TAGS_AT, true);
  for (let index = 0; index < tags; index++) {
    if (used + 4 > length) return false;
    used += 4 + (view.getUint32(at + used, true) & ~TAG_UTF16);
    if (used > length) return false;
  }
  return true;
}
