import { wireKeyOf } from './cache-key.js';
import type { CacheParts } from './cache-parts.js';
import { freshnessAt, type Entry } from './entry.js';
import { Flight, FlightContext } from './flight.js';
import { isThenable } from './is-thenable.js';
import { knownTags, Landings } from './landing.js';
import type { Query } from './query.js';
import { refreshIsDue } from './refresh-ahead.js';
import type { TierAnswer, TierIntent } from './tier.js';
import type { TierLink } from './tier-link.js';

/** Loads of other processes that a flight waits out, before it takes the tier for unavailable. */
const MOST_ROUNDS = 100;

/** What a flight does up to its landing: ask the tier, and call the loader. */
export class Loads<K, V> {
  readonly #parts: CacheParts<K, V>;
  readonly #landings: Landings<K, V>;

  constructor(parts: CacheParts<K, V>) {
    this.#parts = parts;
    this.#landings = new Landings(parts);
  }

  /** Registers a load, so that callers may board before it starts; one that already runs is revoked. */
  announce(
    query: Query<K, V>,
    intent: TierIntent,
    background: boolean,
    previous: V | undefined,
  ): Flight<K, V> {
    const { flights } = this.#parts;
    const flight = new Flight(query, intent, background, previous, flights.invalidations);
    flights.add(flight);
    return flight;
  }

  /** Begins a load that was announced. */
  start(flight: Flight<K, V>): Flight<K, V> {
    const { tier } = this.#parts;
    // With a lease, the tier was asked before.
    if (tier === undefined || flight.lease !== undefined) this.#load(flight);
    else this.#ask(flight, tier);
    return flight;
  }

  /** The last caller left by its own signal: nothing of this load is wanted any more. */
  abandon(flight: Flight<K, V>, reason: unknown): void {
    this.#parts.flights.remove(flight);
    this.#landings.giveBack(flight);
    flight.cancel(reason);
  }

