import { isUint8Array } from 'node:util/types';
import {
  describeValue,
  InvalidOptionError,
  type Entry,
  type EntryTimes,
  type Serializer,
} from '@acache/core';
import {
  BEGINNING_LENGTH,
  CRC_LENGTH,
  ENTRY,
  idIn,
  kindOf,
  PLACEHOLDER,
  writeBeginning,
  writeExactly,
} from './beginning.js';
import { deflate, inflate } from './compression.js';
import { crc32 } from './crc32.js';
import { readPlaceholder, type Placeholder, type Stamps } from './placeholder.js';
import {
  endOfTags,
  lengthOfTags,
  readStamps,
  readTags,
  STAMP_LENGTH,
  writeTags,
} from './stamped-tags.js';

/*
 * What stands under a key in Redis, version 1. Numbers are big endian; times are f64, in milliseconds.
 *
 *   offset  bytes
 *        0      2  magic, ac ca
 *        2      1  version
 *        3      1  kind: 1 placeholder (somebody is loading), 2 entry
 *        4     16  id, unique to this write
 *
 * A placeholder goes on with what was valid when its load began:
 *
 *       20      8  stamp of the namespace
 *               2  number of tags that are known before the load
 *                  for each, as in an entry: its text and its stamp
 *               4  CRC-32 of all bytes up to here
 *
 * An entry goes on with:
 *
 *       20      8  freshUntil
 *       28      4  CRC-32 of bytes 0 to 27
 *                  - the head of an entry ends here -
 *       32      8  createdAt
 *       40      8  staleWhileRevalidate
 *       48      8  staleIfError
 *       56      1  flags: 1 the payload is compressed, 2 there is a weight; the others are 0
 *       57      8  stamp of the namespace
 *       65      8  weight, an f64, only where there is one
 *               2  number of tags
 *                  for each: 2 bytes for its length and, as the top bit, its encoding; the text; 8 for
 *                  its stamp. A text is UTF-8, or UTF-16 (little endian, top bit 1) where it has lone
 *                  surrogates, of which UTF-8 knows nothing
 *               4  length of the payload before it was compressed
 *                  payload
 *               4  CRC-32 of bytes 32 up to here
 *
 * The scripts on the server know these offsets, and replace the head as a whole: hence two checksums,
 * of which neither covers what the other does.
 */

/** How many bytes at the start of an entry `headOf` replaces. */
export const HEAD_LENGTH = 32;

const FRESH_UNTIL_AT = BEGINNING_LENGTH;
const HEAD_CRC_AT = FRESH_UNTIL_AT + 8;
const CREATED_AT = HEAD_LENGTH;
const STALE_WHILE_REVALIDATE_AT = CREATED_AT + 8;
const STALE_IF_ERROR_AT = STALE_WHILE_REVALIDATE_AT + 8;
const FLAGS_AT = STALE_IF_ERROR_AT + 8;
const NAMESPACE_STAMP_AT = FLAGS_AT + 1;
const WEIGHT_AT = NAMESPACE_STAMP_AT + STAMP_LENGTH;

/** How many bytes an entry has beside its weight, its tags and its payload. */
const SHORTEST_ENTRY = WEIGHT_AT + 4 + CRC_LENGTH;

const COMPRESSED = 1;
const WEIGHED = 2;

/** What stands under a key: see the variants. */
export type Envelope = Placeholder | EntryEnvelope | AlienEnvelope;

/**
 * An entry whose checksums are right. Its buffers are copies of its own, made when one of them is first
 * asked for; up to then, and for `value`, it needs the bytes.
 */
export interface EntryEnvelope {
  readonly kind: 'entry';
  readonly id: Buffer;
  readonly times: EntryTimes;
  readonly weight: number | undefined;
  readonly tags: readonly string[];
  readonly stamps: Stamps;
  /** Its first `HEAD_LENGTH` bytes, by which a script knows whether it still stands there. */
  readonly head: Buffer;
  /** Whether `stamps.namespace` is this one; takes no copies to tell. */
  hasNamespaceStamp(stamp: Buffer): boolean;
  /**
   * Inflates and deserialises the payload, anew with each call.
   * @throws what the serializer throws, and when the payload does not inflate to what it declares
   */
  value(): unknown;
}

/** Not written by this package, damaged, or of a version that this one cannot read. */
export interface AlienEnvelope {
  readonly kind: 'alien';
  /** What is wrong with it, for people. */
  readonly reason: string;
}

