import type { PersistenceHost, Serializer } from '@acache/core';
import type { FileClock } from './file-clock.js';
import type { FoundBlock } from './log-reader.js';
import type { Drops } from './lost-blocks.js';
import type { PendingChanges } from './pending-changes.js';
import { createdAtOf, FIXED_LENGTH, isDead, keyOf, Kind, KIND_AT } from './record.js';
import { withRoomFor, type Column } from './key-table.js';
import type { RecordIndex } from './record-index.js';
import { RestoredEntry, type RecordBytes } from './restored-entry.js';
import { hashOf } from './superseded.js';
import { needsUtf16 } from './text.js';
import { Turns } from './turns.js';

/** Bytes that are copied together out of chunks of which little is needed. */
const SLAB = 1024 * 1024;
const NO_ORDER = new Uint32Array(0);

interface Chunk extends RecordBytes {
  /** Bytes of records that count. */
  live: number;
}

/** Collects the records of a file while it is read, and hands them to the cache afterwards. */
export class Restorer {
  readonly #index: RecordIndex;
  readonly #serializer: Serializer;
  readonly #chunks: Chunk[] = [];
  /** By slot: its chunk, and where the record is in it. */
  #chunkOf: Column = new Uint32Array(1024);
  #startOf: Column = new Uint32Array(1024);
  #order: Uint32Array = NO_ORDER;
  #orderOrdinal = 0;
  #end = 0;
  #slab: RecordBytes | undefined;
  #slabUsed = 0;

  constructor(index: RecordIndex, serializer: Serializer) {
    this.#index = index;
    this.#serializer = serializer;
  }

  /** Takes in the records of a block, which are newer than those of all blocks before. */
  visit({ header, bytes, view, bodyAt }: FoundBlock): void {
    const index = this.#index;
    if (this.#chunks.at(-1)?.bytes !== bytes) {
      this.#chunks.push({ bytes, view, serializer: this.#serializer, live: 0 });
    }
    const chunk = this.#chunks.length - 1;
    let at = bodyAt;
    let ordinal = header.firstOrdinal;
    for (const end = ordinal + header.records; ordinal < end; ordinal++) {
      const length = view.getUint32(at, true);
      const kind = bytes[at + KIND_AT];
      if (kind === Kind.Set) {
        const slot = index.put(keyOf(bytes, view, at), ordinal, length);
        this.#chunkOf = withRoomFor(this.#chunkOf, slot);
        this.#startOf = withRoomFor(this.#startOf, slot);
        this.#chunkOf[slot] = chunk;
        this.#startOf[slot] = at;
      } else if (kind === Kind.Delete) {
        index.remove(keyOf(bytes, view, at));
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
      const key = index.keyOf(slot);
      const ordinal = index.ordinalOf(slot);
      if (ordinal < before || isListed(key, ordinal, hashes)) dropped.push(key);
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
   * @returns how many entries are dead
   */
  async restore(
    host: PersistenceHost,
    clock: FileClock,
    changes: PendingChanges,
    isClosing: () => boolean,
  ): Promise<number> {
    const index = this.#index;
    const turns = new Turns();
    const dead: string[] = [];
    await this.#weighChunks(turns);
    let now = clock.now();
    let count = 0;
    for (const slot of index.inOrder(this.#order, this.#orderOrdinal, this.#end)) {
      if (++count % 64 === 0 && turns.isOver) {
        await turns.pass();
        if (isClosing()) return dead.length;
        now = clock.now();
      }
      // The file's own order, even where nothing is restored: it is compared with the cache's at the end.
      index.use(slot);
      const key = index.keyOf(slot);
      if (changes.knows(key)) continue;
      const chunk = this.#chunks[this.#chunkOf[slot] as number] as Chunk;
      const { bytes, view } = chunk;
      const at = this.#startOf[slot] as number;
      if (isDead(bytes, view, at, now)) {
        dead.push(key);
        continue;
      }
      // What is from the future even so, another's clock has stored.
      const early = Math.max(0, createdAtOf(view, at) - now);
      const ahead = clock.ahead + early;
      const length = index.lengthOf(slot);
      // Otherwise a few values would keep the memory of a whole chunk alive.
      const isSparse = chunk.live * 2 < bytes.length;
      const entry = isSparse
        ? this.#copied(bytes, at, length, ahead)
        : new RestoredEntry(chunk, at, length, ahead);
      // Written so, or each restart would give it its whole life again.
      if (early > 0) changes.set(key, entry);
      host.restore(key, entry);
    }
    if (dead.length <= MOST_TOMBSTONES) for (const key of dead) changes.delete(key);
    return dead.length;
  }

  /** Notes of each chunk how much of it counts. */
  async #weighChunks(turns: Turns): Promise<void> {
    const index = this.#index;
    for (let slot = 0; slot < index.slots; slot++) {
      const chunk = this.#chunks[this.#chunkOf[slot] as number];
      if (chunk !== undefined) chunk.live += index.lengthOf(slot);
      if (slot % 4096 === 0 && turns.isOver) await turns.pass();
    }
  }

  #copied(from: Buffer, at: number, length: number, ahead: number): RestoredEntry {
    const slab = this.#slabWith(length);
    const start = this.#slabUsed;
    from.copy(slab.bytes, start, at, at + length);
    this.#slabUsed += length;
    return new RestoredEntry(slab, start, length, ahead);
  }

  #slabWith(room: number): RecordBytes {
    if (this.#slab !== undefined && this.#slabUsed + room <= this.#slab.bytes.length) {
      return this.#slab;
    }
    const bytes = Buffer.allocUnsafeSlow(Math.max(room, Math.min(SLAB, this.#index.liveBytes)));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#slabUsed = 0;
    this.#slab = { bytes, view, serializer: this.#serializer };
    return this.#slab;
  }
}

/** So many dead entries are ended one by one; for more the file is rewritten. */
export const MOST_TOMBSTONES = 10_000;

function isListed(key: string, ordinal: number, hashes: Drops['hashes']): boolean {
  if (hashes.size === 0) return false;
  const hash = hashOf(Buffer.from(key, needsUtf16(key) ? 'utf16le' : 'utf8'));
  return ordinal < (hashes.get(hash) ?? 0);
}

function ordinalsOf(bytes: Buffer): Uint32Array {
  const ordinals = new Uint32Array(bytes.length >>> 2);
  for (let index = 0; index < ordinals.length; index++) {
    ordinals[index] = bytes.readUInt32LE(4 * index);
  }
  return ordinals;
}
