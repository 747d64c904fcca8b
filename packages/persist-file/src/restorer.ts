import type { EntryTimes, PersistenceHost, Serializer } from '@acache/core';
import type { FoundBlock } from './log-reader.js';
import type { Drops } from './lost-blocks.js';
import type { PendingChanges } from './pending-changes.js';
import {
  FIXED_LENGTH,
  isDead,
  keyOf,
  Kind,
  KIND_AT,
  tagsOf,
  timesOf,
  weightOf,
} from './record.js';
import { withRoomFor, type Column, type RecordIndex } from './record-index.js';
import { RestoredEntry } from './restored-entry.js';
import { hashOf } from './superseded.js';
import { needsUtf16 } from './text.js';
import { Turns } from './turns.js';

/** Bytes that are copied together out of chunks of which little is needed. */
const SLAB = 1024 * 1024;
const NO_ORDER = new Uint32Array(0);

interface Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes of records that count. */
  live: number;
}

/** Collects the records of a file while it is read, and hands them to the cache afterwards. */
export class Restorer {
  readonly #index: RecordIndex;
  readonly #serializer: Serializer;
  readonly #chunks: Chunk[] = [];
  /** By slot: the key, its chunk and where the record is in it. */
  readonly #keys: string[] = [];
  #chunkOf: Column = new Uint32Array(1024);
  #startOf: Column = new Uint32Array(1024);
  #order: Uint32Array = NO_ORDER;
  #orderOrdinal = 0;
  #end = 0;
  #slab = Buffer.alloc(0);
  #slabUsed = 0;

  constructor(index: RecordIndex, serializer: Serializer) {
    this.#index = index;
    this.#serializer = serializer;
  }

  /** Takes in the records of a block, which are newer than those of all blocks before. */
  visit({ header, bytes, view, bodyAt }: FoundBlock): void {
    const index = this.#index;
    if (this.#chunks.at(-1)?.bytes !== bytes) this.#chunks.push({ bytes, view, live: 0 });
    const chunk = this.#chunks.length - 1;
    let at = bodyAt;
    let ordinal = header.firstOrdinal;
    for (const end = ordinal + header.records; ordinal < end; ordinal++) {
      const length = view.getUint32(at, true);
      const kind = bytes[at + KIND_AT];
      if (kind === Kind.Set) {
        const key = keyOf(bytes, view, at);
        const slot = index.put(key, ordinal, length);
        this.#keys[slot] = key;
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
    for (const shard of index.shards()) {
      for (const [key, slot] of shard) {
        const ordinal = index.ordinalOf(slot);
        if (ordinal < before || isListed(key, ordinal, hashes)) dropped.push(key);
      }
      if (turns.isOver) await turns.pass();
    }
    for (const key of dropped) index.remove(key);
    return dropped.length;
  }

  /**
   * Hands every entry to the cache that is not dead, least recently used first.
   *
   * @param changes - what was told meanwhile, which is newer; what must be changed in the file is added
   * @param isClosing - stops when it says so
   * @returns how many entries are dead
   */
  async restore(
    host: PersistenceHost,
    changes: PendingChanges,
    isClosing: () => boolean,
  ): Promise<number> {
    const index = this.#index;
    const turns = new Turns();
    const dead: string[] = [];
    await this.#weighChunks(turns);
    let now = host.clock.now();
    let count = 0;
    for (const slot of index.inOrder(this.#order, this.#orderOrdinal, this.#end)) {
      if (++count % 64 === 0 && turns.isOver) {
        await turns.pass();
        if (isClosing()) return dead.length;
        now = host.clock.now();
      }
      // The file's own order, even where nothing is restored: it is compared with the cache's at the end.
      index.use(slot);
      const key = this.#keys[slot] as string;
      if (changes.knows(key)) continue;
      const { bytes, view } = this.#chunks[this.#chunkOf[slot] as number] as Chunk;
      const at = this.#startOf[slot] as number;
      if (isDead(bytes, view, at, now)) {
        dead.push(key);
        continue;
      }
      const times = timesOf(bytes, view, at);
      const entry = this.#entry(slot, clamped(times, now));
      // Written with the clamped times, or each restart would give it its whole life again.
      if (times.createdAt > now) changes.set(key, entry);
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

  #entry(slot: number, times: EntryTimes): RestoredEntry {
    const chunk = this.#chunks[this.#chunkOf[slot] as number] as Chunk;
    const { bytes, view } = chunk;
    const at = this.#startOf[slot] as number;
    const end = at + this.#index.lengthOf(slot);
    const { tags, end: start } = tagsOf(bytes, view, at);
    // Otherwise a few values would keep the memory of a whole chunk alive.
    const isSparse = chunk.live * 2 < bytes.length;
    const value = isSparse ? this.#copy(bytes, start, end) : { bytes, start, end };
    return new RestoredEntry(times, tags, weightOf(bytes, view, at), value, this.#serializer);
  }

  #copy(
    bytes: Buffer,
    from: number,
    to: number,
  ): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
    const length = to - from;
    if (length > this.#slab.length - this.#slabUsed) {
      if (length > SLAB / 4) {
        return { bytes: Buffer.from(bytes.subarray(from, to)), start: 0, end: length };
      }
      this.#slab = Buffer.allocUnsafeSlow(Math.min(SLAB, Math.max(length, this.#index.liveBytes)));
      this.#slabUsed = 0;
    }
    const start = this.#slabUsed;
    bytes.copy(this.#slab, start, from, to);
    this.#slabUsed += length;
    return { bytes: this.#slab, start, end: start + length };
  }
}

/** So many dead entries are ended one by one; for more the file is rewritten. */
export const MOST_TOMBSTONES = 10_000;

function isListed(key: string, ordinal: number, hashes: Drops['hashes']): boolean {
  if (hashes.size === 0) return false;
  const hash = hashOf(Buffer.from(key, needsUtf16(key) ? 'utf16le' : 'utf8'));
  return ordinal < (hashes.get(hash) ?? 0);
}

/** What seems to come from the future was stored by a clock that was ahead. */
function clamped(times: EntryTimes, now: number): EntryTimes {
  const ahead = times.createdAt - now;
  if (ahead <= 0) return times;
  return { ...times, createdAt: now, freshUntil: times.freshUntil - ahead };
}

function ordinalsOf(bytes: Buffer): Uint32Array {
  const ordinals = new Uint32Array(bytes.length >>> 2);
  for (let index = 0; index < ordinals.length; index++) {
    ordinals[index] = bytes.readUInt32LE(4 * index);
  }
  return ordinals;
}