  #ask(flight: Flight<K, V>, tier: TierLink<K>): void {
    const { intent } = flight;
    try {
      const request = { key: wireKeyOf(flight.id), intent, tags: knownTags(flight) };
      tier.lookup(request, (answer, patienceLeft) => {
        flight.patienceLeft = patienceLeft;
        this.#answered(flight, tier, intent, answer);
      });
    } catch (error) {
      this.#broke(flight, error);
    }
  }

  #answered(flight: Flight<K, V>, tier: TierLink<K>, intent: TierIntent, answer: TierAnswer): void {
    if (answer.kind === 'busy') {
      this.#waitOut(flight, tier, answer)
        .then((settled) => {
          this.#goOn(flight, tier, intent, settled);
        })
        .catch((error: unknown) => {
          this.#broke(flight, error);
        });
      return;
    }
    // No promise here: what the tier has is what most flights bring.
    try {
      this.#goOn(flight, tier, intent, answer);
    } catch (error) {
      this.#broke(flight, error);
    }
  }

  /** Nothing up to the loader is meant to throw; whatever does must not leave callers waiting. */
  #broke(flight: Flight<K, V>, error: unknown): void {
    flight.startedAt ||= this.#parts.memory.time.now();
    this.#landings.failed(flight, error);
  }

  /** Waits out the loads of other processes, which may follow each other. */
  async #waitOut(
    flight: Flight<K, V>,
    tier: TierLink<K>,
    busy: Extract<TierAnswer, { kind: 'busy' }>,
  ): Promise<TierAnswer> {
    let answer: TierAnswer = busy;
    for (let rounds = 0; answer.kind === 'busy' && rounds < MOST_ROUNDS; rounds++) {
      // What only a failure may serve: for callers who run out of patience meanwhile.
      if (answer.entry !== undefined && flight.registered) {
        this.#landings.adopt(flight, answer.entry as Entry<V>, this.#parts.memory.time.now());
      }
      answer = await tier.settled(answer);
    }
    return answer;
  }

  /** Goes on with what the tier answered in the end. */
  #goOn(flight: Flight<K, V>, tier: TierLink<K>, intent: TierIntent, answer: TierAnswer): void {
    // A caller who joined a mere look may have brought a loader.
    if (intent === 'read' && flight.loader !== undefined && !this.#isServable(answer)) {
      this.#ask(flight, tier);
      return;
    }
    if ('lease' in answer) flight.lease = answer.lease;
    // What was revoked while it looked stores nothing, so that it needs no lease either.
    if (!flight.flying || !flight.registered) this.#landings.giveBack(flight);
    if (!flight.flying) return;
    if (answer.kind === 'missing') this.#dropUnproven(flight);
    if (answer.kind === 'found') this.#found(flight, answer.entry as Entry<V>);
    else if (flight.loader !== undefined) this.#load(flight);
    else this.#foundNothing(flight);
  }

  #isServable(answer: TierAnswer): boolean {
    if (answer.kind !== 'found') return answer.kind !== 'missing';
    const { freshUntil, staleWhileRevalidate } = answer.entry;
    return this.#parts.memory.time.now() < freshUntil + staleWhileRevalidate;
  }

  /** What an earlier process kept and the tier does not know is of no use any more. */
  #dropUnproven(flight: Flight<K, V>): void {
    const { store } = this.#parts.memory;
    const slot = store.slotOf(flight.id);
    if (slot !== undefined && store.backingOf(slot) === 'restored') this.#parts.memory.drop(slot);
  }

  /** The tier holds an entry: serves it, loads it anew, or both. */
  #found(flight: Flight<K, V>, entry: Entry<V>): void {
    const { failures, flights, memory, options } = this.#parts;
    const { freshUntil, staleWhileRevalidate, staleIfError } = entry;
    const now = memory.time.now();
    const freshness = freshnessAt(now, freshUntil, staleWhileRevalidate, staleIfError);
    const servable = freshness === 'fresh' || freshness === 'stale';
    this.#landings.adopt(flight, entry, now);
    // A tag of it was invalidated on the way.
    if (!flight.registered) this.#landings.giveBack(flight);
    const { refreshAhead } = options;
    // Another process may have refreshed it, and this one not heard of it yet.
    const isDue = flight.intent !== 'renew' || refreshIsDue(entry, now, refreshAhead);
    const renews = flight.background && flight.lease !== undefined && isDue;
    if (flight.loader !== undefined && (!servable || renews || flight.intent === 'refresh')) {
      this.#load(flight);
      return;
    }
    if (!servable) {
      this.#foundNothing(flight);
      return;
    }
    const { lease } = flight;
    flight.lease = undefined;
    flight.source = 'tier';
    if (flight.background && lease === undefined) failures.hold(flight.id, now);
    flight.times = entry;
    flights.remove(flight);
    flight.land(entry.value);
    if (lease === undefined) return;
    if (flight.loader === undefined || !isDue || !failures.mayRefresh(flight.id, now)) {
      this.#parts.tier?.release(lease);
      return;
    }
    const query = { ...flight.query, loader: flight.loader };
    const refresh = this.announce(query, 'load', true, entry.value);
    refresh.pin();
    refresh.lease = lease;
    this.start(refresh);
  }

  #foundNothing(flight: Flight<K, V>): void {
    this.#landings.giveBack(flight);
    this.#parts.flights.remove(flight);
    flight.findNothing();
  }

  #load(flight: Flight<K, V>): void {
    const { counts, events, memory } = this.#parts;
    const loader = flight.loader as NonNullable<typeof flight.loader>;
    counts.loads++;
    events.tell('load', flight.query.key);
    flight.loading = true;
    flight.startedAt = memory.time.now();
    flight.epoch = counts.epoch;
    let loading: V | PromiseLike<V>;
    let promise: Promise<V> | undefined;
    try {
      loading = loader(flight.query.key, new FlightContext(flight));
      if (loading instanceof Promise) promise = loading as Promise<V>;
      else if (isThenable(loading)) promise = Promise.resolve(loading);
    } catch (error) {
      this.#landings.failed(flight, error);
      return;
    }
    if (promise === undefined) {
      this.#landings.loaded(flight, loading as V);
      return;
    }
    promise.then(
      (value) => {
        this.#landings.loaded(flight, value);
      },
      (error: unknown) => {
        this.#landings.failed(flight, error);
      },
    );
  }
}
