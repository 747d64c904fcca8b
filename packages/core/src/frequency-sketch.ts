import { uint32Column } from './column.js';
// Once, since a test runner looks globals up slowly.
const { imul, min } = Math;

/** Entries for which one block of 64 bytes suffices. */
const ENTRIES_PER_BLOCK = 8;
const WORDS_PER_BLOCK = 16;
/** Counts are halved after so many for each entry of capacity. */
const AGING = 10;

/**
 * About how often keys were asked for lately, from their hashes: a count-min sketch with four counters
 * of 4 bits for each key, which lie in one block and so in one line of the processor's cache.
 *
 * Einziger, Friedman, Manes: TinyLFU, A Highly Efficient Cache Admission Policy, 2017.
 */
export class FrequencySketch {
  #words: Uint32Array = new Uint32Array(WORDS_PER_BLOCK);
  #counted = 0;

  /** Makes it large enough for so many entries; what was counted stays counted. */
  reserve(entries: number): void {
    while (entries * WORDS_PER_BLOCK > this.#words.length * ENTRIES_PER_BLOCK) {
      const { length } = this.#words;
      const larger = uint32Column(2 * length);
      // A key's block is chosen by low bits of its hash: it is the old one, or the same one further on.
      larger.set(this.#words);
      larger.set(this.#words, length);
      this.#words = larger;
      this.#counted *= 2;
    }
  }

  /** From 0 to 15. */
  frequency(hash: number): number {
    const words = this.#words;
    const block = (hash * WORDS_PER_BLOCK) & (words.length - 1);
    let least = 15;
    for (let row = 0, bits = spread(hash); row < 4; row++, bits >>>= 8) {
      const word = words[block + 4 * row + (bits & 3)] as number;
      least = min(least, (word >>> (bits & 28)) & 15);
    }
    return least;
  }

  count(hash: number): void {
    const words = this.#words;
    const block = (hash * WORDS_PER_BLOCK) & (words.length - 1);
    let grew = false;
    for (let row = 0, bits = spread(hash); row < 4; row++, bits >>>= 8) {
      const at = block + 4 * row + (bits & 3);
      const shift = bits & 28;
      if ((((words[at] as number) >>> shift) & 15) < 15) {
        (words[at] as number) += 1 << shift;
        grew = true;
      }
    }
    const capacity = (words.length / WORDS_PER_BLOCK) * ENTRIES_PER_BLOCK;
    if (grew && ++this.#counted >= AGING * capacity) this.#age();
  }

  clear(): void {
    this.#words = new Uint32Array(WORDS_PER_BLOCK);
    this.#counted = 0;
  }

  /** What was asked for long ago counts less. */
  #age(): void {
    const words = this.#words;
    for (let at = 0; at < words.length; at++) {
      words[at] = ((words[at] as number) >>> 1) & 0x7777_7777;
    }
    this.#counted >>>= 1;
  }
}

/** Bits for the choice of four counters, which depend on other bits of the hash than the block does. */
function spread(hash: number): number {
  hash = imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
