import type { KeyId } from './cache-key.js';
import type { EntryTimes } from './entry.js';
import type { CacheParts } from './cache-parts.js';
import type { Flight } from './flight.js';
import type { Loads } from './load.js';
import { Patience, waitsForever } from './patience.js';
import type { Query } from './query.js';
import { readResult, type ReadResult } from './read-result.js';
import { refreshIsDue } from './refresh-ahead.js';
import type { Request } from './request.js';
import { Waiter } from './waiter.js';

/** How a query ends: with `answer` or `refuse`, each at most once. */
export interface Reply<V> {
  answer(result: ReadResult<V | undefined>): void;
  refuse(error: unknown): void;
}

/** The read path: memory, else the flight that runs, else a new one. */
export class Reads<K, V> {
  readonly #parts: CacheParts<K, V>;
  readonly #loads: Loads<K, V>;

  constructor(parts: CacheParts<K, V>, loads: Loads<K, V>) {
    this.#parts = parts;
    this.#loads = loads;
  }

  /** What memory may serve at once, `undefined` when it may not; begins a refresh where one is due. */
  fromMemory(query: Query<K, V>): ReadResult<V> | undefined {
    const { memory } = this.#parts;
    const { id, key, request } = query;
    if (request.refresh || memory.restoring) return undefined;
    // First: a look at the clock takes longer than one into memory.
    const slot = memory.store.slotOf(id);
    if (slot === undefined) return undefined;
    const now = memory.time.now();
    if (!memory.isAlive(slot, now) || !this.mayServe(slot)) return undefined;
    const freshness = memory.store.freshness(slot, now);
    if (freshness === 'fallback') return undefined;
    const held = memory.valueIn(slot);
    if (held === undefined) return undefined;
    const copy = this.copy(held.value, key);
    if (copy === undefined) return undefined;
    const stale = freshness === 'stale';
    const times = memory.store.times(slot);
    memory.store.use(slot);
    memory.time.looked(now, times.freshUntil);
    this.countHit(query, stale);
    if (query.loader !== undefined && refreshIsDue(times, now, this.#parts.options.refreshAhead)) {
      this.#refreshBehind(query, held.value, stale, now);
    }
    return readResult(copy.value, stale ? 'stale' : 'hit', 'memory', now, times);
  }

  /** The promise of a `get` that memory could not serve; shared where its callers cannot leave. */
  value(query: Query<K, V>): Promise<V | undefined> {
    if (this.#isPlain(query)) {
      const shared = this.join(query.id, query.key) ?? this.load(query);
      if (shared !== undefined) return shared;
    }
    return new Promise<V | undefined>((resolve, reject) => {
      const reply: Reply<V> = {
        answer: (result) => {
          resolve(result.value);
        },
        refuse: reject,
      };
      this.wait(query, reply, this.patience(query.request));
    });
  }

  result(query: Query<K, V>): Promise<ReadResult<V | undefined>> {
    return new Promise((resolve, reject) => {
      this.wait(query, { answer: resolve, refuse: reject }, this.patience(query.request));
    });
  }

  /**
   * Waits for what a load brings, or until the caller's patience ends.
   *
   * @param patience - the caller's, from `patience()`
   */
  wait(query: Query<K, V>, reply: Reply<V>, patience: Patience | undefined): void {
    new Waiter(this, this.#loads, this.#parts, query, reply, patience).begin();
  }

  /** The patience of a caller; `undefined` for one who waits as long as it takes. */
  patience(request: Request<K, V>): Patience | undefined {
    return waitsForever(request) ? undefined : new Patience(request, this.#parts.memory.time.clock);
  }

  /** A stale value that the loader's failure or slowness lets through. */
  fallback(query: Query<K, V>, flight: Flight<K, V> | undefined): ReadResult<V> | undefined {
    const { memory } = this.#parts;
    const now = memory.time.now();
    const slot = memory.find(query.id, now);
    if (slot !== undefined && this.mayServe(slot) && isFallback(memory.store.times(slot), now)) {
      const times = memory.store.times(slot);
      const held = memory.valueIn(slot);
      const copy = held && this.copy(held.value, query.key);
      return copy && readResult(copy.value, 'error-stale', 'memory', now, times);
    }
    const entry = flight?.fallback;
    if (entry === undefined || !isFallback(entry, now)) return undefined;
    const copy = this.copy(entry.value, query.key);
    return copy && readResult(copy.value, 'error-stale', 'tier', now, entry);
  }

  /** A copy of a value as `clone` makes it; `undefined` where it cannot be made. */
  copy(value: V, key: K): { readonly value: V } | undefined {
    const { clone } = this.#parts.options;
    try {
      return { value: clone === undefined ? value : clone(value) };
    } catch (error) {
      this.#parts.events.report(error, 'clone', key);
      return undefined;
    }
  }

  /** Joins the load that runs, as a caller who cannot leave; `undefined` where none may be shared. */
  join(id: KeyId, key: K): Promise<V> | undefined {
    const running = this.#parts.flights.get(id);
    return running && this.board(running, key);
  }

  /** The same for a load that is known. */
  board(running: Flight<K, V>, key: K): Promise<V> | undefined {
    const { counts, events, flights } = this.#parts;
    // An invalidation since it began may turn out to concern it, and then this caller too; and one that
    // was told to stop may bring nothing.
    if (running.invalidationsBefore !== flights.invalidations || running.signalled) {
      return undefined;
    }
    counts.misses++;
    counts.joined++;
    events.tell('miss', key);
    return running.share();
  }

  /** Begins a load for a caller who cannot leave; `undefined` where more must be considered. */
  load(query: Query<K, V>): Promise<V | undefined> | undefined {
    const { failures, flights, memory } = this.#parts;
    if (flights.get(query.id) !== undefined || failures.knows(query.id)) return undefined;
    if (query.loader === undefined) {
      this.countMiss(query, false);
      return Promise.resolve(undefined);
    }
    memory.store.missed(query.id);
    const flight = this.#loads.start(this.#loads.announce(query, 'load', false, undefined));
    this.countMiss(query, false);
    if (flight.registered && query.id === query.key) flights.latest = flight;
    return flight.share();
  }

  /** True for a caller who cannot leave, and whom nothing but a load can help. */
  #isPlain({ id, request }: Query<K, V>): boolean {
    const { memory, options, tier } = this.#parts;
    if (tier !== undefined || options.clone !== undefined || request.refresh) return false;
    if (memory.restoring || !waitsForever(request)) return false;
    // What memory still holds may be a fallback.
    return memory.store.slotOf(id) === undefined;
  }

  countMiss(query: Query<K, V>, joined: boolean): void {
    const { counts, events } = this.#parts;
    if (!query.counted) return;
    counts.misses++;
    if (joined) counts.joined++;
    events.tell('miss', query.key);
  }

  countHit(query: Query<K, V>, stale: boolean): void {
    const { counts, events } = this.#parts;
    if (!query.counted) return;
    counts.hits++;
    if (stale) counts.staleHits++;
    events.tell(stale ? 'stale' : 'hit', query.key);
  }

  /** True when memory may serve the entry as fresh. */
  isFresh(slot: number): boolean {
    const { store, time } = this.#parts.memory;
    if (!this.mayServe(slot)) return false;
    const now = time.now();
    time.looked(now, store.times(slot).freshUntil);
    return store.freshness(slot, now) === 'fresh';
  }

  /** True while what stands behind an entry lets memory serve it. */
  mayServe(slot: number): boolean {
    const { memory, tier } = this.#parts;
    if (tier === undefined) return true;
    const backing = memory.store.backingOf(slot);
    return backing === 'local' || (backing === 'tier' && tier.coherent());
  }

  /** Loads anew behind a value that was served, once however many callers come. */
  #refreshBehind(query: Query<K, V>, previous: V, stale: boolean, now: number): void {
    const { failures, flights } = this.#parts;
    const { id } = query;
    if (flights.get(id) !== undefined || !failures.mayRefresh(id, now)) return;
    // Timeouts are the patience of callers: a refresh that nobody waits for takes the time it needs.
    const copy = this.copy(previous, query.key)?.value;
    this.#loads.start(this.#loads.announce(query, stale ? 'load' : 'renew', true, copy)).pin();
  }
}

function isFallback({ freshUntil, staleIfError }: EntryTimes, now: number): boolean {
  return staleIfError > 0 && now < freshUntil + staleIfError;
}
