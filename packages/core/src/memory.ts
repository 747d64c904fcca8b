import type { ResolvedOptions } from './cache-options.js';
import { idOfWireKey, keyOfId, type KeyId } from './cache-key.js';
import { timesFromElsewhere, type Entry } from './entry.js';
import type { EventHub } from './events.js';
import type { Failures } from './failures.js';
import type { Counters } from './metrics.js';
import type { Archive } from './persistence.js';
import type { PersistenceLink } from './persistence-link.js';
import { guarded } from './guarded-policy.js';
import { checkPolicy, type PolicyLimits } from './policy.js';
import { MemoryStore, type Departure } from './store.js';
import type { Backing, StoredEntry } from './stored-entry.js';
import { Timekeeper } from './timekeeper.js';
import type { Clock } from './clock.js';
import { checkWeight } from './weight.js';

/** One slice of upkeep does no more than this, about a millisecond's work. */
const VISITS_PER_SLICE = 50_000;
const REMOVALS_PER_SLICE = 2000;
/** Rest between two rounds of upkeep, in milliseconds. */
const REST = 1000;

/** The store with everything that must hear of its changes: persistence, events, metrics, upkeep. */
export class Memory<K, V> {
  readonly store: MemoryStore<K, V>;
  readonly time: Timekeeper;
  /** Set by `close`. */
  closed = false;

  readonly #maxSize: number;
  readonly #maxWeight: number;
  readonly #weigh: ResolvedOptions<K, V>['weigh'];
  readonly #events: EventHub<K>;
  readonly #counts: Counters;
  readonly #failures: Failures;
  readonly #persistence: PersistenceLink<K, V> | undefined;

