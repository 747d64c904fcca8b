import type { KeyId } from './cache-key.js';
import { ttlToMilliseconds, type Ttl } from './duration.js';
import type { Entry, EntryTimes } from './entry.js';
import type { LoadContext, Loader } from './loader.js';
import type { Query } from './query.js';
import { checkTags } from './tags.js';
import type { TierIntent, TierLease } from './tier.js';

/** Someone who waits for a flight and may leave before it ends. */
export interface Passenger<V> {
  /** The flight has a value. */
  landed(value: V): void;
  /** A stale value is there now, for those who wait too long. */
  foundFallback(): void;
  /** The flight failed. */
  failed(error: unknown): void;
  /** It only looked, and nothing was there. */
  foundNothing(): void;
  /** The cache is closed. */
  cancelled(error: unknown): void;
}

/** What the loader decided about its value, through its context. */
export interface Decisions {
  ttl: number | undefined;
  tags: string[];
  skipsStore: boolean;
}

const NOBODY: readonly never[] = [];
const NOT_FIRED = Symbol('not fired');

/**
 * One running load of one key. It stores its value only while it is registered in `Flights`: what
 * revokes it takes it out there. Callers who can leave are passengers; the others share one promise.
 */
export class Flight<K, V> {
  /** The question of the caller who began it. */
  readonly query: Query<K, V>;
  /** Its callers were already served. */
  readonly background: boolean;
  /** The value that is being refreshed. */
  readonly previous: V | undefined;
  /** The number of the last tag invalidation before it began. */
  readonly invalidationsBefore: number;
  /** `undefined` while it only looks into the tier. */
  loader: Loader<K, V> | undefined;

  /** True while it may store its value; kept by `Flights`. */
  registered = false;
  /** True once its loader was called; before, it asks the tier. */
  loading = false;
  /** When the loader was called, and in which epoch of the metrics. */
  startedAt = 0;
  epoch = 0;
  /** Where its value came from. */
  source: 'loader' | 'tier' = 'loader';
  /** The instants of its value, once it landed; `undefined` when it was not stored. */
  times: EntryTimes | undefined = undefined;
  /** The number of the invalidation that hit a tag of its value, if one did. */
  taintedBy: number | undefined = undefined;
  /** True once a caller found it too slow. */
  overdue = false;
  /** True for a refresh that others may still join who ask at once, with no await between. */
  boarding = false;
  decisions: Decisions | undefined = undefined;
  /** What part of the tier's deadline its callers are still ready to wait, from 0 to 1. */
  patienceLeft = 1;
  /** Tags of its value, where callers have it before it is stored. */
  tags: readonly string[] | undefined = undefined;
  /** What the tier had, for callers whom its load fails; memory may not vouch for it that long. */
  fallback: Entry<V> | undefined = undefined;
  /** The right to load the key for all processes, while it holds. */
  lease: TierLease | undefined = undefined;

  readonly #intent: TierIntent;
  #state: 'flying' | 'landed' | 'failed' = 'flying';
  #result: unknown = undefined;
  #promise: Promise<V> | undefined = undefined;
  #resolve: ((value: V) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  /** Most flights have one, who needs no set. */
  #passenger: Passenger<V> | undefined = undefined;
  #otherPassengers: Set<Passenger<V>> | undefined = undefined;
  /** Somebody waits who cannot leave, or the load is wanted for itself. */
  #pinned = false;
  #anyTimedOut = false;
  /** The reason with which the signal has fired. */
  #fired: unknown = NOT_FIRED;
  #controller: AbortController | undefined = undefined;

  constructor(
    query: Query<K, V>,
    intent: TierIntent,
    background: boolean,
    previous: V | undefined,
    invalidationsBefore: number,
  ) {
    this.query = query;
    this.loader = query.loader;
    this.background = background;
    this.previous = previous;
    this.invalidationsBefore = invalidationsBefore;
    this.#intent = intent;
  }

  get id(): KeyId {
    return this.query.id;
  }

  get flying(): boolean {
    return this.#state === 'flying';
  }

  /** True once the loader's signal has fired. */
  get signalled(): boolean {
    return this.#fired !== NOT_FIRED;
  }

