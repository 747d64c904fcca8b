import { WindowTinyLfu, type Admission } from './window-tiny-lfu.js';

/** A cache of hashes, to find out how often one with such a window would have served. */
export class ShadowCache {
  readonly window: number;
  /** Better when higher: hits, of which older ones count less. */
  score = 0;
  hits = 0;
  readonly #lists: WindowTinyLfu;
  readonly #slots = new Map<number, number>();
  readonly #hashes: Uint32Array;
  readonly #capacity: number;
  #free = 0;

  constructor(admission: Omit<Admission, 'hashOf'>, window: number, capacity: number) {
    this.window = window;
    this.#hashes = new Uint32Array(capacity + 1);
    this.#capacity = capacity;
    const { sketch, random } = admission;
    const hashOf = (slot: number): number => this.#hashes[slot] as number;
    this.#lists = new WindowTinyLfu({ sketch, random, hashOf }, window, capacity);
  }

  access(hash: number): void {
    let slot = this.#slots.get(hash);
    if (slot !== undefined) {
      this.hits++;
      this.#lists.use(slot);
      return;
    }
    slot = this.#free;
    this.#slots.set(hash, slot);
    this.#hashes[slot] = hash;
    this.#lists.add(slot);
    this.#free = this.#slots.size > this.#capacity ? this.#evict() : slot + 1;
  }

  /** @returns the slot that is free then */
  #evict(): number {
    const victim = this.#lists.victim();
    this.#lists.remove(victim);
    this.#slots.delete(this.#hashes[victim] as number);
    return victim;
  }
}
