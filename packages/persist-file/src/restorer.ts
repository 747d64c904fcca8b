import type { PersistenceHost, Serializer } from '@acache/core';
import { FileArchive } from './file-archive.js';
import type { FileClock } from './file-clock.js';
import type { FoundBlock } from './log-reader.js';
import type { Drops } from './lost-blocks.js';
import type { PendingChanges } from './pending-changes.js';
import { createdAtOf, FIXED_LENGTH, isDead, Kind, KIND_AT } from './record.js';
import { keyBytesIn, lengthOfKey } from './key-bytes.js';
import { withRoomFor, type Column } from './key-table.js';
import type { RecordIndex } from './record-index.js';
import type { RecordBytes } from './restored-entry.js';
import { hashOf } from './superseded.js';
import { Turns } from './turns.js';

/** Bytes that are copied together out of chunks of which little is needed. */
const SLAB = 1024 * 1024;
const NO_ORDER = new Uint32Array(0);

interface Chunk extends RecordBytes {
  /** Bytes of records that count. */
  live: number;
}

/** What became of the entries of a file. */
export interface Restored {
  /** Those that were put back. */
  readonly archive: FileArchive;
  /** How many are dead. */
  readonly dead: number;
}

/** Collects the records of a file while it is read, and hands them to the cache afterwards. */
export class Restorer {
  readonly #index: RecordIndex;
  readonly #serializer: Serializer;
  readonly #chunks: (Chunk | undefined)[] = [];
  /** By slot: its chunk, and where the record is in it. */
  #chunkOf: Column = new Uint32Array(1024);
  #startOf: Column = new Uint32Array(1024);
  #order: Uint32Array = NO_ORDER;
  #orderOrdinal = 0;
  #end = 0;
  /** The chunk that records are copied to, and how much of it is taken. */
  #slab = -1;
  #slabUsed = 0;

  constructor(index: RecordIndex, serializer: Serializer) {
    this.#index = index;
    this.#serializer = serializer;
  }

