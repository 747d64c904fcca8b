import type { KeyId } from './cache-key.js';
import { FlightIndex } from './flight-index.js';
import type { Flight } from './flight.js';

/** Tag invalidations remembered while loads run; above it, every load that runs counts as hit by each. */
const REMEMBERED = 10_000;

/**
 * The loads that run, one per key, and the fence around them: a flight that is not registered here
 * any more stores nothing.
 *
 * Tag invalidations are numbered. A flight whose tags are known only at its end asks whether one of
 * them was invalidated since it began.
 */
export class Flights<K, V> {
  /**
   * The last flight that was begun for a key which memory does not hold, while it may store: where a
   * crowd asks for one key, each finds it here with no look into a map.
   */
  latest: Flight<K, V> | undefined = undefined;

  readonly #byId = new FlightIndex<K, V>();
  /** Flights that may not store any more and whose callers still wait. */
  readonly #revoked = new Set<Flight<K, V>>();
  readonly #invalidationsOf = new Map<string, number[]>();
  #remembered = 0;
  #invalidations = 0;
  /** Every tag counts as invalidated by the invalidation of this number. */
  #allInvalidatedBy = 0;

  readonly #revokedNow: (flight: Flight<K, V>) => void;

  /** @param revokedNow - told of every flight that may not store any more */
  constructor(revokedNow: (flight: Flight<K, V>) => void = () => undefined) {
    this.#revokedNow = revokedNow;
  }

  /** The number of the last tag invalidation. */
  get invalidations(): number {
    return this.#invalidations;
  }

  get(id: KeyId): Flight<K, V> | undefined {
    return this.#byId.get(id);
  }

  /** Registers a flight; one that was there is revoked. */
  add(flight: Flight<K, V>): void {
    this.revoke(flight.id);
    this.#byId.add(flight);
    flight.registered = true;
  }

  /** Takes out a flight that ends. */
  remove(flight: Flight<K, V>): void {
    if (flight.registered) this.#byId.delete(flight);
    else this.#revoked.delete(flight);
    this.#deregister(flight);
    this.#forgetWhenIdle();
  }

  /** The load of this key, if one runs, stores nothing; the next caller begins a new one. */
  revoke(id: KeyId): void {
    const flight = this.get(id);
    if (flight === undefined) return;
    this.#byId.delete(flight);
    this.#revoked.add(flight);
    this.#unregister(flight);
    this.#revokedNow(flight);
  }

  revokeAll(): void {
    const flights = this.#byId.all();
    this.#byId.clear();
    for (const flight of flights) {
      this.#revoked.add(flight);
      this.#unregister(flight);
    }
    for (const flight of flights) this.#revokedNow(flight);
  }

  /**
   * Revokes the flights that are known to carry one of the tags, and remembers the tags for those
   * that may turn out to.
   */
  invalidateTags(
    tags: readonly string[],
    knownTags: (flight: Flight<K, V>) => readonly string[],
  ): void {
    const number = ++this.#invalidations;
    if (this.#byId.size + this.#revoked.size === 0) return;
    for (const flight of this.#byId.all()) {
      if (flight.fallback?.tags.some((tag) => tags.includes(tag)) === true) {
        flight.fallback = undefined;
      }
      if (!knownTags(flight).some((tag) => tags.includes(tag))) continue;
      flight.taintedBy = number;
      this.revoke(flight.id);
    }
    if (this.#byId.size + this.#revoked.size > 0) this.#remember(tags, number);
  }

  /** The number of the first invalidation that hit one of these tags since the flight began, if one did. */
  invalidationOf(tags: readonly string[], flight: Flight<K, V>): number | undefined {
    const since = flight.invalidationsBefore;
    if (tags.length === 0 || since === this.#invalidations) return undefined;
    if (this.#allInvalidatedBy > since) return since + 1;
    let first = Infinity;
    for (const tag of tags) {
      for (const number of this.#invalidationsOf.get(tag) ?? []) {
        if (number > since && number < first) first = number;
      }
    }
    return first === Infinity ? undefined : first;
  }

  /** Every flight that somebody may wait for, the revoked ones too. */
  running(): Flight<K, V>[] {
    return [...this.#byId.all(), ...this.#revoked];
  }

  /** Neither what it loads nor what the tier had before is good any more. */
  #unregister(flight: Flight<K, V>): void {
    this.#deregister(flight);
    flight.fallback = undefined;
  }

  #deregister(flight: Flight<K, V>): void {
    flight.registered = false;
    if (this.latest === flight) this.latest = undefined;
  }

  #remember(tags: readonly string[], number: number): void {
    for (const tag of tags) {
      const numbers = this.#invalidationsOf.get(tag);
      if (numbers === undefined) this.#invalidationsOf.set(tag, [number]);
      else numbers.push(number);
    }
    this.#remembered += tags.length;
    if (this.#remembered <= REMEMBERED) return;
    this.#forgetTags();
    this.#allInvalidatedBy = number;
  }

  /** Without a flight nobody can ask about the past. */
  #forgetWhenIdle(): void {
    if (this.#remembered === 0 || this.#byId.size + this.#revoked.size > 0) return;
    this.#forgetTags();
  }

  #forgetTags(): void {
    this.#invalidationsOf.clear();
    this.#remembered = 0;
  }
}