/**
 * The first `HEAD_LENGTH` bytes of an entry; in place of those it has, they give it another id and
 * another end of its freshness.
 *
 * @param freshUntil - milliseconds since the epoch; `Infinity` never expires
 */
export function headOf(id: Buffer, freshUntil: number): Buffer {
  const out = Buffer.allocUnsafe(HEAD_LENGTH);
  writeHead(out, id, freshUntil);
  return out;
}

/**
 * The bytes of an entry.
 *
 * @param compressAbove - the payload is compressed when it has more bytes than this and gets smaller
 * @throws InvalidOptionError when it has more than 65,535 tags, when one has more than 32,767 bytes, and
 * when the serializer gives anything but bytes; what the serializer throws
 */
export function writeEnvelope(
  entry: Entry,
  id: Buffer,
  stamps: Stamps,
  serializer: Serializer,
  compressAbove: number | false,
): Buffer {
  const { tags, weight } = entry;
  const ofTags = lengthOfTags(tags, stamps.tags);
  const size = SHORTEST_ENTRY + (weight === undefined ? 0 : 8) + ofTags;

  const payload = serializer.serialize(entry.value);
  // Where types are not checked, a text would pass for an array of bytes that are all 0.
  if (!isUint8Array(payload)) {
    disown(payload);
    throw new InvalidOptionError(`serialize must give a Uint8Array, got ${describeValue(payload)}`);
  }
  const deflated = compressAbove === false ? undefined : deflate(payload, compressAbove);
  const stored = deflated ?? payload;

  const out = Buffer.allocUnsafe(size + stored.length);
  writeHead(out, id, entry.freshUntil);
  out.writeDoubleBE(entry.createdAt, CREATED_AT);
  out.writeDoubleBE(entry.staleWhileRevalidate, STALE_WHILE_REVALIDATE_AT);
  out.writeDoubleBE(entry.staleIfError, STALE_IF_ERROR_AT);
  out[FLAGS_AT] = (deflated ? COMPRESSED : 0) | (weight === undefined ? 0 : WEIGHED);
  writeExactly(out, NAMESPACE_STAMP_AT, stamps.namespace, STAMP_LENGTH);
  let at = WEIGHT_AT;
  if (weight !== undefined) at = out.writeDoubleBE(weight, at);
  at = writeTags(out, at, tags, stamps.tags);
  at = out.writeUInt32BE(payload.length, at);
  out.set(stored, at);
  at += stored.length;
  out.writeUInt32BE(crc32(out, HEAD_LENGTH, at), at);
  return out;
}

/**
 * What stands in these bytes. Checks both checksums, every length and every time before it believes
 * anything, and never throws; it leaves the payload alone, so that an entry's freshness costs no
 * inflating. The bytes must stay as they are for as long as the entry needs them.
 */
export function readEnvelope(bytes: Buffer, serializer: Serializer): Envelope {
  const kind = kindOf(bytes);
  if (typeof kind === 'string') return alien(kind);
  switch (kind) {
    case PLACEHOLDER: {
      const placeholder = readPlaceholder(bytes);
      return typeof placeholder === 'string' ? alien(placeholder) : placeholder;
    }
    case ENTRY:
      return readEntry(bytes, serializer);
    default:
      return alien(`there is no kind ${kind}`);
  }
}

function readEntry(bytes: Buffer, serializer: Serializer): Envelope {
  const end = bytes.length - CRC_LENGTH;
  if (bytes.length < SHORTEST_ENTRY + 2) return wrongLength(bytes);
  if (bytes.readUInt32BE(HEAD_CRC_AT) !== crc32(bytes, 0, HEAD_CRC_AT)) {
    return alien('its head is damaged');
  }
  if (bytes.readUInt32BE(end) !== crc32(bytes, HEAD_LENGTH, end)) return alien('it is damaged');

  const flags = bytes[FLAGS_AT] as number;
  if (flags > (COMPRESSED | WEIGHED)) return alien(`there are no flags ${flags}`);
  const compressed = (flags & COMPRESSED) !== 0;
  const weighed = (flags & WEIGHED) !== 0;
  const tagsAt = weighed ? WEIGHT_AT + 8 : WEIGHT_AT;
  // The last 4 bytes before the checksum can be the payload's length at best.
  const lengthAt = endOfTags(bytes, tagsAt, end - 4);
  if (lengthAt === undefined) return wrongLength(bytes);
  const payloadAt = lengthAt + 4;
  const length = bytes.readUInt32BE(lengthAt);
  if (!compressed && length !== end - payloadAt) return wrongLength(bytes);

  const times = {
    createdAt: bytes.readDoubleBE(CREATED_AT),
    freshUntil: bytes.readDoubleBE(FRESH_UNTIL_AT),
    staleWhileRevalidate: bytes.readDoubleBE(STALE_WHILE_REVALIDATE_AT),
    staleIfError: bytes.readDoubleBE(STALE_IF_ERROR_AT),
  };
  const weight = weighed ? bytes.readDoubleBE(WEIGHT_AT) : undefined;
  if (!areSane(times) || (weight !== undefined && !(weight >= 0 && weight < Infinity))) {
    return alien('its times or its weight cannot be meant');
  }

  const tags = readTags(bytes, tagsAt, lengthAt);
  if (tags === undefined) return alien('one of its tags is no text');
  return new EntryInBytes(bytes, serializer, { times, weight, tags, tagsAt, lengthAt, compressed });
}

