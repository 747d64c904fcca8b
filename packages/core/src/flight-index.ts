import type { KeyId } from './cache-key.js';
import type { Flight } from './flight.js';

/**
 * Flights by key, one at most for each. The first needs no `Map`: mostly it is the only one, and a `Map`
 * makes a new table whenever it becomes empty.
 */
export class FlightIndex<K, V> {
  #first: Flight<K, V> | undefined = undefined;
  readonly #others = new Map<KeyId, Flight<K, V>>();

  get size(): number {
    return this.#others.size + (this.#first === undefined ? 0 : 1);
  }

  get(id: KeyId): Flight<K, V> | undefined {
    const first = this.#first;
    if (first !== undefined && first.id === id) return first;
    return this.#others.size === 0 ? undefined : this.#others.get(id);
  }

  /** Adds a flight whose key has none. */
  add(flight: Flight<K, V>): void {
    // Only a `Map` finds NaN again.
    if (this.#first === undefined && !Number.isNaN(flight.id)) this.#first = flight;
    else this.#others.set(flight.id, flight);
  }

  /** Takes out a flight that is in here. */
  delete(flight: Flight<K, V>): void {
    if (this.#first === flight) this.#first = undefined;
    else this.#others.delete(flight.id);
  }

  all(): Flight<K, V>[] {
    const others = [...this.#others.values()];
    return this.#first === undefined ? others : [this.#first, ...others];
  }

  clear(): void {
    this.#first = undefined;
    this.#others.clear();
  }
}
