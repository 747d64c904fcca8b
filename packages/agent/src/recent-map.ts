/**
 * A map that forgets: it remembers at least the `capacity` keys that were used last, and at most twice as
 * many. A young and an old generation do that in constant time, without a list of uses.
 */
export class RecentMap<K, V extends object | number | true> {
  readonly #capacity: number;
  readonly #forgot: (() => void) | undefined;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** @param forgot - called when keys were forgotten; those that were not used since its last call */
  constructor(capacity: number, forgot?: () => void) {
    this.#capacity = capacity;
    this.#forgot = forgot;
  }

  /** How many entries it holds; one that was used again may count twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#forgot?.();
    }
    this.#young.set(key, value);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}
