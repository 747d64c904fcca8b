import { describeValue, InvalidOptionError } from '@acache/core';
import type { AccessTrace } from './replay.js';

// Once, since a test runner looks globals up slowly.
const { imul } = Math;

/** A part of a log that is small enough to be replayed. */
export interface SampledTrace extends AccessTrace {
  /** The part of the keys that it has, from 0 to 1; every access of such a key is in it. */
  readonly rate: number;
  /** Accesses in the whole log. */
  readonly total: number;
}

/**
 * Takes a log in, however long, and keeps as much of it as there is room for: when that is full, it goes
 * on with half of the keys. Which keys, their hashes say, so that all accesses of a key stay together.
 *
 * Waldspurger, Park, Garthwaite, Ahmad: Efficient MRC Construction with SHARDS, 2015.
 */
export class TraceSampler {
  readonly #most: number;
  readonly #ids = new Map<string, number>();
  #accesses = new Uint32Array(4096);
  #kept = 0;
  #total = 0;
  /** Keys are kept whose hash is below. */
  #below = 2 ** 32;

  /** @param most - accesses that are kept at most, and as many keys */
  constructor(most: number) {
    if (!(Number.isSafeInteger(most) && most > 0)) {
      throw new InvalidOptionError(
        `most must be a whole number above 0, got ${describeValue(most)}`,
      );
    }
    this.#most = most;
  }

  get total(): number {
    return this.#total;
  }

  add(key: string): void {
    this.#total++;
    let id = this.#ids.get(key);
    if (id === undefined) {
      if (this.#below < 2 ** 32 && hashOf(key) >= this.#below) return;
      id = this.#ids.size;
      this.#ids.set(key, id);
    }
    if (this.#kept === this.#accesses.length) {
      const larger = new Uint32Array(Math.min(2 * this.#kept, this.#most));
      larger.set(this.#accesses);
      this.#accesses = larger;
    }
    this.#accesses[this.#kept++] = id;
    while (this.#kept === this.#most) this.#halve();
  }

  finish(): SampledTrace {
    return {
      accesses: this.#accesses.subarray(0, this.#kept),
      keys: this.#ids.size,
      rate: this.#below / 2 ** 32,
      total: this.#total,
    };
  }

  #halve(): void {
    this.#below /= 2;
    const before = [...this.#ids.keys()];
    const renamed = new Int32Array(before.length).fill(-1);
    this.#ids.clear();
    for (const [id, key] of before.entries()) {
      if (hashOf(key) >= this.#below) continue;
      renamed[id] = this.#ids.size;
      this.#ids.set(key, this.#ids.size);
    }
    let kept = 0;
    for (let at = 0; at < this.#kept; at++) {
      const id = renamed[this.#accesses[at] as number] as number;
      if (id >= 0) this.#accesses[kept++] = id;
    }
    this.#kept = kept;
  }
}

/** 32 bits of which each is as good as any other. */
function hashOf(key: string): number {
  let hash = 0x9e37_79b9 ^ key.length;
  for (let at = 0; at < key.length; at++) {
    hash = imul(hash ^ key.charCodeAt(at), 0x5bd1_e995);
    hash ^= hash >>> 15;
  }
  hash = imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
