import { idOfWireKey, wireKeyOf, type KeyId } from './cache-key.js';
import { isEntry, type Entry } from './entry.js';
import type { Archive } from './persistence.js';

/**
 * Which slots stand for entries that still lie in the archive of an earlier process. They are in no
 * `Map`, and no object was made for them: a start may put back a million.
 */
export class ArchivedEntries<V> {
  readonly archive: Archive<V>;
  /** By position; 0 for an entry that is not in memory, or no longer as it lies there. */
  readonly #slots: Uint32Array;
  #count = 0;

  constructor(archive: Archive<V>) {
    this.archive = archive;
    this.#slots = new Uint32Array(archive.length);
  }

  get count(): number {
    return this.#count;
  }

  slotOf(id: KeyId): number | undefined {
    // A symbol was never kept.
    if (typeof id === 'symbol') return undefined;
    const position = this.archive.find(wireKeyOf(id));
    if (position < 0) return undefined;
    const slot = this.#slots[position] ?? 0;
    return slot === 0 ? undefined : slot;
  }

  /** Those of all entries that still lie there. */
  *slots(): Generator<number> {
    for (const slot of this.#slots) if (slot !== 0) yield slot;
  }

  place(position: number, slot: number): void {
    this.#slots[position] = slot;
    this.#count++;
  }

  /** An entry is gone, or has become one like others. */
  take(position: number): void {
    this.#slots[position] = 0;
    this.#count--;
  }

  idAt(position: number): KeyId {
    return idOfWireKey(this.archive.keyAt(position));
  }

  /** The entry as memory may hold it; one that is none is dead, and its value throws. */
  entryAt(position: number): Entry<V> {
    const entry = this.archive.entryAt(position);
    return isEntry(entry) ? entry : NO_ENTRY;
  }
}

const NO_ENTRY: Entry<never> = {
  createdAt: 0,
  freshUntil: 0,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  tags: [],
  get value(): never {
    throw new TypeError('what was restored is no entry');
  },
};
