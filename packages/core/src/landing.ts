import { wireKeyOf } from './cache-key.js';
import type { ResolvedOptions } from './cache-options.js';
import type { CacheParts } from './cache-parts.js';
import { toMilliseconds, ttlToMilliseconds } from './duration.js';
import { timesFromElsewhere, type Entry } from './entry.js';
import type { ErrorSource } from './events.js';
import type { Flight } from './flight.js';
import { brief, type Backing, type StoredEntry } from './stored-entry.js';
import { checkTags } from './tags.js';
import type { TierLease } from './tier.js';
import type { TierLink } from './tier-link.js';
import { checkWeight } from './weight.js';

const NO_TAGS: readonly string[] = [];

/**
 * What becomes of a load that ended: stored if nothing has revoked it up to now, in the tier first,
 * and told to those who wait.
 */
export class Landings<K, V> {
  readonly #parts: CacheParts<K, V>;

  constructor(parts: CacheParts<K, V>) {
    this.#parts = parts;
  }

  /** The loader has brought a value. */
  loaded(flight: Flight<K, V>, value: V): void {
    const { memory, tier } = this.#parts;
    const now = memory.time.now();
    this.#ended(flight, now, false);
    const draft = this.#draft(flight, value, now);
    if (draft === undefined || tier === undefined) this.#land(flight, value, draft, 'local');
    else if (flight.lease === undefined) this.#landAlone(flight, value, draft, tier);
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
    // From here on the commit gives it back, and nothing else does.
    flight.lease = undefined;
    const outcome = await tier.commit(lease, draft, flight.patienceLeft, () => {
      this.#answerEarly(flight, value, draft);
    });
    if (outcome === 'stored') this.#land(flight, value, draft, 'tier');
    else if (outcome === 'refused') this.#land(flight, value, undefined, 'tier');
    else this.#landAlone(flight, value, draft, tier);
  }

