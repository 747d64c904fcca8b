import type { KeyId } from './cache-key.js';
import { hashOfKey } from './key-hash.js';

/** Keys that one table holds before it is split. */
const MOST_IN_ONE = 2 ** 20;
const SHARDS = 64;
/** Keys that move into the shards with each that comes in. */
const MOVES = 4;

/**
 * Which slot a key has. Up to a million keys are in one `Map`. A larger one stands still for a second whenever
 * it grows or shrinks, and throws once 16,777,216 keys have come while more than half of them are still there
 * (V8): the millionth key splits it into many small ones, a few keys at a time.
 */
export class SlotIndex {
  /** What a hit asks first. Empty again when all keys have moved. */
  readonly first = new Map<KeyId, number>();
  #shards: Map<KeyId, number>[] | undefined;
  #moving: IterableIterator<[KeyId, number]> | undefined;
  #inShards = 0;
  readonly #mostInOne: number;
  // So that nobody can choose keys that all go to one shard.
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  constructor(mostInOne = MOST_IN_ONE) {
    this.#mostInOne = mostInOne;
  }

  get size(): number {
    return this.first.size + this.#inShards;
  }

  get(id: KeyId): number | undefined {
    return this.first.get(id) ?? this.getInShards(id);
  }

  /** The slot of a key that is not in `first`. */
  getInShards(id: KeyId): number | undefined {
    return this.#shards === undefined ? undefined : this.#shardOf(id, this.#shards).get(id);
  }

  set(id: KeyId, slot: number): void {
    const { first } = this;
    if (this.#shards === undefined) {
      first.set(id, slot);
      if (first.size > this.#mostInOne) this.#split();
    } else if (first.size > 0 && first.has(id)) {
      first.set(id, slot);
    } else {
      this.#setInShard(id, slot, this.#shards);
      if (this.#moving !== undefined) this.#move(this.#moving, this.#shards);
    }
  }

  /** One key in the place of another: nothing gets larger. */
  replace(gone: KeyId, id: KeyId, slot: number): void {
    if (this.#shards === undefined) {
      this.first.delete(gone);
      this.first.set(id, slot);
    } else {
      this.delete(gone);
      this.set(id, slot);
    }
  }

  delete(id: KeyId): void {
    if (this.first.delete(id) || this.#shards === undefined) return;
    if (!this.#shardOf(id, this.#shards).delete(id)) return;
    this.#inShards--;
    if (this.size === 0) this.clear();
  }

  *values(): Generator<number> {
    yield* this.first.values();
    for (const shard of this.#shards ?? []) yield* shard.values();
  }

  clear(): void {
    this.first.clear();
    this.#shards = undefined;
    this.#moving = undefined;
    this.#inShards = 0;
  }

  #split(): void {
    this.#shards = Array.from({ length: SHARDS }, () => new Map<KeyId, number>());
    this.#moving = this.first.entries();
  }

  #move(moving: IterableIterator<[KeyId, number]>, shards: readonly Map<KeyId, number>[]): void {
    for (let left = MOVES; left > 0; left--) {
      const next = moving.next();
      if (next.done === true) {
        this.#moving = undefined;
        return;
      }
      const [id, slot] = next.value;
      this.first.delete(id);
      this.#setInShard(id, slot, shards);
    }
  }

  #setInShard(id: KeyId, slot: number, shards: readonly Map<KeyId, number>[]): void {
    const shard = this.#shardOf(id, shards);
    const before = shard.size;
    shard.set(id, slot);
    this.#inShards += shard.size - before;
  }

  #shardOf(id: KeyId, shards: readonly Map<KeyId, number>[]): Map<KeyId, number> {
    // As in a Map, -0 and 0 are one key.
    return shards[hashOfKey(id === 0 ? 0 : id, this.#seed) % SHARDS] as Map<KeyId, number>;
  }
}