  /** Whether its loader failed with nothing but that it was told to stop. */
  stoppedBy(error: unknown): boolean {
    if (!this.signalled) return false;
    if (error === this.#fired) return true;
    // What `fetch`, streams and timers of the platforms reject with.
    return (error as { name?: unknown } | null | undefined)?.name === 'AbortError';
  }

  /** True once its last caller has left, and nobody can join any more. */
  get abandoned(): boolean {
    return this.signalled && !this.flying;
  }

  /** What it wants of the tier. */
  get intent(): TierIntent {
    return this.#intent === 'read' && this.loader !== undefined ? 'load' : this.#intent;
  }

  /** The signal of the loader; made when it is first asked for, since few loaders do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.signalled) this.#controller.abort(this.#fired);
    }
    return this.#controller.signal;
  }

  /** The promise that all callers share who cannot leave. */
  share(): Promise<V> {
    if (this.#state === 'landed') return Promise.resolve(this.#result as V);
    if (this.#state === 'failed') return Promise.reject(this.#result);
    if (this.#promise === undefined) {
      this.#pinned = true;
      this.#promise = new Promise<V>(takeEnds);
      this.#resolve = lastResolve;
      this.#reject = lastReject;
      // Left there, they would hold on to the promise and its value.
      lastResolve = lastReject = undefined;
    }
    return this.#promise;
  }

  /** Takes a passenger on; one who comes after the end is told at once. */
  board(passenger: Passenger<V>): void {
    if (this.#state === 'landed') passenger.landed(this.#result as V);
    else if (this.#state === 'failed') passenger.failed(this.#result);
    else if (this.#passenger === undefined) this.#passenger = passenger;
    else (this.#otherPassengers ??= new Set()).add(passenger);
  }

  /** Keeps the load going for its own sake when the last passenger has left. */
  pin(): void {
    this.#pinned = true;
  }

  /**
   * A passenger leaves. When it was the last, the loader's signal fires; the answer is then
   * `'abandoned'` if all left by their own signals, and `'last'` if one was out of time.
   */
  leave(
    passenger: Passenger<V>,
    timedOut: boolean,
    reason: unknown,
  ): 'last' | 'abandoned' | undefined {
    if (this.#passenger === passenger) this.#passenger = undefined;
    else if (this.#otherPassengers?.delete(passenger) !== true) return undefined;
    this.#anyTimedOut ||= timedOut;
    if (this.#pinned || this.#passengers.length > 0) return undefined;
    this.#fire(reason);
    return this.#anyTimedOut ? 'last' : 'abandoned';
  }

  /** A value came that impatient passengers may be served meanwhile. */
  foundFallback(): void {
    for (const passenger of this.#passengers) passenger.foundFallback();
  }

  land(value: V): void {
    if (!this.#end('landed', value)) return;
    this.#resolve?.(value);
    for (const passenger of this.#disembark()) passenger.landed(value);
  }

  fail(error: unknown): void {
    if (!this.#end('failed', error)) return;
    this.#reject?.(error);
    for (const passenger of this.#disembark()) passenger.failed(error);
  }

  /** Ends a flight that only looked. Such a flight has passengers only. */
  findNothing(): void {
    if (!this.#end('failed', undefined)) return;
    for (const passenger of this.#disembark()) passenger.foundNothing();
  }

  cancel(error: unknown): void {
    if (!this.#end('failed', error)) return;
    this.#reject?.(error);
    for (const passenger of this.#disembark()) passenger.cancelled(error);
    this.#fire(error);
  }

  #fire(reason: unknown): void {
    if (this.signalled) return;
    this.#fired = reason;
    this.#controller?.abort(reason);
  }

  #end(state: 'landed' | 'failed', result: unknown): boolean {
    if (!this.flying) return false;
    this.#state = state;
    this.#result = result;
    return true;
  }

  #disembark(): readonly Passenger<V>[] {
    const passengers = this.#passengers;
    this.#passenger = undefined;
    this.#otherPassengers = undefined;
    return passengers;
  }

  get #passengers(): readonly Passenger<V>[] {
    const [one, others] = [this.#passenger, this.#otherPassengers];
    if (others === undefined) return one === undefined ? NOBODY : [one];
    return one === undefined ? [...others] : [one, ...others];
  }
}

// One executor for all flights takes the ends of a promise without a closure for each.
let lastResolve: ((value: any) => void) | undefined;
let lastReject: ((error: unknown) => void) | undefined;
function takeEnds(resolve: (value: any) => void, reject: (error: unknown) => void): void {
  lastResolve = resolve;
  lastReject = reject;
}

/** What a loader sees of its flight. */
export class FlightContext<K, V> implements LoadContext<V> {
  readonly #flight: Flight<K, V>;

  constructor(flight: Flight<K, V>) {
    this.#flight = flight;
  }

  get signal(): AbortSignal {
    return this.#flight.signal;
  }

  get abandoned(): boolean {
    return this.#flight.abandoned;
  }

  get previous(): V | undefined {
    return this.#flight.previous;
  }

  get background(): boolean {
    return this.#flight.background;
  }

  // Getters that make a function, so that a loader may take its context apart.
  get ttl(): (ttl: Ttl) => void {
    return (ttl) => {
      this.#decisions().ttl = ttlToMilliseconds(ttl, 'context.ttl');
    };
  }

  get tag(): (...tags: string[]) => void {
    return (...tags) => {
      this.#decisions().tags.push(...checkTags(tags, 'context.tag'));
    };
  }

  get skipStore(): () => void {
    return () => {
      this.#decisions().skipsStore = true;
    };
  }

  #decisions(): Decisions {
    this.#flight.decisions ??= { ttl: undefined, tags: [], skipsStore: false };
    return this.#flight.decisions;
  }
}