  constructor(
    options: ResolvedOptions<K, V>,
    parts: {
      clock: Clock;
      isPlatformClock: boolean;
      events: EventHub<K>;
      counts: Counters;
      failures: Failures;
      persistence: PersistenceLink<K, V> | undefined;
    },
  ) {
    this.#events = parts.events;
    this.#counts = parts.counts;
    this.#failures = parts.failures;
    this.#persistence = parts.persistence;
    const { maxSize, maxWeight } = options;
    this.#maxSize = maxSize;
    this.#maxWeight = maxWeight;
    this.#weigh = options.weigh;
    const limits: PolicyLimits = {
      maxSize,
      maxWeight,
      weightOf: (slot) => this.store.weightOf(slot),
    };
    const policy = options.policy(limits);
    checkPolicy(policy);
    this.store = new MemoryStore<K, V>({
      maxSize,
      maxWeight,
      policy: guarded(policy, {
        limits,
        store: () => this.store,
        failed: (error) => {
          this.#events.report(error, 'policy');
        },
      }),
      usualTtl: typeof options.ttl === 'number' ? options.ttl : Infinity,
      departed: (id, key, cause) => {
        this.#departed(id, key, cause);
      },
    });
    this.time = new Timekeeper(parts.clock, parts.isPlatformClock, (now) => this.#upkeep(now));
  }

  /** True while reads must wait for what an earlier process kept. */
  get restoring(): boolean {
    return this.#persistence?.holdsReads ?? false;
  }

  /** Settles when reads need not wait any more; never rejects. */
  get restored(): Promise<void> {
    return this.#persistence?.restored ?? Promise.resolve();
  }

  /** Entries that are not dead. */
  get size(): number {
    const now = this.time.now();
    // Twice where a sweep had stopped on its way.
    while (this.store.diesFirst <= now) {
      if (!this.#sweepSlice(now)) return this.store.occupied - this.store.countDead(now);
    }
    return this.store.occupied;
  }

  /** The slot of an entry that is not dead; a dead one is removed. */
  find(id: KeyId, now: number): number | undefined {
    const slot = this.store.slotOf(id);
    return slot !== undefined && this.isAlive(slot, now) ? slot : undefined;
  }

  /** Whether an entry is not dead; a dead one is removed. */
  isAlive(slot: number, now: number): boolean {
    if (this.store.freshness(slot, now) !== 'dead') return true;
    this.store.depart(slot, 'expire');
    return false;
  }

  /** The value in a slot, wrapped; `undefined` where a sealed one cannot be made. */
  valueIn(slot: number): { readonly value: V } | undefined {
    const key = this.store.keyOf(slot);
    const id = this.store.idAt(slot);
    try {
      return { value: this.store.valueOf(slot) };
    } catch (error) {
      this.#persistence?.delete(id);
      this.#events.report(error, 'persistence', key);
      return undefined;
    }
  }

  keep(id: KeyId, entry: StoredEntry<K, V>, backing: Backing, now: number): void {
    // A store without room is asked nothing, so that it counts no eviction; a closed one keeps nothing.
    if (this.#maxSize === 0 || this.closed) return;
    this.#persistence?.set(id, entry);
    this.store.put(id, entry, backing, now);
    this.planUpkeep();
  }

  /** `keep` of a value with the usual ttl and nothing else; false where it may not. */
  keepPlain(id: KeyId, value: V, now: number): boolean {
    if (this.#maxSize === 0 || this.closed || this.#persistence !== undefined) return false;
    if (!this.store.putPlain(id, value, now)) return false;
    this.planUpkeep();
    return true;
  }

  /** Puts back what an earlier process kept, once; where there is a tier, it must confirm it first. */
  restore(id: KeyId, entry: Entry<V>, confirmed: boolean, now: number): void {
    if (this.#maxSize === 0) return;
    const key = keyOfId(id) as K;
    const backing = confirmed ? 'local' : 'restored';
    try {
      const weight = this.#weightOf(key, entry);
      if (weight > this.#maxWeight) return;
      // What was set meanwhile is newer than what is restored.
      this.store.spare((held) => this.#persistence?.changed(held) === true);
      this.store.putSealed(id, new SealedEntry(entry, key, weight, now), backing, now);
      this.planUpkeep();
    } catch (error) {
      this.#events.report(error, 'persistence', key);
    }
  }

  /**
   * Puts back what an earlier process kept, and leaves it where it lies until it is wanted.
   *
   * @returns false where that cannot be
   */
  restoreFrom(archive: Archive<V>, position: number, confirmed: boolean): boolean {
    // What an entry weighs may depend on its value, which would have to be made.
    if (this.#weigh !== undefined || this.#maxSize === 0) return false;
    const backing = confirmed ? 'local' : 'restored';
    try {
      const now = (): number => this.time.now();
      if (!this.store.putArchived(archive, position, backing, now)) return false;
      this.planUpkeep();
    } catch (error) {
      this.#events.report(error, 'persistence', keyOfId(idOfWireKey(archive.keyAt(position))) as K);
    }
    return true;
  }

  /** What `weigh` said when the entry was stored, where that was kept: it costs no value. */
  #weightOf(key: K, entry: Entry<V>): number {
    if (this.#weigh === undefined) return 1;
    return checkWeight(entry.weight ?? this.#weigh(entry.value, key));
  }

  /** Takes a key out, whether memory holds it or not: a persistence may still be restoring it. */
  forget(id: KeyId, slot: number | undefined): void {
    this.#persistence?.delete(id);
    if (slot !== undefined) this.store.remove(slot);
  }

  /** Tags were invalidated: what is yet to be restored with one of them is not. */
  tagsInvalidated(tags: readonly string[]): void {
    this.#persistence?.invalidateTags(tags);
  }

  drop(slot: number): void {
    this.#persistence?.delete(this.store.idAt(slot));
    this.store.remove(slot);
  }

  /** A key was expired that memory does not hold: a persistence may still be restoring it. */
  expireLater(id: KeyId): void {
    this.#persistence?.expire(id, this.time.now());
  }

  /** Ends the freshness of an entry now; what has no stale window left is gone. */
  expire(slot: number): void {
    const { store } = this;
    const now = this.time.now();
    if (store.times(slot).freshUntil > now) store.expire(slot, now);
    const id = store.idAt(slot);
    if (store.freshness(slot, now) === 'dead') {
      this.#counts.expirations++;
      this.drop(slot);
    } else if (this.#persistence !== undefined && this.valueIn(slot) !== undefined) {
      this.#persistence.set(id, store.entryOf(slot));
    }
    this.planUpkeep();
  }

  clear(): void {
    this.#persistence?.clear();
    this.store.clear();
  }

  /** Serves nothing that the tier has not confirmed. What is kept for the next process stays kept. */
  distrust(): void {
    if (this.#persistence === undefined) this.store.clear();
    else this.store.distrust();
  }

  /** Gives everything back. */
  stop(): void {
    this.time.stop();
    this.store.clear();
    this.#failures.clear();
  }

  planUpkeep(): void {
    const at = Math.min(this.store.diesFirst, this.#failures.forgetFirst);
    if (at !== Infinity) this.time.planUpkeep(at);
  }

  /** @returns true when it came to the end of the store */
  #sweepSlice(now: number): boolean {
    return this.store.sweep(now, VISITS_PER_SLICE, REMOVALS_PER_SLICE);
  }

  #upkeep(now: number): number {
    this.#failures.sweep(now);
    if (!this.#sweepSlice(now)) return now + 1;
    return Math.max(Math.min(this.store.diesFirst, this.#failures.forgetFirst), now + REST);
  }

  #departed(id: KeyId, key: K, cause: Departure): void {
    this.#persistence?.delete(id);
    if (cause === 'evict') this.#counts.evictions++;
    else this.#counts.expirations++;
    this.#events.tell(cause, key);
  }
}

/**
 * An entry whose value is read from the persistence when it is first wanted. A class, since a start
 * makes a million of them.
 */
class SealedEntry<K, V> implements StoredEntry<K, V> {
  readonly key: K;
  readonly weight: number;
  readonly #entry: Entry<V>;
  /** Milliseconds by which the clock that stored it was ahead. */
  readonly #ahead: number;

  constructor(entry: Entry<V>, key: K, weight: number, now: number) {
    const { createdAt } = entry;
    this.key = key;
    this.weight = weight;
    this.#entry = entry;
    this.#ahead = createdAt - timesFromElsewhere(entry, now).createdAt;
  }

  get createdAt(): number {
    return this.#entry.createdAt - this.#ahead;
  }

  get freshUntil(): number {
    return this.#entry.freshUntil - this.#ahead;
  }

  get value(): V {
    return this.#entry.value;
  }

  get staleWhileRevalidate(): number {
    return this.#entry.staleWhileRevalidate;
  }

  get staleIfError(): number {
    return this.#entry.staleIfError;
  }

  get tags(): readonly string[] {
    return this.#entry.tags;
  }
}
