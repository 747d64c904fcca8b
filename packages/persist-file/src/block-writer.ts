import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { InvalidOptionError, type Entry } from '@acache/core';
import {
  BLOCK_HEADER_LENGTH,
  BODY_LENGTH,
  blockLength,
  writeBlockHeader,
  type BlockHeader,
} from './block-header.js';
import type { FileClock } from './file-clock.js';
import type { LogTail } from './log-tail.js';
import { FIXED_LENGTH, Flag, Kind, MOST_TAGS, TAG_UTF16, timesLength } from './record.js';
import { encodeLists, hashOf, MOST_SUPERSEDED, type SupersededList } from './superseded.js';
import { needsUtf16 } from './text.js';

const IS_LITTLE_ENDIAN = endianness() === 'LE';

/** Where a record was written. */
export interface Written {
  readonly ordinal: number;
  readonly length: number;
}

/** An entry without its value, which comes as bytes. */
export type EntryFrame = Omit<Entry, 'value'>;

/** Lays records out as blocks that go on where a log ends. */
export class BlockWriter {
  readonly #fileId: Uint8Array;
  readonly #clock: FileClock;
  #bytes: Buffer;
  #length = 0;
  /** Where the block that is being written begins; -1 when there is none. */
  #block = -1;
  #firstOrdinal: number;
  #everything = false;
  #hashes: number[] = [];
  #seq: number;
  #ordinal: number;
  #supersededBefore: number;
  readonly #recent: LogTail['recent'];

  /** @param room - bytes to begin with; there will be more when they are needed */
  constructor(fileId: Uint8Array, tail: LogTail, clock: FileClock, room = 64 * 1024) {
    this.#fileId = fileId;
    this.#clock = clock;
    this.#bytes = Buffer.allocUnsafe(room);
    this.#seq = tail.seq;
    this.#ordinal = tail.ordinal;
    this.#firstOrdinal = tail.ordinal;
    this.#supersededBefore = tail.supersededBefore;
    this.#recent = tail.recent.clone();
  }

  /** Bytes so far; what ends the last block is not counted. */
  get length(): number {
    return this.#length;
  }

  /**
   * @param supersedes - whether the log holds an older record of the key that counts
   * @throws InvalidOptionError when it has more tags than there is room for; what copying the bytes of
   * the value throws, which may be gone by now. Nothing is written then
   */
  set(key: string, entry: EntryFrame, value: Uint8Array, supersedes: boolean): Written {
    const { tags, weight, staleWhileRevalidate, staleIfError } = entry;
    if (tags.length > MOST_TAGS) {
      throw new InvalidOptionError(`an entry may have ${MOST_TAGS} tags, got ${tags.length}`);
    }
    let flags = 0;
    if (staleWhileRevalidate !== 0 || staleIfError !== 0) flags |= Flag.Windows;
    if (weight !== undefined) flags |= Flag.Weight;
    const head = FIXED_LENGTH + timesLength(flags);
    let tagRoom = 0;
    for (const tag of tags) tagRoom += 4 + 3 * tag.length;
    this.#makeBlock(head + key.length + tagRoom + value.length);
    this.#reserve(head + 3 * key.length + tagRoom + value.length);

    const start = this.#length;
    this.#length += FIXED_LENGTH;
    this.#f64(entry.createdAt + this.#clock.ahead);
    this.#f64(entry.freshUntil + this.#clock.ahead);
    if ((flags & Flag.Windows) !== 0) {
      this.#f64(staleWhileRevalidate);
      this.#f64(staleIfError);
    }
    if (weight !== undefined) this.#f64(weight);
    flags |= this.#key(key, start, supersedes);
    for (const tag of tags) this.#tag(tag);
    try {
      this.#bytes.set(value, this.#length);
    } catch (error) {
      this.#length = start;
      if (supersedes) this.#hashes.pop();
      throw error;
    }
    this.#length += value.length;
    return this.#endRecord(start, Kind.Set, flags, tags.length);
  }

  /** Ends the older record of a key. */
  delete(key: string): Written {
    this.#makeBlock(FIXED_LENGTH + key.length);
    this.#reserve(FIXED_LENGTH + 3 * key.length);
    const start = this.#length;
    this.#length += FIXED_LENGTH;
    const flags = this.#key(key, start, true);
    return this.#endRecord(start, Kind.Delete, flags, 0);
  }

  /** Ends all older records. */
  clear(): Written {
    this.#makeBlock(FIXED_LENGTH);
    this.#reserve(FIXED_LENGTH);
    const start = this.#length;
    this.#length += FIXED_LENGTH;
    this.#bytes.writeUInt32LE(0, start + 8);
    this.#everything = true;
    return this.#endRecord(start, Kind.Clear, 0, 0);
  }

