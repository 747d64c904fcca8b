import { bytesOfKey, hashOfKey, type KeyBytes } from './key-bytes.js';
import { KeyTable, withRoomFor, type Column } from './key-table.js';

const NONE = 0xffff_ffff;

/** The records of a new file while it is written beside the running one. */
export class Move {
  /** By new ordinal: 1 + slot of the key. */
  slots: Column = new Uint32Array(1024);
  count = 0;

  /** A record was copied. */
  note(ordinal: number, slot: number): void {
    this.skipTo(ordinal + 1);
    this.slots[ordinal] = slot + 1;
  }

  /** The new file has so many records. */
  skipTo(count: number): void {
    if (count <= this.count) return;
    this.count = count;
    this.slots = withRoomFor(this.slots, count);
  }
}

/**
 * Knows of each key which record in the file is its newest one: what counts there, and nothing else,
 * is what compaction must keep. What memory holds and has not written yet is not known here.
 */
export class RecordIndex {
  readonly #keys = new KeyTable();
  /** By slot. A length of 0 is a slot that is free. */
  #ordinals: Column = new Uint32Array(1024);
  #lengths: Column = new Uint32Array(1024);
  /** Grows with each use that the file knows of. */
  #used = new Float64Array(1024);
  /** By ordinal: 1 + slot of the key whose newest record it is; 0 for one that is superseded. */
  #slotAt: Column = new Uint32Array(1024);
  #slots = 0;
  #free: number[] = [];
  /** Slots that must not be used anew while records of their old keys are being moved. */
  #freeLater: number[] = [];
  /** Files that are being written beside the running one. */
  #moves = 0;
  #clock = 0;
  #liveBytes = 0;

  /** Keys. */
  get size(): number {
    return this.#keys.size;
  }

  /** Bytes of the records that count. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** How many slots there are, free ones included. */
  get slots(): number {
    return this.#slots;
  }

  /** The slot of a key; -1 where the file has no record of it that counts. */
  slotOf(key: string): number {
    return this.#keys.find(key);
  }

  /** The key in a slot that is not free. */
  keyOf(slot: number): string {
    return this.#keys.keyOf(slot);
  }

  /** The bytes of the key in a slot that is not free; they are good until something is put. */
  keyBytesOf(slot: number): KeyBytes {
    return this.#keys.bytesOf(slot);
  }

  /** Where the slots of keys stand by the hashes of these, as it is now. */
  cells(): Column {
    return this.#keys.cells();
  }

  has(key: string): boolean {
    return this.#keys.find(key) >= 0;
  }

  ordinalOf(slot: number): number {
    return this.#ordinals[slot] as number;
  }

  lengthOf(slot: number): number {
    return this.#lengths[slot] as number;
  }

  /** When the file says it was used last, for comparison with others. */
  usedAt(slot: number): number {
    return this.#used[slot] as number;
  }

