import { wireKeyOf } from './cache-key.js';
import type { ResolvedOptions } from './cache-options.js';
import { toMilliseconds, ttlToMilliseconds } from './duration.js';
import { freshnessAt, type Entry } from './entry.js';
import type { ErrorSource, EventHub } from './events.js';
import type { Failures } from './failures.js';
import { Flight, FlightContext } from './flight.js';
import type { Flights } from './flights.js';
import type { Memory } from './memory.js';
import type { Counters } from './metrics.js';
import type { Query } from './query.js';
import { brief, type Backing, type StoredEntry } from './store.js';
import { checkTags } from './tags.js';
import type { TierAnswer, TierIntent, TierLease } from './tier.js';
import type { TierLink } from './tier-link.js';
import { checkWeight } from './weight.js';

const NO_TAGS: readonly string[] = [];

/** What the paths of one cache share. */
export interface CacheParts<K, V> {
  readonly options: ResolvedOptions<K, V>;
  readonly memory: Memory<K, V>;
  readonly flights: Flights<K, V>;
  readonly failures: Failures;
  readonly events: EventHub<K>;
  readonly counts: Counters;
  readonly tier: TierLink<K> | undefined;
}

/**
 * What a flight does from take-off to landing: ask the tier, call the loader, store what came if
 * nothing revoked it meanwhile, and tell those who wait.
 */
export class Loads<K, V> {
  readonly #parts: CacheParts<K, V>;

  constructor(parts: CacheParts<K, V>) {
    this.#parts = parts;
  }

  /** Begins the load of a key; one that already runs is revoked. */
  begin(
    query: Query<K, V>,
    intent: TierIntent,
    background: boolean,
    previous: V | undefined,
  ): Flight<K, V> {
    const flight = this.announce(query, intent, background, previous);
    this.start(flight);
    return flight;
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

  start(flight: Flight<K, V>): void {
    const { tier } = this.#parts;
    // With a lease, the tier was asked before.
    if (tier === undefined || flight.lease !== undefined) this.#load(flight);
    else void this.#throughTier(flight, tier);
  }

  /** The last caller left by its own signal: nothing of this load is wanted any more. */
  abandon(flight: Flight<K, V>): void {
    this.#parts.flights.remove(flight);
    this.#giveBack(flight);
  }

  async #throughTier(flight: Flight<K, V>, tier: TierLink<K>): Promise<void> {
    const { flights } = this.#parts;
    let intent: TierIntent;
    let answer: TierAnswer;
    do {
      intent = flight.intent;
      answer = await tier.lookup({
        key: wireKeyOf(flight.id),
        intent,
        tags: knownTags(flight),
      });
      while (answer.kind === 'busy') answer = await tier.settled(answer);
      // A caller who joined a mere look may have brought a loader.
    } while (intent === 'read' && answer.kind === 'missing' && flight.loader !== undefined);
    if ('lease' in answer) flight.lease = answer.lease;
    // What was revoked while it looked stores nothing, so that it needs no lease either.
    if (!flight.flying || !flights.owns(flight)) this.#giveBack(flight);
    if (!flight.flying) return;
    if (answer.kind === 'found') this.#found(flight, answer.entry as Entry<V>);
    else if (flight.loader !== undefined) this.#load(flight);
    else this.#foundNothing(flight);
  }

