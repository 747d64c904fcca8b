/// <reference lib="esnext.disposable" preserve="true" />
import { assemble } from './assemble.js';
import { checkedIdOf, idOf, type KeyId } from './cache-key.js';
import type { Cache, GivenKey, LoadedValue, LoaderReturning, LoadingOptions } from './cache.js';
import type {
  AsyncCacheOptions,
  EntryOptions,
  GetManyOptions,
  GetOptions,
  LoadMany,
} from './cache-options.js';
import { describeValue } from './describe-value.js';
import { closedError, InvalidOptionError } from './errors.js';
import type { Flights } from './flights.js';
import { EVENT_NAMES, type CacheEventName, type CacheEvents } from './events.js';
import { getMany } from './get-many.js';
import type { CacheParts } from './cache-parts.js';
import type { Loader } from './loader.js';
import type { CacheMetrics, Counters } from './metrics.js';
import { waitsForever } from './patience.js';
import type { PersistenceLink } from './persistence-link.js';
import type { Query } from './query.js';
import type { Reads } from './read.js';
import type { ReadResult } from './read-result.js';
import { loaderOf, plainRequest, resolveRequest, type Request } from './request.js';
import { snapshotKey } from './snapshot-key.js';
import type { MemoryStore } from './store.js';
import type { TierLink } from './tier-link.js';
import type { Timekeeper } from './timekeeper.js';
import {
  Recorder,
  type TraceOptions,
  type TraceRecording,
  type TraceSink,
} from './trace-recording.js';
import { warmup, type WarmupEntries, type WarmupOptions, type WarmupReport } from './warmup.js';
import type { Writes } from './write.js';

const ABSENT = 0;
const UNDECIDED = -1;

/** Shared, since a promise made within a request would hold on to that request. */
const READY = Promise.resolve();

/** What a `get` may be given to load with. */
type LoadBy<K, V> = Loader<K, V> | GetOptions<K, V> | undefined;

/**
 * A cache for values that are costly to get: bounded memory, ttl and stale windows, one load per key
 * however many callers ask, and an invalidation that always wins against a load that runs.
 *
 * @example
 * const users = new AsyncCache<string, User>({ maxSize: 1000, ttl: '5m' });
 * const user = await users.get('42', (id) => database.findUser(id));
 */
export class AsyncCache<K = unknown, V = any> implements Cache<K, V>, AsyncDisposable {
  readonly name: string;
  readonly ready: Promise<void>;

  readonly #parts: CacheParts<K, V>;
  readonly #reads: Reads<K, V>;
  readonly #writes: Writes<K, V>;
  readonly #persistence: PersistenceLink<K, V> | undefined;
  readonly #plain: Request<K, V>;
  readonly #plainWaitsForever: boolean;
  readonly #recorders = new Set<Recorder>();
  #closing: Promise<void> | undefined;

  // What a hit needs, within reach.
  readonly #store: MemoryStore<K, V>;
  readonly #flights: Flights<K, V>;
  readonly #time: Timekeeper;
  readonly #counts: Counters;
  readonly #tier: TierLink<K> | undefined;
  /** True while a fresh entry in memory may be handed out with nothing else to consider. */
  #direct = false;

  /** @throws InvalidOptionError for an option that cannot be meant */
  constructor(options: AsyncCacheOptions<K, V> = {}) {
    const { parts, reads, writes, persistence } = assemble(options);
    this.name = parts.options.name;
    this.#parts = parts;
    this.#reads = reads;
    this.#writes = writes;
    this.#persistence = persistence;
    this.#plain = plainRequest(parts.options);
    this.#plainWaitsForever = waitsForever(this.#plain);
    this.#store = parts.memory.store;
    this.#flights = parts.flights;
    this.#time = parts.memory.time;
    this.#counts = parts.counts;
    this.#tier = parts.tier;
    this.ready = persistence || parts.tier ? this.#whenReady() : READY;
    // Whoever does not await it learns of a failure through the `error` event.
    this.ready.catch(() => undefined);
    void persistence?.restored.then(() => {
      this.#decideDirect();
    });
    this.#decideDirect();
  }

  get size(): number {
    return this.#parts.memory.size;
  }