  /** The slot of the key of which this is the newest record; -1 where there is a newer one. */
  slotAt(ordinal: number): number {
    return (this.#slotAt[ordinal] ?? 0) - 1;
  }

  /** The newest record of a key was written. */
  put(key: string, ordinal: number, length: number): number {
    return this.putBytes(bytesOfKey(key), ordinal, length);
  }

  /** The same, for a key that was read. */
  putBytes(key: KeyBytes, ordinal: number, length: number): number {
    const hash = hashOfKey(key);
    let slot = this.#keys.findBytes(key, hash);
    if (slot < 0) {
      slot = this.#free.pop() ?? this.#newSlot();
      this.#keys.add(key, slot, hash);
    } else {
      this.#slotAt[this.#ordinals[slot] as number] = 0;
      this.#liveBytes -= this.#lengths[slot] as number;
    }
    this.#slotAt = withRoomFor(this.#slotAt, ordinal);
    this.#slotAt[ordinal] = slot + 1;
    this.#ordinals[slot] = ordinal;
    this.#lengths[slot] = length;
    this.#used[slot] = ++this.#clock;
    this.#liveBytes += length;
    return slot;
  }

  remove(key: string): void {
    this.removeBytes(bytesOfKey(key));
  }

  /** The same, for a key that was read. */
  removeBytes(key: KeyBytes): void {
    const slot = this.#keys.findBytes(key);
    if (slot < 0) return;
    this.#keys.remove(slot);
    this.#liveBytes -= this.#lengths[slot] as number;
    this.#slotAt[this.#ordinals[slot] as number] = 0;
    this.#lengths[slot] = 0;
    (this.#moves > 0 ? this.#freeLater : this.#free).push(slot);
  }

  clear(): void {
    this.#keys.clear();
    this.#slotAt = new Uint32Array(1024);
    if (this.#moves === 0) {
      this.#slots = 0;
      this.#free = [];
    } else {
      for (let slot = 0; slot < this.#slots; slot++) {
        if (this.#lengths[slot] !== 0) this.#freeLater.push(slot);
      }
    }
    this.#lengths.fill(0, 0, this.#slots);
    this.#liveBytes = 0;
  }

  /** The file says that this was used after all else. */
  use(slot: number): void {
    this.#used[slot] = ++this.#clock;
  }

  /**
   * Slots in the order of use that the file tells: first what an order record does not name though it is
   * older, then what it names, then what is newer.
   *
   * @param order - the ordinals that it names
   * @param orderOrdinal - its own ordinal
   */
  *inOrder(order: Uint32Array, orderOrdinal: number, end: number): Generator<number> {
    const named = new Uint8Array(this.#slots);
    for (const ordinal of order) {
      const slot = this.slotAt(ordinal);
      if (slot >= 0) named[slot] = 1;
    }
    for (let ordinal = 0; ordinal < orderOrdinal; ordinal++) {
      const slot = this.slotAt(ordinal);
      if (slot >= 0 && named[slot] === 0) yield slot;
    }
    for (const ordinal of order) {
      const slot = this.slotAt(ordinal);
      if (slot < 0 || named[slot] !== 1) continue;
      named[slot] = 2;
      yield slot;
    }
    for (let ordinal = orderOrdinal; ordinal < end; ordinal++) {
      const slot = this.slotAt(ordinal);
      if (slot >= 0 && named[slot] !== 2) yield slot;
    }
  }

  /** All slots, least recently used first as far as the file knows. */
  slotsByUse(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#slots; slot++) if (this.#lengths[slot] !== 0) slots.push(slot);
    return slots.sort((a, b) => this.usedAt(a) - this.usedAt(b));
  }

  /** From here on records are copied to a new file, up to `finishMove` or `abandonMove`. */
  beginMove(): Move {
    this.#moves++;
    return new Move();
  }

  abandonMove(): void {
    this.#endMove();
  }

  /**
   * Whether every key's newest record was copied: a new file for which this is not so must not replace
   * the old one.
   *
   * @param dropped - slots that are to be forgotten
   */
  isComplete(move: Move, dropped: number): boolean {
    const seen = new Uint8Array(this.#slots);
    let found = 0;
    for (let ordinal = 0; ordinal < move.count; ordinal++) {
      const slot = (move.slots[ordinal] as number) - 1;
      if (slot < 0 || seen[slot] === 1 || this.#lengths[slot] === 0) continue;
      seen[slot] = 1;
      found++;
    }
    return found === this.size - dropped;
  }

  /** The new file is the file. */
  finishMove(move: Move): void {
    const { slots, count } = move;
    const ordinals = this.#ordinals;
    ordinals.fill(NONE, 0, this.#slots);
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const slot = (slots[ordinal] as number) - 1;
      if (slot < 0) continue;
      if (this.#lengths[slot] === 0) {
        slots[ordinal] = 0;
        continue;
      }
      const older = ordinals[slot] as number;
      if (older !== NONE) slots[older] = 0;
      ordinals[slot] = ordinal;
    }
    this.#slotAt = slots;
    this.#endMove();
  }

  #endMove(): void {
    if (--this.#moves > 0) return;
    for (const slot of this.#freeLater) this.#free.push(slot);
    this.#freeLater = [];
  }

  #newSlot(): number {
    const slot = this.#slots++;
    this.#ordinals = withRoomFor(this.#ordinals, slot);
    this.#lengths = withRoomFor(this.#lengths, slot);
    if (slot >= this.#used.length) {
      const larger = new Float64Array(2 * this.#used.length);
      larger.set(this.#used);
      this.#used = larger;
    }
    return slot;
  }
}