  /** The tier holds an entry: serves it, loads it anew, or both. */
  #found(flight: Flight<K, V>, entry: Entry<V>): void {
    const { flights, memory } = this.#parts;
    const { freshUntil, staleWhileRevalidate, staleIfError } = entry;
    const now = memory.time.now();
    const freshness = freshnessAt(now, freshUntil, staleWhileRevalidate, staleIfError);
    const servable = freshness === 'fresh' || freshness === 'stale';
    this.#adopt(flight, entry, now);
    const renews = flight.background && flight.lease !== undefined;
    if (flight.loader !== undefined && (!servable || renews || flight.intent === 'refresh')) {
      this.#load(flight);
      return;
    }
    if (!servable) {
      this.#foundNothing(flight);
      return;
    }
    const { lease } = flight;
    flight.source = 'tier';
    flight.times = entry;
    flights.remove(flight);
    flight.land(entry.value);
    if (lease === undefined || flight.loader === undefined) return;
    const query = { ...flight.query, loader: flight.loader };
    const refresh = this.announce(query, 'load', true, entry.value);
    refresh.pin();
    refresh.lease = lease;
    this.start(refresh);
  }

  #foundNothing(flight: Flight<K, V>): void {
    this.#giveBack(flight);
    this.#parts.flights.remove(flight);
    flight.findNothing();
  }

  #load(flight: Flight<K, V>): void {
    const { counts, events, memory } = this.#parts;
    const loader = flight.loader as NonNullable<typeof flight.loader>;
    counts.loads++;
    events.tell('load', flight.query.key);
    flight.startedAt = memory.time.now();
    flight.epoch = counts.epoch;
    let loading: V | PromiseLike<V>;
    try {
      loading = loader(flight.query.key, new FlightContext(flight));
    } catch (error) {
      this.#failed(flight, error);
      return;
    }
    if (!isThenable(loading)) {
      this.#loaded(flight, loading);
      return;
    }
    const promise = loading instanceof Promise ? (loading as Promise<V>) : Promise.resolve(loading);
    promise.then(
      (value) => {
        this.#loaded(flight, value);
      },
      (error: unknown) => {
        this.#failed(flight, error);
      },
    );
  }

  #loaded(flight: Flight<K, V>, value: V): void {
    const { counts, memory, tier } = this.#parts;
    const now = memory.time.now();
    counts.loadEnded(flight.epoch, now - flight.startedAt);
    const draft = this.#draft(flight, value, now);
    if (draft === undefined || tier === undefined) this.#land(flight, value, draft, 'local');
    else if (flight.lease === undefined)
      this.#land(flight, value, brief(draft, tier.degradedTtl), 'local');
    else void this.#commit(flight, value, draft, flight.lease, tier);
  }

  /** Stores in the tier first: it refuses what somebody elsewhere invalidated meanwhile. */
  async #commit(
    flight: Flight<K, V>,
    value: V,
    draft: StoredEntry<K, V>,
    lease: TierLease,
    tier: TierLink<K>,
  ): Promise<void> {
    const outcome = await tier.commit(lease, draft);
    flight.lease = undefined;
    if (outcome === 'stored') this.#land(flight, value, draft, 'tier');
    else if (outcome === 'refused') this.#land(flight, value, undefined, 'tier');
    else this.#land(flight, value, brief(draft, tier.degradedTtl), 'local');
  }

  /** Stores the entry if nothing has revoked the flight up to now, and tells those who wait. */
  #land(
    flight: Flight<K, V>,
    value: V,
    draft: StoredEntry<K, V> | undefined,
    backing: Backing,
  ): void {
    const { flights, failures, memory } = this.#parts;
    this.#giveBack(flight);
    const stored = draft !== undefined && this.#passesFence(flight, draft.tags);
    if (flights.owns(flight)) failures.forget(flight.id);
    flights.remove(flight);
    if (stored) {
      memory.keep(flight.id, draft, backing, draft.createdAt);
      flight.times = draft;
    }
    flight.land(value);
  }

  #failed(flight: Flight<K, V>, error: unknown): void {
    const { counts, events, failures, flights, memory } = this.#parts;
    const now = memory.time.now();
    counts.loadEnded(flight.epoch, now - flight.startedAt, true);
    this.#giveBack(flight);
    if (flights.owns(flight)) {
      failures.note(flight.id, error, now, this.#errorTtl(flight, error), flight.background);
      if (failures.size > 0) memory.planUpkeep();
    }
    flights.remove(flight);
    events.report(error, flight.background ? 'refresh' : 'loader', flight.query.key);
    flight.fail(error);
  }

  /** What is to be stored of a loaded value; `undefined` when nothing is. */
  #draft(flight: Flight<K, V>, value: V, now: number): StoredEntry<K, V> | undefined {
    const { options, events } = this.#parts;
    const { request, key } = flight.query;
    let step: ErrorSource = 'tags';
    try {
      const tags = tagsOf(flight, value);
      if (!this.#passesFence(flight, tags)) return undefined;
      step = 'ttl';
      const ttl = ttlOf(flight, value, options.ttl);
      step = 'weigh';
      const weight = options.weigh === undefined ? 1 : checkWeight(options.weigh(value, key));
      if (flight.decisions?.skipsStore === true || ttl === 0 || weight > options.maxWeight) {
        this.#dropUnwanted(flight);
        return undefined;
      }
      step = 'clone';
      return {
        key,
        value: options.clone === undefined ? value : options.clone(value),
        createdAt: now,
        freshUntil: now + jittered(ttl, options.jitter),
        staleWhileRevalidate: request.staleWhileRevalidate ?? options.staleWhileRevalidate,
        staleIfError: request.staleIfError ?? options.staleIfError,
        tags,
        weight,
      };
    } catch (error) {
      // A function of the user's threw. The value is good all the same, for those who wait.
      events.report(error, step, key);
      this.#dropUnwanted(flight);
      return undefined;
    }
  }

  /** What is not stored takes away what was there. */
  #dropUnwanted(flight: Flight<K, V>): void {
    const { flights, memory, tier } = this.#parts;
    if (!flights.owns(flight)) return;
    const slot = memory.store.slotOf(flight.id);
    if (slot !== undefined) memory.drop(slot);
    if (tier !== undefined) void tier.delete(wireKeyOf(flight.id));
  }

  /** Takes an entry of the tier into memory. */
  #adopt(flight: Flight<K, V>, entry: Entry<V>, now: number): void {
    const { options, events, memory } = this.#parts;
    if (!this.#passesFence(flight, entry.tags)) return;
    try {
      const weight =
        options.weigh === undefined ? 1 : checkWeight(options.weigh(entry.value, flight.query.key));
      if (weight > options.maxWeight) return;
      const value = options.clone === undefined ? entry.value : options.clone(entry.value);
      const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } = entry;
      const times = { createdAt, freshUntil, staleWhileRevalidate, staleIfError };
      memory.keep(flight.id, { key: flight.query.key, value, ...times, tags, weight }, 'tier', now);
    } catch (error) {
      events.report(error, 'weigh', flight.query.key);
    }
  }

  /** True while nothing has revoked the flight, an invalidation of one of these tags included. */
  #passesFence(flight: Flight<K, V>, tags: readonly string[]): boolean {
    const { flights } = this.#parts;
    const invalidation = flights.invalidationOf(tags, flight);
    if (invalidation === undefined) return flights.owns(flight);
    // Also where it was revoked before: who joined after the invalidation must not get its value.
    flight.taintedBy = Math.min(flight.taintedBy ?? Infinity, invalidation);
    if (flights.owns(flight)) flights.revoke(flight.id);
    return false;
  }

  #errorTtl(flight: Flight<K, V>, error: unknown): number {
    const { options, events } = this.#parts;
    if (typeof options.errorTtl === 'number') return options.errorTtl;
    try {
      return toMilliseconds(options.errorTtl(error, flight.query.key), 'errorTtl');
    } catch (thrown) {
      events.report(thrown, 'ttl', flight.query.key);
      return 0;
    }
  }

  #giveBack(flight: Flight<K, V>): void {
    const { lease } = flight;
    if (lease === undefined) return;
    flight.lease = undefined;
    this.#parts.tier?.release(lease);
  }
}