  get(key: K): Promise<V | undefined>;
  get<T extends V = V, Key extends K = K>(
    key: Key,
    load: LoaderReturning<GivenKey<K, Key>, V, T> | LoadingOptions<GivenKey<K, Key>, V, T>,
  ): Promise<LoadedValue<V, T>>;
  get(key: K, options: GetOptions<K, V>): Promise<V | undefined>;
  get(key: K, by?: LoadBy<K, V>): Promise<V | undefined> {
    if (typeof by === 'function' || by === undefined) {
      const { latest } = this.#flights;
      if (latest !== undefined && latest.query.id === key && by !== undefined && this.#direct) {
        const joined = this.#plainWaitsForever ? this.#reads.board(latest, key) : undefined;
        if (joined !== undefined) return joined;
      }
      const slot = this.#hotSlot(key);
      if (slot > 0) {
        // First: a policy of the user's may empty the slot.
        const value = this.#store.values[slot] as V;
        this.#store.use(slot);
        this.#counts.hits++;
        return Promise.resolve(value);
      }
      if (slot === ABSENT && by !== undefined && this.#plainWaitsForever) {
        const id = key as KeyId;
        const value =
          this.#reads.join(id, key) ??
          this.#reads.load({ id, key, loader: by, request: this.#plain, counted: true });
        if (value !== undefined) return value;
      }
    }
    return this.#get(key, by);
  }

  /**
   * The hot path of a read: a string or number, a fresh entry, nobody to tell. Answers with the slot
   * of the entry, with `ABSENT` when there is none, or with `UNDECIDED` when more must be considered.
   */
  #hotSlot(key: K): number {
    if (!this.#direct) return UNDECIDED;
    if (typeof key !== 'number' && !(typeof key === 'string' && key.charCodeAt(0) !== 0)) {
      return UNDECIDED;
    }
    const slot = this.#store.slots.get(key);
    return slot === undefined ? this.#slotElsewhere(key) : this.#servable(slot);
  }

