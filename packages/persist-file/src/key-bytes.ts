import { randomBytes } from 'node:crypto';
import { Flag, FLAGS_AT, KEY_LENGTH_AT, keyAt } from './record.js';
import { needsUtf16, readText } from './text.js';

// Once, since a test runner looks globals up slowly.
const { imul } = Math;

/** The bit of a key's word that says it is UTF-16; the others are its length in bytes. */
const UTF16 = 0x8000_0000;
/** Drawn anew by each process, so that nobody can choose keys that meet in one place. */
const SEED = randomBytes(4).readUInt32LE(0);

/** A key as records have it. */
export interface KeyBytes {
  readonly bytes: Buffer;
  readonly start: number;
  /** Its length, and how it is written. */
  readonly word: number;
}

/** Where a key is written that is looked for. */
let room = Buffer.allocUnsafeSlow(1024);

/** The bytes of a key; they are good until the next call. */
export function bytesOfKey(key: string): KeyBytes {
  const { length } = key;
  if (3 * length > room.length) room = Buffer.allocUnsafeSlow(6 * length);
  for (let at = 0; at < length; at++) {
    const unit = key.charCodeAt(at);
    if (unit >= 0x80) return otherBytesOfKey(key);
    room[at] = unit;
  }
  return { bytes: room, start: 0, word: length };
}

function otherBytesOfKey(key: string): KeyBytes {
  const word = needsUtf16(key)
    ? (room.write(key, 0, 'utf16le') | UTF16) >>> 0
    : room.write(key, 0, 'utf8');
  return { bytes: room, start: 0, word };
}

/** The key of a record. */
export function keyBytesIn(bytes: Buffer, view: DataView, at: number): KeyBytes {
  const length = view.getUint32(at + KEY_LENGTH_AT, true);
  const isUtf16 = ((bytes[at + FLAGS_AT] as number) & Flag.Utf16) !== 0;
  return { bytes, start: keyAt(bytes, at), word: isUtf16 ? (length | UTF16) >>> 0 : length };
}

export function textOfKey({ bytes, start, word }: KeyBytes): string {
  return readText(bytes, start, start + lengthOfKey(word), word >= UTF16);
}

/** How many bytes a key has. */
export function lengthOfKey(word: number): number {
  return word & ~UTF16;
}

export function hashOfKey({ bytes, start, word }: KeyBytes): number {
  let hash = SEED ^ word;
  const end = start + lengthOfKey(word);
  for (let at = start; at < end; at++) {
    hash = imul(hash ^ (bytes[at] as number), 0x5bd1_e995);
    hash ^= hash >>> 15;
  }
  hash = imul(hash ^ (hash >>> 13), 0x85eb_ca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whether the bytes at `start`, which are as many as the key has, are those of the key. */
export function isKeyAt(key: KeyBytes, bytes: Buffer, start: number): boolean {
  const offset = start - key.start;
  const end = key.start + lengthOfKey(key.word);
  for (let at = key.start; at < end; at++) {
    if (key.bytes[at] !== bytes[at + offset]) return false;
  }
  return true;
}
