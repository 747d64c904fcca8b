import type { Archive } from '@acache/core';
import { bytesOfKey, hashOfKey, isKeyAt, keyBytesIn, textOfKey } from './key-bytes.js';
import { slotAmong, type Column } from './key-table.js';
import { freshUntilOf, TAGS_AT, windowsOf } from './record.js';
import { RestoredEntry, type RecordBytes } from './restored-entry.js';

/** Where the records of a file lie that was read. Slots are those of the index when it was. */
export interface RecordPlaces {
  readonly chunks: readonly (RecordBytes | undefined)[];
  /** By slot. */
  readonly chunkOf: Column;
  readonly startOf: Column;
  /** Where slots stand by the hashes of their keys. */
  readonly cells: Column;
  /** How many slots there are. */
  readonly slots: number;
}

/**
 * The entries that a file held when it was opened, to be looked up in what was read of it. What is
 * written later changes nothing here.
 */
export class FileArchive implements Archive {
  readonly length: number;
  readonly #places: RecordPlaces;
  /** By position. */
  readonly #slots: Column;
  /** 1 + position, by slot; 0 for a slot that was not put back. */
  readonly #positions: Column;
  /** Milliseconds by which the instants of the records are ahead of the clock. */
  readonly #ahead: number;
  /** By position, where it is more than that. */
  readonly #further = new Map<number, number>();
  #count = 0;

  constructor(places: RecordPlaces, length: number, ahead: number) {
    this.#places = places;
    this.length = length;
    this.#ahead = ahead;
    this.#slots = new Uint32Array(length);
    this.#positions = new Uint32Array(places.slots);
  }

  /**
   * Gives the record of a slot the next position.
   *
   * @param further - milliseconds by which it is further ahead than the others
   */
  append(slot: number, further: number): number {
    const position = this.#count++;
    this.#slots[position] = slot;
    this.#positions[slot] = position + 1;
    if (further > 0) this.#further.set(position, further);
    return position;
  }

  find(key: string): number {
    const sought = bytesOfKey(key);
    const slot = slotAmong(this.#places.cells, hashOfKey(sought), (slot) => {
      // A chunk is let go of when nothing in it was put back.
      const record = this.#recordIn(slot);
      if (record === undefined) return false;
      const { bytes, view } = record;
      const found = keyBytesIn(bytes, view, this.#places.startOf[slot] as number);
      return found.word === sought.word && isKeyAt(sought, bytes, found.start);
    });
    return slot < 0 ? -1 : (this.#positions[slot] as number) - 1;
  }

  keyAt(position: number): string {
    const { bytes, view } = this.#recordAt(position);
    return textOfKey(keyBytesIn(bytes, view, this.#startAt(position)));
  }

  entryAt(position: number): RestoredEntry {
    const record = this.#recordAt(position);
    return new RestoredEntry(record, this.#startAt(position), this.#aheadAt(position));
  }

  diesAt(position: number): number {
    const { bytes, view } = this.#recordAt(position);
    const at = this.#startAt(position);
    const freshUntil = freshUntilOf(view, at);
    if (freshUntil === Infinity) return Infinity;
    const end = freshUntil - this.#aheadAt(position);
    const window = Math.max(windowsOf(bytes, view, at, 0), windowsOf(bytes, view, at, 8));
    return Math.max(0, end + window);
  }

  isTagged(position: number): boolean {
    return this.#recordAt(position).view.getUint16(this.#startAt(position) + TAGS_AT, true) > 0;
  }

  /** The slot that its record had in the index. */
  slotAt(position: number): number {
    return this.#slots[position] as number;
  }

  #aheadAt(position: number): number {
    if (this.#further.size === 0) return this.#ahead;
    return this.#ahead + (this.#further.get(position) ?? 0);
  }

  #startAt(position: number): number {
    return this.#places.startOf[this.#slots[position] as number] as number;
  }

  #recordAt(position: number): RecordBytes {
    return this.#recordIn(this.#slots[position] as number) as RecordBytes;
  }

  #recordIn(slot: number): RecordBytes | undefined {
    const { chunks, chunkOf } = this.#places;
    return chunks[chunkOf[slot] as number];
  }
}