  /**
   * Says in what order the records with these ordinals were used, in a block of its own: damage to it
   * is to cost nothing but the order.
   */
  order(ordinals: Uint32Array): Written {
    const length = FIXED_LENGTH + 4 * ordinals.length;
    this.#endBlock();
    this.#makeBlock(length);
    this.#reserve(length);
    const start = this.#length;
    this.#bytes.writeUInt32LE(0, start + 8);
    this.#length += FIXED_LENGTH;
    if (IS_LITTLE_ENDIAN) {
      const { buffer, byteOffset, byteLength } = ordinals;
      this.#bytes.set(new Uint8Array(buffer, byteOffset, byteLength), this.#length);
      this.#length += byteLength;
    } else {
      for (const ordinal of ordinals) {
        this.#length = this.#bytes.writeUInt32LE(ordinal, this.#length);
      }
    }
    const written = this.#endRecord(start, Kind.Order, 0, 0);
    this.#endBlock();
    return written;
  }

  /**
   * Copies a record as it is.
   *
   * @param supersedes - the hash of its key where there may be an older one; `'everything'` for a clear
   */
  copy(
    from: Buffer,
    start: number,
    length: number,
    supersedes: number | 'everything' | undefined,
  ): Written {
    this.#makeBlock(length);
    this.#reserve(length);
    from.copy(this.#bytes, this.#length, start, start + length);
    this.#length += length;
    if (supersedes === 'everything') this.#everything = true;
    else if (supersedes !== undefined) this.#hashes.push(supersedes);
    return { ordinal: this.#ordinal++, length };
  }

  /** Ends the last block, and gives what there is to append and the tail of the log after it. */
  finish(): { readonly bytes: Buffer; readonly tail: LogTail } {
    this.#endBlock();
    const tail: LogTail = {
      seq: this.#seq,
      ordinal: this.#ordinal,
      supersededBefore: this.#supersededBefore,
      recent: this.#recent.clone(),
    };
    return { bytes: this.#bytes.subarray(0, this.#length), tail };
  }

  /** Begins anew after `finish`, in the same memory. */
  restart(): void {
    this.#length = 0;
  }

  /** Sees to it that there is a block with room for a record of about this length. */
  #makeBlock(length: number): void {
    if (this.#block >= 0) {
      const body = this.#length - this.#block - BLOCK_HEADER_LENGTH;
      if (body + length <= BODY_LENGTH && this.#hashes.length < MOST_SUPERSEDED) return;
      this.#endBlock();
    }
    this.#reserve(BLOCK_HEADER_LENGTH);
    this.#block = this.#length;
    this.#length += BLOCK_HEADER_LENGTH;
    this.#firstOrdinal = this.#ordinal;
  }

  #endBlock(): void {
    if (this.#block < 0) return;
    const start = this.#block;
    if (this.#ordinal === this.#firstOrdinal) {
      // What should have stood in it could not be written.
      this.#length = start;
      this.#block = -1;
      return;
    }
    const body = this.#bytes.subarray(start + BLOCK_HEADER_LENGTH, this.#length);
    const own: SupersededList = {
      seq: this.#seq,
      firstOrdinal: this.#firstOrdinal,
      everything: this.#everything,
      hashes: this.#everything ? [] : this.#hashes,
    };
    const section = encodeLists([...this.#recent.lists, own], this.#seq);
    const header: BlockHeader = {
      seq: this.#seq,
      reach: this.#recent.reachFrom(this.#seq),
      supersededBefore: this.#supersededBefore,
      sectionLength: section.length,
      bodyLength: body.length,
      records: this.#ordinal - this.#firstOrdinal,
      firstOrdinal: this.#firstOrdinal,
      sectionCrc: crc32(section),
      bodyCrc: crc32(body),
      time: this.#clock.time,
    };
    this.#reserve(section.length);
    this.#bytes.set(section, this.#length);
    this.#length += section.length;
    writeBlockHeader(this.#bytes, start, this.#fileId, header);
    this.#recent.add(own, blockLength(header));
    if (own.everything || own.hashes.length > 0) this.#supersededBefore = this.#seq + 1;
    this.#seq++;
    this.#block = -1;
    this.#everything = false;
    this.#hashes = [];
  }

  #endRecord(start: number, kind: number, flags: number, tags: number): Written {
    const bytes = this.#bytes;
    const length = this.#length - start;
    bytes.writeUInt32LE(length, start);
    bytes[start + 4] = kind;
    bytes[start + 5] = flags;
    bytes.writeUInt16LE(tags, start + 6);
    return { ordinal: this.#ordinal++, length };
  }

  /** @returns the flags that the key needs */
  #key(key: string, start: number, supersedes: boolean): number {
    const at = this.#length;
    let flags = 0;
    let length = this.#bytes.write(key, at, 'utf8');
    if (length !== key.length && needsUtf16(key)) {
      length = this.#bytes.write(key, at, 'utf16le');
      flags = Flag.Utf16;
    }
    this.#bytes.writeUInt32LE(length, start + 8);
    this.#length = at + length;
    if (supersedes) this.#hashes.push(hashOf(this.#bytes.subarray(at, this.#length)));
    return flags;
  }

  #tag(tag: string): void {
    const isUtf16 = needsUtf16(tag);
    const start = this.#length + 4;
    const length = this.#bytes.write(tag, start, isUtf16 ? 'utf16le' : 'utf8');
    this.#bytes.writeUInt32LE(isUtf16 ? (length | TAG_UTF16) >>> 0 : length, this.#length);
    this.#length = start + length;
  }

  #f64(value: number): void {
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
