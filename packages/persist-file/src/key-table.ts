import {
  bytesOfKey,
  hashOfKey,
  isKeyAt,
  lengthOfKey,
  textOfKey,
  type KeyBytes,
} from './key-bytes.js';

/** Whole numbers by slot or by ordinal. */
export type Column = Uint32Array<ArrayBuffer>;

/**
 * Leads from keys to slots, which are small whole numbers. It has no object for a key, only its bytes: a
 * `Map` takes several times as long to fill with a million keys, and stops the process for tens of
 * milliseconds each time it grows.
 */
export class KeyTable {
  #cells: Column = new Uint32Array(4096);
  /** By slot. */
  #starts: Column = new Uint32Array(1024);
  #words: Column = new Uint32Array(1024);
  /** 1 for a slot that has a key. */
  #isTaken = new Uint8Array(1024);
  /** Above all slots that were ever taken. */
  #slots = 0;
  #bytes = Buffer.allocUnsafeSlow(16_384);
  #end = 0;
  /** Bytes of keys that are gone. */
  #gone = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The slot of a key; -1 where it has none. */
  find(key: string): number {
    return this.findBytes(bytesOfKey(key));
  }

  findBytes(key: KeyBytes, hash = hashOfKey(key)): number {
    const cells = this.#cells;
    const mask = cells.length - 1;
    for (let at = (2 * hash) & mask; ; at = (at + 2) & mask) {
      const slot = (cells[at] as number) - 1;
      if (slot < 0) return -1;
      if (cells[at + 1] !== hash || this.#words[slot] !== key.word) continue;
      if (isKeyAt(key, this.#bytes, this.#starts[slot] as number)) return slot;
    }
  }

  /** Gives a key that has none a slot that no other key has. */
  add(key: KeyBytes, slot: number, hash = hashOfKey(key)): void {
    if (4 * ++this.#size > this.#cells.length) this.#grow();
    this.#starts = withRoomFor(this.#starts, slot);
    this.#words = withRoomFor(this.#words, slot);
    if (slot >= this.#isTaken.length) this.#isTaken = grown(this.#isTaken, this.#words.length);
    const length = lengthOfKey(key.word);
    if (this.#end + length > this.#bytes.length) this.#makeRoom(length);
    this.#slots = Math.max(this.#slots, slot + 1);
    this.#isTaken[slot] = 1;
    this.#words[slot] = key.word;
    this.#starts[slot] = this.#end;
    for (let at = 0; at < length; at++) {
      this.#bytes[this.#end++] = key.bytes[key.start + at] as number;
    }
    place(this.#cells, hash, slot);
  }

  /** The key in a slot that has one. */
  keyOf(slot: number): string {
    return textOfKey(this.bytesOf(slot));
  }

  /** The bytes of the key in a slot that has one; they are good until a key is added. */
  bytesOf(slot: number): KeyBytes {
    const start = this.#starts[slot] as number;
    return { bytes: this.#bytes, start, word: this.#words[slot] as number };
  }

  /** Where the slots of keys stand by their hashes, as it is now. */
  cells(): Column {
    return this.#cells.slice();
  }

  remove(slot: number): void {
    const cells = this.#cells;
    const mask = cells.length - 1;
    let free = (2 * hashOfKey(this.bytesOf(slot))) & mask;
    while (cells[free] !== slot + 1) free = (free + 2) & mask;
    // What stands behind it moves up where it may, so that every key is found from its own place on.
    for (let at = (free + 2) & mask; cells[at] !== 0; at = (at + 2) & mask) {
      const home = (2 * (cells[at + 1] as number)) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      cells[free] = cells[at] as number;
      cells[free + 1] = cells[at + 1] as number;
      free = at;
    }
    cells[free] = 0;
    this.#isTaken[slot] = 0;
    this.#gone += lengthOfKey(this.#words[slot] as number);
    this.#size--;
  }

  clear(): void {
    this.#cells = new Uint32Array(4096);
    this.#isTaken = new Uint8Array(1024);
    this.#bytes = Buffer.allocUnsafeSlow(16_384);
    this.#slots = this.#end = this.#gone = this.#size = 0;
  }

  #grow(): void {
    const larger: Column = new Uint32Array(4 * this.#cells.length);
    const cells = this.#cells;
    for (let at = 0; at < cells.length; at += 2) {
      if (cells[at] !== 0) place(larger, cells[at + 1] as number, (cells[at] as number) - 1);
    }
    this.#cells = larger;
  }

  /** Makes room for the bytes of a key; what is left of keys that are gone goes. */
  #makeRoom(length: number): void {
    const from = this.#bytes;
    const to = Buffer.allocUnsafeSlow(2 * (this.#end - this.#gone + length));
    this.#bytes = to;
    if (this.#gone === 0) {
      from.copy(to, 0, 0, this.#end);
      return;
    }
    let end = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#isTaken[slot] === 0) continue;
      const start = this.#starts[slot] as number;
      const after = start + lengthOfKey(this.#words[slot] as number);
      this.#starts[slot] = end;
      for (let at = start; at < after; at++) to[end++] = from[at] as number;
    }
    this.#end = end;
    this.#gone = 0;
  }
}

/** A column that is long enough for `index`; the same where it is. */
export function withRoomFor(column: Column, index: number): Column {
  if (index < column.length) return column;
  const larger = new Uint32Array(Math.max(2 * column.length, index + 1));
  larger.set(column);
  return larger;
}

/*
 * Cells: 1 + slot where twice the hash of its key points or at the next free place after it, and behind
 * it the hash; 0 for a free place.
 */

/** The slot of a key among cells that were taken down; `isAt` says whether a slot has the key. */
export function slotAmong(cells: Column, hash: number, isAt: (slot: number) => boolean): number {
  const mask = cells.length - 1;
  for (let at = (2 * hash) & mask; ; at = (at + 2) & mask) {
    const slot = (cells[at] as number) - 1;
    if (slot < 0 || (cells[at + 1] === hash && isAt(slot))) return slot;
  }
}

function grown(from: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length);
  larger.set(from);
  return larger;
}

function place(cells: Column, hash: number, slot: number): void {
  const mask = cells.length - 1;
  let at = (2 * hash) & mask;
  while (cells[at] !== 0) at = (at + 2) & mask;
  cells[at] = slot + 1;
  cells[at + 1] = hash;
}
