import { wireKeyOf } from './cache-key.js';
import { timesFromElsewhere, type Entry, type EntryTimes } from './entry.js';
import { closedError, LoadTimeoutError } from './errors.js';
import type { Flight, Passenger } from './flight.js';
import type { CacheParts } from './cache-parts.js';
import type { Loads } from './load.js';
import type { Patience, Waiting } from './patience.js';
import { readResult, type ReadResult } from './read-result.js';
import type { Query } from './query.js';
import type { Reads, Reply } from './read.js';
import type { TierLink } from './tier-link.js';

/**
 * One caller on its way to a value: it boards the flight of its key, or begins one, and boards
 * another where that flight may not give it its value.
 */
export class Waiter<K, V> implements Passenger<V>, Waiting {
  readonly #reads: Reads<K, V>;
  readonly #loads: Loads<K, V>;
  readonly #parts: CacheParts<K, V>;
  readonly #query: Query<K, V>;
  readonly #reply: Reply<V>;
  readonly #patience: Patience | undefined;

  #flight: Flight<K, V> | undefined;
  #joined = false;
  /** What it boarded had been told to stop before, when everybody else had left. */
  #joinedTooLate = false;
  /** The number of the last tag invalidation when it boarded. */
  #invalidations = 0;
  #counted: boolean;
  /** The epoch of the metrics in which it came; after a clear it counts no more. */
  readonly #epoch: number;
  #ended = false;
  #impatient = false;
  /** The tier is asked for what a refresh replaces; whether that fails matters only afterwards. */
  #looksBeside = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    reads: Reads<K, V>,
    loads: Loads<K, V>,
    parts: CacheParts<K, V>,
    query: Query<K, V>,
    reply: Reply<V>,
    patience: Patience | undefined,
  ) {
    this.#reads = reads;
    this.#loads = loads;
    this.#parts = parts;
    this.#query = query;
    this.#reply = reply;
    this.#patience = patience;
    this.#counted = !query.counted;
    this.#epoch = parts.counts.epoch;
  }

  begin(): void {
    const { memory, options } = this.#parts;
    if (memory.closed) {
      this.#refuse(closedError(options.name));
      return;
    }
    this.#patience?.add(this);
    if (this.#ended) return;
    if (memory.restoring)
      void memory.restored.then(() => this.#lookAgain(this.#query.request.refresh));
    else this.#board(this.#query.request.refresh);
  }

  landed(value: V): void {
    const flight = this.#flight;
    // It has left meanwhile: what others did when they were told may have made it leave.
    if (flight === undefined) return;
    // Its tags were invalidated before this caller came: the value is too old for it.
    if (flight.taintedBy !== undefined && this.#invalidations >= flight.taintedBy) {
      this.#lookAgain();
      return;
    }
    const now = this.#parts.memory.time.now();
    const { source, times } = flight;
    const copy = this.#joined ? this.#reads.copy(value, this.#query.key) : undefined;
    const given = copy === undefined ? value : copy.value;
    if (source === 'tier') {
      this.#answerFromTier(given, now, times);
      return;
    }
    this.#countMiss();
    this.#answer(readResult(given, this.#joined ? 'joined' : 'miss', source, now, times));
  }

  failed(error: unknown): void {
    if (this.#ended) return;
    // It stopped since all others had left, which is no failure of this caller's: who can, loads anew.
    if (this.#joinedTooLate && this.#flight?.stoppedBy(error) === true) this.#lookAgain();
    else if (this.#looksBeside) this.#failure = { error };
    else if (!this.#fallBack()) this.#refuse(error);
  }

  foundNothing(): void {
    if (this.#ended) return;
    if (this.#query.loader !== undefined) this.#lookAgain();
    else this.#answerNothing();
  }

  cancelled(error: unknown): void {
    this.#refuse(error);
  }

  foundFallback(): void {
    if (this.#impatient) this.grewImpatient();
  }

  grewImpatient(): void {
    this.#impatient = true;
    const flight = this.#flight;
    if (flight === undefined || !this.#fallBack()) return;
    flight.overdue = true;
    // The load is still wanted, though nobody may be left who waits for it.
    flight.pin();
    flight.leave(this, true, undefined);
  }

  ranOut(): void {
    const { key, request } = this.#query;
    const error = new LoadTimeoutError(this.#parts.options.name, key, request.timeout);
    if (this.#flight !== undefined) {
      this.#flight.overdue = true;
      this.#flight.leave(this, true, error);
    }
    if (!this.#fallBack()) this.#refuse(error);
  }

  gaveUp(reason: unknown): void {
    const flight = this.#flight;
    if (flight?.leave(this, false, reason) === 'abandoned') this.#loads.abandon(flight, reason);
    this.#refuse(reason);
  }

  /** Whatever runs or is stored now is new enough, even for a caller who asked for a refresh. */
  #lookAgain(refresh = false): void {
    if (this.#ended) return;
    this.#flight = undefined;
    if (this.#parts.memory.closed) {
      this.#refuse(closedError(this.#parts.options.name));
      return;
    }
    const query = {
      ...this.#query,
      counted: !this.#counted && this.#epoch === this.#parts.counts.epoch,
    };
    const held = refresh ? undefined : this.#reads.fromMemory(query);
    if (held === undefined) {
      this.#board(refresh);
      return;
    }
    this.#counted = true;
    this.#answer(held);
  }

  #board(refresh: boolean): void {
    const { flights, tier } = this.#parts;
    const { id, loader } = this.#query;
    let flight = flights.get(id);
    if (refresh && flight?.boarding !== true) flight = undefined;
    if (flight !== undefined) {
      flight.loader ??= loader;
      // Found too slow by another caller already: no need to find out again.
      if (flight.overdue && this.#fallBack()) return;
      this.#joined = true;
    } else {
      if (loader === undefined && tier === undefined) {
        this.#answerNothing();
        return;
      }
      if (!refresh && this.#meetsRememberedError()) return;
      this.#joined = false;
      flight = this.#announce(refresh);
    }
    this.#flight = flight;
    this.#joinedTooLate = this.#joined && flight.signalled;
    this.#invalidations = flights.invalidations;
    if (this.#patience === undefined) flight.pin();
    flight.board(this);
    // A loader may make its own caller leave, so the caller boards first.
    if (!this.#joined) this.#loads.start(flight);
    else if (tier !== undefined && flight.background) this.#lookBeside(flight, tier);
    // A miss for certain, where neither the tier nor a stale value can make it a hit.
    if (tier === undefined && this.#parts.memory.store.slotOf(id) === undefined) this.#countMiss();
  }

  #announce(refresh: boolean): Flight<K, V> {
    const { failures, memory } = this.#parts;
    const { id, key, loader } = this.#query;
    memory.store.missed(id);
    const slot = memory.store.slotOf(id);
    const isHeld = slot !== undefined && memory.isAlive(slot, memory.time.now());
    const held = isHeld ? memory.valueIn(slot) : undefined;
    const previous = held && this.#reads.copy(held.value, key)?.value;
    if (refresh) failures.forget(id);
    const intent = refresh ? 'refresh' : loader === undefined ? 'read' : 'load';
    const flight = this.#loads.announce(this.#query, intent, false, previous);
    if (refresh) {
      flight.boarding = true;
      void Promise.resolve().then(() => (flight.boarding = false));
    }
    return flight;
  }

  /** What a refresh replaces may be served while it runs: where memory may not, the tier is asked. */
  #lookBeside(flight: Flight<K, V>, tier: TierLink<K>): void {
    this.#looksBeside = true;
    const request = { key: wireKeyOf(this.#query.id), intent: 'read', tags: [] } as const;
    tier.lookup(request, (answer) => {
      this.#looksBeside = false;
      if (this.#ended) return;
      if (answer.kind === 'found' && this.#takeFromTier(answer.entry as Entry<V>)) {
        flight.leave(this, true, undefined);
      } else if (this.#failure !== undefined) this.failed(this.#failure.error);
    });
  }

  /** Answers with an entry of the tier that may be served; false where it may not. */
  #takeFromTier(entry: Entry<V>): boolean {
    const now = this.#parts.memory.time.now();
    const times = timesFromElsewhere(entry, now);
    if (now >= times.freshUntil + times.staleWhileRevalidate) return false;
    const copy = this.#reads.copy(entry.value, this.#query.key);
    if (copy === undefined) return false;
    this.#answerFromTier(copy.value, now, times);
    return true;
  }

  #answerFromTier(value: V, now: number, times: EntryTimes | undefined): void {
    const stale = times !== undefined && now >= times.freshUntil;
    if (this.#takesCount()) {
      this.#reads.countHit(this.#query, stale);
      this.#parts.counts.tierHits++;
    }
    this.#answer(readResult(value, stale ? 'stale' : 'hit', 'tier', now, times));
  }

  #meetsRememberedError(): boolean {
    const { failures, memory } = this.#parts;
    if (this.#query.loader === undefined || !failures.knows(this.#query.id)) return false;
    const failure = failures.remembered(this.#query.id, memory.time.now());
    if (failure === undefined) return false;
    if (!this.#fallBack()) this.#refuse(failure.error);
    return true;
  }

  /** Answers with a stale value that the failure or slowness of the loader lets through. */
  #fallBack(): boolean {
    if (this.#ended) return true;
    const stale = this.#reads.fallback(this.#query, this.#flight);
    if (stale === undefined) return false;
    if (this.#takesCount()) this.#reads.countHit(this.#query, true);
    this.#answer(stale);
    return true;
  }

  #countMiss(): void {
    if (this.#takesCount()) this.#reads.countMiss(this.#query, this.#joined);
  }

  /** True the first time it is asked, where this caller is to be counted. */
  #takesCount(): boolean {
    const takes = !this.#counted && this.#epoch === this.#parts.counts.epoch;
    this.#counted = true;
    return takes;
  }

  #answerNothing(): void {
    this.#countMiss();
    const now = this.#parts.memory.time.now();
    this.#answer(readResult(undefined, 'miss', undefined, now, undefined));
  }

  #answer(result: ReadResult<V | undefined>): void {
    if (this.#ended) return;
    this.#end();
    this.#reply.answer(result);
  }

  #refuse(error: unknown): void {
    if (this.#ended) return;
    this.#countMiss();
    this.#end();
    this.#reply.refuse(error);
  }

  #end(): void {
    this.#ended = true;
    this.#flight = undefined;
    this.#patience?.done(this);
  }
}