  /** The callers have waited for the tier long enough; what becomes of the entry, it has yet to say. */
  #answerEarly(flight: Flight<K, V>, value: V, draft: StoredEntry<K, V>): void {
    if (this.#passesFence(flight, draft.tags)) {
      // Who joins from here on gets it at once, unless one of these is invalidated.
      flight.tags = draft.tags;
      flight.times = draft;
    }
    flight.land(value);
  }

  /** The tier did not take it: memory alone keeps it, for a short time. */
  #landAlone(flight: Flight<K, V>, value: V, draft: StoredEntry<K, V>, tier: TierLink<K>): void {
    // What a refresh was to replace must not come back from there.
    if (flight.intent === 'refresh' && flight.registered) void tier.delete(wireKeyOf(flight.id));
    this.#land(flight, value, brief(draft, tier.degradedTtl), 'local');
  }

  /** Stores the entry if nothing has revoked the flight up to now, and tells those who wait. */
  #land(
    flight: Flight<K, V>,
    value: V,
    draft: StoredEntry<K, V> | undefined,
    backing: Backing,
  ): void {
    const { flights, failures } = this.#parts;
    this.giveBack(flight);
    const stored = draft !== undefined && this.#passesFence(flight, draft.tags);
    if (flight.registered) failures.forget(flight.id);
    flights.remove(flight);
    if (stored) {
      this.#keep(flight, draft, backing, draft.createdAt);
      flight.times = draft;
    }
    flight.land(value);
  }

  /** The loader has failed. */
  failed(flight: Flight<K, V>, error: unknown): void {
    const { events, failures, flights, memory } = this.#parts;
    const now = memory.time.now();
    this.giveBack(flight);
    // All who waited had left, or the cache was closed: the loader did what its signal told it.
    if (!flight.flying) {
      this.#ended(flight, now, false);
      flights.remove(flight);
      return;
    }
    this.#ended(flight, now, true);
    // A loader that was told to stop says nothing about what it loads.
    if (flight.registered && !flight.signalled) {
      const errorTtl = this.#errorTtl(flight, error);
      failures.note(flight.id, error, now, errorTtl, flight.background, knownTags(flight));
      memory.planUpkeep();
    }
    flights.remove(flight);
    events.report(error, flight.background ? 'refresh' : 'loader', flight.query.key);
    flight.fail(error);
  }

  #ended(flight: Flight<K, V>, now: number, failed: boolean): void {
    const { counts, events } = this.#parts;
    // A clock may be set back meanwhile.
    const ms = Math.max(0, now - flight.startedAt);
    counts.loadEnded(flight.epoch, ms, failed);
    events.tellLoaded(flight.query.key, ms, failed);
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
    const { memory, tier } = this.#parts;
    if (!flight.registered) return;
    const slot = memory.store.slotOf(flight.id);
    if (slot !== undefined) memory.drop(slot);
    if (tier !== undefined) void tier.delete(wireKeyOf(flight.id));
  }

  /** Takes an entry of the tier into memory. */
  adopt(flight: Flight<K, V>, entry: Entry<V>, now: number): void {
    const { options, events } = this.#parts;
    if (!this.#passesFence(flight, entry.tags)) return;
    try {
      const weight =
        options.weigh === undefined ? 1 : checkWeight(options.weigh(entry.value, flight.query.key));
      if (weight > options.maxWeight) return;
      const value = options.clone === undefined ? entry.value : options.clone(entry.value);
      const times = timesFromElsewhere(entry, now);
      const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = times;
      // Not by a spread, which is slow: every hit in the tier passes here.
      const adopted: StoredEntry<K, V> = {
        key: flight.query.key,
        value,
        createdAt,
        freshUntil,
        staleWhileRevalidate,
        staleIfError,
        tags: entry.tags,
        weight,
      };
      this.#keep(flight, adopted, 'tier', now);
      flight.fallback = adopted;
      if (now >= freshUntil + staleWhileRevalidate) flight.foundFallback();
    } catch (error) {
      events.report(error, 'weigh', flight.query.key);
    }
  }

  /** Keeps an entry in memory; for a short time where it came through a tier that is not coherent. */
  #keep(flight: Flight<K, V>, entry: StoredEntry<K, V>, backing: Backing, now: number): void {
    const { events } = this.#parts;
    try {
      this.#put(flight, entry, backing, now);
    } catch (error) {
      events.report(error, 'policy', flight.query.key);
    }
  }

  #put(flight: Flight<K, V>, entry: StoredEntry<K, V>, backing: Backing, now: number): void {
    const { memory, tier } = this.#parts;
    const vouched = backing !== 'tier' || tier === undefined || tier.trust === 0 || tier.coherent();
    if (vouched) memory.keep(flight.id, entry, backing, now);
    else memory.keep(flight.id, brief(entry, tier.trust, now), 'local', now);
  }

  /** True while nothing has revoked the flight, an invalidation of one of these tags included. */
  #passesFence(flight: Flight<K, V>, tags: readonly string[]): boolean {
    const { flights } = this.#parts;
    const invalidation = flights.invalidationOf(tags, flight);
    if (invalidation === undefined) return flight.registered;
    // Also where it was revoked before: who joined after the invalidation must not get its value.
    flight.taintedBy = Math.min(flight.taintedBy ?? Infinity, invalidation);
    if (flight.registered) flights.revoke(flight.id);
    return false;
  }

  #errorTtl(flight: Flight<K, V>, error: unknown): number {
    const { errorTtl } = flight.query.request;
    if (typeof errorTtl === 'number') return errorTtl;
    try {
      return toMilliseconds(errorTtl(error, flight.query.key), 'errorTtl');
    } catch (thrown) {
      this.#parts.events.report(thrown, 'ttl', flight.query.key);
      return 0;
    }
  }

  /** Gives back the lease that a flight holds, if it holds one. */
  giveBack(flight: Flight<K, V>): void {
    const { lease } = flight;
    if (lease === undefined) return;
    flight.lease = undefined;
    this.#parts.tier?.release(lease);
  }
}

/** The tags that are known of a flight before its value is. */
export function knownTags<K, V>(flight: Flight<K, V>): readonly string[] {
  if (flight.tags !== undefined) return flight.tags;
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