/** The tags that are known of a flight before its value is. */
export function knownTags<K, V>(flight: Flight<K, V>): readonly string[] {
  const { decisions } = flight;
  const { tags } = flight.query.request;
  const requested = typeof tags === 'object' ? tags : NO_TAGS;
  return decisions === undefined ? requested : [...requested, ...decisions.tags];
}

function tagsOf<K, V>(flight: Flight<K, V>, value: V): readonly string[] {
  const { decisions, query } = flight;
  const { tags = NO_TAGS } = query.request;
  const chosen = typeof tags === 'function' ? checkTags(tags(value, query.key)) : tags;
  return decisions === undefined ? chosen : [...new Set([...chosen, ...decisions.tags])];
}

function ttlOf<K, V>(flight: Flight<K, V>, value: V, usual: ResolvedOptions<K, V>['ttl']): number {
  if (flight.decisions?.ttl !== undefined) return flight.decisions.ttl;
  const ttl = flight.query.request.ttl ?? usual;
  return typeof ttl === 'function' ? ttlToMilliseconds(ttl(value, flight.query.key)) : ttl;
}

/** A ttl shortened by a random part of up to the fraction `jitter`. */
export function jittered(ttl: number, jitter: number): number {
  return jitter === 0 || ttl === Infinity ? ttl : ttl * (1 - jitter * Math.random());
}

function isThenable<V>(value: V | PromiseLike<V>): value is PromiseLike<V> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