  /** The same for a key that memory looks for in more than one place. */
  #slotElsewhere(key: string | number): number {
    const slot = this.#store.index.getInShards(key);
    if (slot !== undefined) return this.#servable(slot);
    return this.#tier === undefined && !this.#store.hasArchived ? ABSENT : UNDECIDED;
  }

  #servable(slot: number): number {
    const cell = this.#store.freshCells[slot] as number;
    const isFresh = cell < 0 || (cell > this.#time.horizon && this.#time.trusted);
    if (!isFresh || (this.#tier !== undefined && !this.#reads.mayServe(slot))) return UNDECIDED;
    return slot;
  }

  #get(key: K, by: LoadBy<K, V>): Promise<V | undefined> {
    try {
      const query = this.#query(key, by);
      const held = this.#reads.fromMemory(query);
      return held === undefined ? this.#reads.value(query) : Promise.resolve(held.value);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getWithMeta(key: K): Promise<ReadResult<V | undefined>>;
  getWithMeta<T extends V = V, Key extends K = K>(
    key: Key,
    load: LoaderReturning<GivenKey<K, Key>, V, T> | LoadingOptions<GivenKey<K, Key>, V, T>,
  ): Promise<ReadResult<LoadedValue<V, T>>>;
  getWithMeta(key: K, options?: GetOptions<K, V>): Promise<ReadResult<V | undefined>>;
  async getWithMeta(key: K, by?: LoadBy<K, V>): Promise<ReadResult<V | undefined>> {
    const query = this.#query(key, by);
    return this.#reads.fromMemory(query) ?? (await this.#reads.result(query));
  }

  async getMany<T extends V = V, Key extends K = K>(
    keys: Iterable<Key>,
    options?: LoadMany<GivenKey<K, Key>, T> | GetManyOptions<GivenKey<K, Key>, V>,
  ): Promise<Map<GivenKey<K, Key>, LoadedValue<V, T>>> {
    this.#checkOpen();
    const by = options as LoadMany<K, V> | GetManyOptions<K, V> | undefined;
    const found: Map<unknown, unknown> = await getMany(this.#parts, this.#reads, keys, by);
    return found as Map<GivenKey<K, Key>, LoadedValue<V, T>>;
  }

  peek(key: K): V | undefined {
    const hot = this.#hotSlot(key);
    if (hot > 0) return this.#store.values[hot] as V;
    const slot = this.#freshSlot(key);
    if (slot === undefined) return undefined;
    const held = this.#parts.memory.valueIn(slot);
    return held && this.#reads.copy(held.value, key)?.value;
  }

  has(key: K): boolean {
    return this.#freshSlot(key) !== undefined;
  }

  set(key: K, value: V, options?: EntryOptions<V>): Promise<void> {
    try {
      this.#checkOpen();
      return this.#writes.set(key, value, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async setMany(entries: Iterable<readonly [K, V]>, options?: EntryOptions<V>): Promise<void> {
    this.#checkOpen();
    return this.#writes.setMany(entries, options);
  }

  async delete(key: K): Promise<boolean> {
    this.#checkOpen();
    return this.#writes.delete(key);
  }

  async expire(key: K): Promise<boolean> {
    this.#checkOpen();
    return this.#writes.expire(key);
  }

  async invalidateTags(...tags: string[]): Promise<void> {
    this.#checkOpen();
    return this.#writes.invalidateTags(tags);
  }

  async clear(): Promise<void> {
    this.#checkOpen();
    return this.#writes.clear();
  }

  async warmup(entries: WarmupEntries<K, V>, options?: WarmupOptions<K>): Promise<WarmupReport<K>> {
    this.#checkOpen();
    return warmup(this.#parts, this.#reads, this.#plain, entries, options);
  }

  getMetrics(): CacheMetrics {
    return this.#counts.snapshot(this.size);
  }

  on<E extends CacheEventName>(event: E, listener: (event: CacheEvents<K>[E]) => void): () => void {
    this.#checkOpen();
    if (!EVENT_NAMES.includes(event)) {
      throw new InvalidOptionError(
        `event must be one of ${EVENT_NAMES.join(', ')}, got ${describeValue(event)}`,
      );
    }
    if (typeof listener !== 'function') {
      throw new InvalidOptionError(`a listener must be a function, got ${describeValue(listener)}`);
    }
    const off = this.#parts.events.on(event, listener);
    this.#decideDirect();
    return () => {
      off();
      this.#decideDirect();
    };
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    const outcomes = await Promise.allSettled([
      this.#persistence?.flush(),
      this.#parts.tier?.flush(),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /**
   * Writes which keys are asked for, one a line, for `@acache/simulate`: it says which size and policy
   * would serve most of them. Reads cost an event more while that lasts.
   *
   * @param sink - a writable stream; when it is too slow or fails, accesses are left out and counted, and
   * what it fails with is an `error` event as well
   * @throws InvalidOptionError for what is no stream, or an option that cannot be meant
   */
  recordTrace(sink: TraceSink, options: TraceOptions = {}): TraceRecording {
    this.#checkOpen();
    const { events, memory } = this.#parts;
    const recorder = new Recorder(sink, options, memory.time.clock, (error) => {
      events.report(error, 'listener');
    });
    const offs = (['hit', 'stale', 'miss'] as const).map((event) =>
      this.on(event, ({ key }) => {
        recorder.record(key);
      }),
    );
    this.#recorders.add(recorder);
    recorder.begin(() => {
      for (const off of offs) off();
      this.#recorders.delete(recorder);
    });
    return recorder;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #whenReady(): Promise<void> {
    await Promise.all([this.#persistence?.ready, this.#parts.tier?.ready()]);
  }

  async #close(): Promise<void> {
    const { events, flights, memory, tier } = this.#parts;
    memory.closed = true;
    this.#decideDirect();
    const error = closedError(this.name);
    for (const flight of flights.running()) flight.cancel(error);
    flights.revokeAll();
    for (const recorder of this.#recorders) recorder.stop();
    await Promise.all([this.#persistence?.close(), tier?.close()]);
    memory.stop();
    events.clear();
  }

  #query(given: K, by: LoadBy<K, V>): Query<K, V> {
    this.#checkOpen();
    const { tier } = this.#parts;
    const id = checkedIdOf(given, tier);
    // The loader is called after the tier was asked, when the key may not be any more what it was.
    const key = tier === undefined ? given : snapshotKey(given);
    if (by === undefined) {
      return { id, key, loader: undefined, request: this.#plain, counted: true };
    }
    if (typeof by === 'function') {
      return { id, key, loader: by, request: this.#plain, counted: true };
    }
    if (typeof by !== 'object' || (by as unknown) === null) {
      throw new InvalidOptionError(
        `the second argument of get must be a loader or options, got ${describeValue(by)}`,
      );
    }
    const { options } = this.#parts;
    const request = resolveRequest(by, options);
    const loader = loaderOf(by, options.batcher);
    request.signal?.throwIfAborted();
    return { id, key, loader, request, counted: true };
  }

  #freshSlot(key: K): number | undefined {
    this.#checkOpen();
    const slot = this.#store.slotOf(idOf(key));
    return slot !== undefined && this.#reads.isFresh(slot) ? slot : undefined;
  }

  #checkOpen(): void {
    if (this.#parts.memory.closed) throw closedError(this.name);
  }

  #decideDirect(): void {
    const { events, memory, options } = this.#parts;
    this.#direct =
      !memory.closed &&
      !memory.restoring &&
      !events.hears('hit') &&
      options.clone === undefined &&
      options.refreshAhead === 1;
  }
}