/** What was read of an entry, and where the rest of it lies. */
interface EntryParts {
  readonly times: EntryTimes;
  readonly weight: number | undefined;
  readonly tags: readonly string[];
  readonly tagsAt: number;
  readonly lengthAt: number;
  readonly compressed: boolean;
}

/** Most entries are only looked at, and their values taken: what few readers ask for is made for these. */
class EntryInBytes implements EntryEnvelope {
  readonly kind = 'entry';
  readonly #bytes: Buffer;
  readonly #serializer: Serializer;
  readonly #parts: EntryParts;
  #front: Buffer | undefined;

  constructor(bytes: Buffer, serializer: Serializer, parts: EntryParts) {
    this.#bytes = bytes;
    this.#serializer = serializer;
    this.#parts = parts;
  }

  get times(): EntryTimes {
    return this.#parts.times;
  }

  get weight(): number | undefined {
    return this.#parts.weight;
  }

  get tags(): readonly string[] {
    return this.#parts.tags;
  }

  get id(): Buffer {
    return idIn(this.#copy);
  }

  get head(): Buffer {
    return this.#copy.subarray(0, HEAD_LENGTH);
  }

  get stamps(): Stamps {
    const front = this.#copy;
    const tags = readStamps(front, this.#parts.tagsAt, front.length);
    return { namespace: front.subarray(NAMESPACE_STAMP_AT, WEIGHT_AT), tags };
  }

  hasNamespaceStamp(stamp: Buffer): boolean {
    // A loop takes a fraction of what `compare` does.
    for (let nth = 0; nth < STAMP_LENGTH; nth++) {
      if (this.#bytes[NAMESPACE_STAMP_AT + nth] !== stamp[nth]) return false;
    }
    return true;
  }

  value(): unknown {
    const { compressed, lengthAt } = this.#parts;
    const stored = this.#bytes.subarray(lengthAt + 4, this.#bytes.length - CRC_LENGTH);
    const payload = compressed ? inflate(stored, this.#bytes.readUInt32BE(lengthAt)) : stored;
    const value = this.#serializer.deserialize(payload);
    if (!(value instanceof Promise)) return value;
    disown(value);
    throw new TypeError('deserialize must give the value itself, got a promise');
  }

  /** One copy for all that outlives the bytes, which may be part of a much larger buffer. */
  get #copy(): Buffer {
    this.#front ??= Buffer.from(this.#bytes.subarray(0, this.#parts.lengthAt));
    return this.#front;
  }
}

/** The same as core demands of an entry. */
function areSane(times: EntryTimes): boolean {
  return (
    times.createdAt >= 0 &&
    times.createdAt < Infinity &&
    times.freshUntil >= 0 &&
    times.staleWhileRevalidate >= 0 &&
    times.staleIfError >= 0
  );
}

function writeHead(out: Buffer, id: Buffer, freshUntil: number): void {
  writeBeginning(out, ENTRY, id);
  out.writeDoubleBE(freshUntil, FRESH_UNTIL_AT);
  out.writeUInt32BE(crc32(out, 0, HEAD_CRC_AT), HEAD_CRC_AT);
}

function wrongLength(bytes: Buffer): AlienEnvelope {
  return alien(`its ${bytes.length} bytes are not as many as it declares`);
}

function alien(reason: string): AlienEnvelope {
  return { kind: 'alien', reason };
}

/** What a serializer promises and does not keep must not end the process. */
function disown(given: unknown): void {
  if (given instanceof Promise) given.catch(() => undefined);
}
