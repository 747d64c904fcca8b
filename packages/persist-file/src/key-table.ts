import { randomBytes } from 'node:crypto';

/** Whole numbers by slot or by ordinal. */
export type Column = Uint32Array<ArrayBuffer>;

/** Drawn anew by each process, so that nobody can choose keys that meet in one place. */
const SEED = randomBytes(4).readUInt32LE(0);

/**
 * Leads from keys to slots, which are small whole numbers. A `Map` takes twice as long to fill with a
 * million keys, and stops the process for tens of milliseconds each time it grows.
 */
export class KeyTable {
  /** 1 + slot, where the hash of its key points or after; 0 for a free cell. */
  #cells: Column = new Uint32Array(2048);
  /** By slot. */
  #hashes: Column = new Uint32Array(1024);
  #keys: (string | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The slot of a key; -1 where it has none. */
  find(key: string): number {
    const hash = hashOf(key);
    const cells = this.#cells;
    const mask = cells.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (cells[at] as number) - 1;
      if (slot < 0) return -1;
      if (this.#hashes[slot] === hash && this.#keys[slot] === key) return slot;
    }
  }

  /** Gives a key that has none a slot that no other key has. */
  add(key: string, slot: number): void {
    if (2 * ++this.#size > this.#cells.length) this.#grow();
    const hash = hashOf(key);
    this.#hashes = withRoomFor(this.#hashes, slot);
    this.#hashes[slot] = hash;
    this.#keys[slot] = key;
    place(this.#cells, hash, slot);
  }

  /** The key in a slot. */
  keyOf(slot: number): string | undefined {
    return this.#keys[slot];
  }

  remove(slot: number): void {
    const cells = this.#cells;
    const mask = cells.length - 1;
    let free = (this.#hashes[slot] as number) & mask;
    while (cells[free] !== slot + 1) free = (free + 1) & mask;
    // What stands behind it moves up where it may, so that every key is found from its own place on.
    for (let at = (free + 1) & mask; ; at = (at + 1) & mask) {
      const next = (cells[at] as number) - 1;
      if (next < 0) break;
      const home = (this.#hashes[next] as number) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      cells[free] = next + 1;
      free = at;
    }
    cells[free] = 0;
    this.#keys[slot] = undefined;
    this.#size--;
  }

  clear(): void {
    this.#cells = new Uint32Array(2048);
    this.#keys = [];
    this.#size = 0;
  }

  #grow(): void {
    const larger: Column = new Uint32Array(4 * this.#cells.length);
    for (const cell of this.#cells) {
      if (cell !== 0) place(larger, this.#hashes[cell - 1] as number, cell - 1);
    }
    this.#cells = larger;
  }
}

/** A column that is long enough for `index`; the same where it is. */
export function withRoomFor(column: Column, index: number): Column {
  if (index < column.length) return column;
  const larger = new Uint32Array(Math.max(2 * column.length, index + 1));
  larger.set(column);
  return larger;
}

function place(cells: Column, hash: number, slot: number): void {
  const mask = cells.length - 1;
  let at = hash & mask;
  while (cells[at] !== 0) at = (at + 1) & mask;
  cells[at] = slot + 1;
}

function hashOf(key: string): number {
  let hash = SEED ^ key.length;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x5bd1_e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x85eb_ca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