  /** Takes in the records of a block, which are newer than those of all blocks before. */
  visit({ header, bytes, view, bodyAt }: FoundBlock): void {
    const index = this.#index;
    if (this.#chunks.at(-1)?.bytes !== bytes) this.#addChunk(bytes, view);
    const chunk = this.#chunks.length - 1;
    let at = bodyAt;
    let ordinal = header.firstOrdinal;
    for (const end = ordinal + header.records; ordinal < end; ordinal++) {
      const length = view.getUint32(at, true);
      const kind = bytes[at + KIND_AT];
      if (kind === Kind.Set) {
        const slot = index.putBytes(keyBytesIn(bytes, view, at), ordinal, length);
        this.#chunkOf = withRoomFor(this.#chunkOf, slot);
        this.#startOf = withRoomFor(this.#startOf, slot);
        this.#chunkOf[slot] = chunk;
        this.#startOf[slot] = at;
      } else if (kind === Kind.Delete) {
        index.removeBytes(keyBytesIn(bytes, view, at));
      } else if (kind === Kind.Clear) {
        index.clear();
      } else {
        this.#orderOrdinal = ordinal;
        this.#order = ordinalsOf(bytes.subarray(at + FIXED_LENGTH, at + length));
      }
      at += length;
    }
    this.#end = ordinal;
  }

  /**
   * Takes out what must not count.
   *
   * @returns how many entries that were
   */
  async drop({ before, hashes }: Drops): Promise<number> {
    if (before === 0 && hashes.size === 0) return 0;
    const index = this.#index;
    const turns = new Turns();
    const dropped: string[] = [];
    for (let slot = 0; slot < index.slots; slot++) {
      if (index.lengthOf(slot) === 0) continue;
      const ordinal = index.ordinalOf(slot);
      if (ordinal < before || this.#isListed(slot, hashes)) dropped.push(index.keyOf(slot));
      if (slot % 256 === 0 && turns.isOver) await turns.pass();
    }
    for (const key of dropped) index.remove(key);
    return dropped.length;
  }

  /**
   * Hands every entry to the cache that is not dead, least recently used first.
   *
   * @param clock - the time of the file
   * @param changes - what was told meanwhile, which is newer; what must be changed in the file is added
   * @param isClosing - stops when it says so
   */
  async restore(
    host: PersistenceHost,
    clock: FileClock,
    changes: PendingChanges,
    isClosing: () => boolean,
  ): Promise<Restored> {
    const index = this.#index;
    const turns = new Turns();
    const archive = await this.#archive(clock.ahead, turns);
    const gone: string[] = [];
    let dead = 0;
    let now = clock.now();
    let count = 0;
    for (const slot of index.inOrder(this.#order, this.#orderOrdinal, this.#end)) {
      if (++count % 64 === 0 && turns.isOver) {
        await turns.pass();
        if (isClosing()) return { archive, dead };
        now = clock.now();
      }
      // The file's own order, even where nothing is restored: it is compared with the cache's at the end.
      index.use(slot);
      if (!changes.isEmpty && changes.knows(index.keyOf(slot))) continue;
      const { bytes, view } = this.#chunks[this.#chunkOf[slot] as number] as Chunk;
      const at = this.#startOf[slot] as number;
      if (isDead(bytes, view, at, now)) {
        if (++dead <= MOST_TOMBSTONES) gone.push(index.keyOf(slot));
        continue;
      }
      // What is from the future even so, another's clock has stored.
      const early = Math.max(0, createdAtOf(view, at) - now);
      const position = archive.append(slot, early);
      // Written so, or each restart would give it its whole life again.
      if (early > 0) changes.set(archive.keyAt(position), archive.entryAt(position));
      if (host.restoreFrom !== undefined) host.restoreFrom(archive, position);
      else host.restore(archive.keyAt(position), archive.entryAt(position));
    }
    if (dead <= MOST_TOMBSTONES) for (const key of gone) changes.delete(key);
    return { archive, dead };
  }

  /** An archive of what was read, in which no few values keep the memory of a whole chunk alive. */
  async #archive(ahead: number, turns: Turns): Promise<FileArchive> {
    const index = this.#index;
    const { slots } = index;
    for (let slot = 0; slot < slots; slot++) {
      const chunk = this.#chunks[this.#chunkOf[slot] as number];
      if (chunk !== undefined) chunk.live += index.lengthOf(slot);
      if (slot % 4096 === 0 && turns.isOver) await turns.pass();
    }
    const isSparse = this.#chunks.map((chunk) => {
      return chunk !== undefined && chunk.live * 2 < chunk.bytes.length;
    });
    if (isSparse.includes(true)) {
      for (let slot = 0; slot < slots; slot++) {
        const length = index.lengthOf(slot);
        if (length > 0 && isSparse[this.#chunkOf[slot] as number] === true)
          this.#copy(slot, length);
        if (slot % 256 === 0 && turns.isOver) await turns.pass();
      }
      isSparse.forEach((is, chunk) => {
        if (is) this.#chunks[chunk] = undefined;
      });
    }
    const places = {
      chunks: this.#chunks,
      chunkOf: this.#chunkOf,
      startOf: this.#startOf,
      cells: index.cells(),
      slots,
    };
    return new FileArchive(places, index.size, ahead);
  }

  #addChunk(bytes: Buffer, view: DataView): void {
    this.#chunks.push({ bytes, view, serializer: this.#serializer, live: 0 });
  }

  #copy(slot: number, length: number): void {
    const { bytes } = this.#chunks[this.#chunkOf[slot] as number] as Chunk;
    const at = this.#startOf[slot] as number;
    const slab = this.#slabWith(length);
    bytes.copy(slab, this.#slabUsed, at, at + length);
    this.#chunkOf[slot] = this.#slab;
    this.#startOf[slot] = this.#slabUsed;
    this.#slabUsed += length;
  }

  #slabWith(room: number): Buffer {
    const slab = this.#chunks[this.#slab]?.bytes;
    if (slab !== undefined && this.#slabUsed + room <= slab.length) return slab;
    const bytes = Buffer.allocUnsafeSlow(Math.max(room, Math.min(SLAB, this.#index.liveBytes)));
    this.#slab = this.#chunks.length;
    this.#slabUsed = 0;
    this.#addChunk(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return bytes;
  }

  #isListed(slot: number, hashes: Drops['hashes']): boolean {
    if (hashes.size === 0) return false;
    const { bytes, start, word } = this.#index.keyBytesOf(slot);
    const hash = hashOf(bytes.subarray(start, start + lengthOfKey(word)));
    return this.#index.ordinalOf(slot) < (hashes.get(hash) ?? 0);
  }
}

/** So many dead entries are ended one by one; for more the file is rewritten. */
export const MOST_TOMBSTONES = 10_000;

function ordinalsOf(bytes: Buffer): Uint32Array {
  const ordinals = new Uint32Array(bytes.length >>> 2);
  for (let index = 0; index < ordinals.length; index++) {
    ordinals[index] = bytes.readUInt32LE(4 * index);
  }
  return ordinals;
}
