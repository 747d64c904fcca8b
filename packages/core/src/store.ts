import { ArchivedEntries } from './archived-entries.js';
import { keyOfId, type KeyId } from './cache-key.js';
import { float64Column, grownLength, uint8Column } from './column.js';
import { diesAt, freshnessAt, type Entry, type EntryTimes, type Freshness } from './entry.js';
import type { Archive } from './persistence.js';
import type { StorePolicy } from './policy.js';
import { SlotIndex } from './slot-index.js';
import { BACKINGS, type Backing, type StoredEntry } from './stored-entry.js';
import { TagIndex } from './tag-index.js';

/** Why an entry left memory by itself. */
export type Departure = 'evict' | 'expire';

/** The store as the rest of the world may see it: synchronous, bounded, in this process's memory. */
export interface Store<V> {
  /** Entries held, those included that have died and were not yet swept away. */
  readonly occupied: number;
  slotOf(id: KeyId): number | undefined;
  freshness(slot: number, now: number): Freshness;
  valueOf(slot: number): V;
}

export interface StoreOptions<K> {
  readonly maxSize: number;
  readonly maxWeight: number;
  readonly policy: StorePolicy;
  /** Ttl that most entries have, in milliseconds: those need no room for the time they were stored at. */
  readonly usualTtl: number;
  /** Called after an entry left by itself. */
  readonly departed: (id: KeyId, key: K, cause: Departure) => void;
}

/** Everything in a store at one moment, the entry that the policy lets go first at the front. */
export interface Order {
  /** Where there is a position, the id is not told. */
  readonly ids: readonly KeyId[];
  /** 1 + its position, for an entry that still lies in an archive. */
  readonly positions: Uint32Array;
}

/** What an unbounded store holds at most: V8 makes a dictionary of a longer column, at a hundred times the cost. */
const MOST_ENTRIES = 2 ** 25 - 2;

/** An object key with its id; a primitive stands for itself. */
class ObjectKey<K> {
  constructor(
    readonly id: KeyId,
    readonly key: K,
  ) {}
}

/**
 * The level in memory. Entries lie in columns by slot rather than in an object each: `index` leads
 * from the key to the slot. What only some caches use (weights, stale windows, tags) takes no room
 * in the others.
 *
 * A cell of the freshness column says all that a hit must know: not negative, it is fresh until then;
 * negative, it never expires and was stored at -1 minus that; NaN, its value is sealed. The cell of a
 * free slot is -Infinity, and its value cell leads to the next free one. A sealed entry whose value cell
 * is a number lies in an archive, at that position, and has neither a key cell nor a place in `index`.
 *
 * The policy is told of a change when all else of it is done, since one of a user's may change the cache in turn.
 */
export class MemoryStore<K, V> implements Store<V> {
  readonly index = new SlotIndex();
  /** Where a hit looks first: all of the index, unless it is split. */
  readonly slots: ReadonlyMap<KeyId, number> = this.index.first;
  // Named, since older compilers do not know the type that this would have by itself.
  freshCells: Float64Array = new Float64Array(0);
  values: (V | Entry<V> | undefined)[] = [];
  #archived: ArchivedEntries<V> | undefined;
  #keys: (KeyId | ObjectKey<K>)[] = [];
  #createdAt: Float64Array | undefined;
  /** Per slot staleWhileRevalidate, then staleIfError. */
  #windows: Float64Array | undefined;
  #weights: Float64Array | undefined;
  #backings: Uint8Array | undefined;
  readonly #tags = new TagIndex();

  /** The first slot that was never used. */
  #nextSlot = 1;
  /** The first of the slots that are free again; 0 for none. */
  #firstFree = 0;
  #weight = 0;
  #sweepCursor = 1;
  #diesFirst = Infinity;
  /** What `#diesFirst` will be at the end of the sweep that runs. */
  #diesFirstAfterSweep = Infinity;

  readonly #departed: StoreOptions<K>['departed'];
  readonly #policy: StorePolicy;
  readonly #maxSize: number;
  readonly #maxWeight: number;
  readonly #usualTtl: number;

  constructor(options: StoreOptions<K>) {
    this.#departed = options.departed;
    this.#policy = options.policy;
    this.#maxSize = Math.min(options.maxSize, MOST_ENTRIES);
    this.#maxWeight = options.maxWeight;
    this.#usualTtl = options.usualTtl;
  }

  get occupied(): number {
    return this.index.size + (this.#archived?.count ?? 0);
  }

  /** Whether a key that has no slot may be in an archive. */
  get hasArchived(): boolean {
    return this.#archived !== undefined;
  }

  /** No entry dies before this instant. */
  get diesFirst(): number {
    return this.#diesFirst;
  }

  slotOf(id: KeyId): number | undefined {
    const slot = this.index.get(id);
    if (slot !== undefined || this.#archived === undefined) return slot;
    return this.#fromArchive(id);
  }

  freshness(slot: number, now: number): Freshness {
    const cell = this.freshCells[slot] as number;
    if (cell < 0 || now < cell) return 'fresh';
    const { freshUntil, staleWhileRevalidate, staleIfError } = this.times(slot);
    return freshnessAt(now, freshUntil, staleWhileRevalidate, staleIfError);
  }

  /** The instants of an entry, without its value. */
  times(slot: number): EntryTimes {
    const cell = this.freshCells[slot] as number;
    if (Number.isNaN(cell)) return timesOf(this.#sealedIn(slot));
    return {
      createdAt: cell < 0 ? -1 - cell : (this.#createdAt?.[slot] ?? cell - this.#usualTtl),
      freshUntil: cell < 0 ? Infinity : cell,
      staleWhileRevalidate: this.#windows?.[slot * 2] ?? 0,
      staleIfError: this.#windows?.[slot * 2 + 1] ?? 0,
    };
  }

  /** The value; one that is sealed is made now, and its error thrown after the entry is removed. */
  valueOf(slot: number): V {
    if (!Number.isNaN(this.freshCells[slot])) return this.values[slot] as V;
    if (this.#positionOf(slot) !== undefined) this.#fetch(slot, this.idAt(slot));
    const sealed = this.values[slot] as Entry<V>;
    let value: V;
    try {
      value = sealed.value;
    } catch (error) {
      this.remove(slot);
      throw error;
    }
    this.values[slot] = value;
    this.#writeTimes(slot, sealed);
    return value;
  }

  entryOf(slot: number): Entry<V> {
    const value = this.valueOf(slot);
    return { value, ...this.times(slot), tags: this.#tags.of(slot) };
  }

  keyOf(slot: number): K {
    const key = this.#keys[slot];
    if (key instanceof ObjectKey) return key.key;
    return (key === undefined ? keyOfId(this.idAt(slot)) : key) as K;
  }

  idAt(slot: number): KeyId {
    const key = this.#keys[slot];
    if (key !== undefined) return key instanceof ObjectKey ? key.id : key;
    const position = this.#positionOf(slot);
    return position === undefined ? undefined : this.#archived?.idAt(position);
  }

  backingOf(slot: number): Backing {
    return BACKINGS[this.#backings?.[slot] ?? 0] as Backing;
  }

  tagsOf(slot: number): readonly string[] {
    return this.#tags.of(slot);
  }

  /** A hit: counts for the policy. */
  use(slot: number): void {
    this.#policy.use(slot);
  }

  /** A miss: counts for the policy. */
  missed(id: KeyId): void {
    this.#policy.missed?.(id);
  }

  /**
   * Keeps an entry in place of what was there, and evicts until there is room. An entry heavier
   * than the whole store must not come here.
   */
  put(id: KeyId, entry: StoredEntry<K, V>, backing: Backing, now: number): void {
    let slot = this.slotOf(id);
    const known = slot !== undefined;
    if (slot === undefined) {
      slot = this.#takeSlot();
      this.#enter(slot, id, entry.key);
    } else {
      this.#tags.remove(slot);
      this.#weight -= this.#weights?.[slot] ?? 0;
    }
    this.values[slot] = entry.value;
    this.#writeTimes(slot, entry);
    this.#writeExtras(slot, entry, backing);
    this.#noteDeath(diesAt(entry));
    if (known) this.#policy.use(slot);
    else this.#policy.add(slot, id);
    this.#makeRoom(now);
  }

  /**
   * `put` of a value with the usual ttl and nothing else, under a primitive key: most of what is set, at
   * two thirds of the cost.
   *
   * @returns false where it may not, since the store holds more than such entries
   */
  putPlain(id: KeyId, value: V, now: number): boolean {
    if (this.#holdsMore) return false;
    let slot = this.index.get(id);
    if (slot === undefined && this.#policy.admitsAll === true && this.occupied >= this.#maxSize) {
      this.#replaceVictim(id, value, now);
      return true;
    }
    if (slot !== undefined) {
      this.#fill(slot, value, now);
      this.#policy.use(slot);
    } else {
      slot = this.#takeSlot();
      this.index.set(id, slot);
      this.#keys[slot] = id;
      this.#fill(slot, value, now);
      this.#policy.add(slot, id);
    }
    this.#makeRoom(now);
    return true;
  }

  /** Some entry has more than a value and the usual ttl, or lies elsewhere. */
  get #holdsMore(): boolean {
    return (
      this.#createdAt !== undefined ||
      this.#windows !== undefined ||
      this.#weights !== undefined ||
      this.#backings !== undefined ||
      this.#archived !== undefined ||
      !this.#tags.isEmpty
    );
  }

  /** The slot of the entry that goes becomes that of the newcomer, so that nothing is freed and taken again. */
  #replaceVictim(id: KeyId, value: V, now: number): void {
    const slot = this.#policy.victim();
    const [goneId, goneKey] = [this.idAt(slot), this.keyOf(slot)];
    const cause = this.#diesAt(slot) <= now ? 'expire' : 'evict';
    this.index.replace(goneId, id, slot);
    this.#policy.remove(slot);
    this.#keys[slot] = id;
    this.#policy.add(slot, id);
    this.#fill(slot, value, now);
    // Last: a listener may change the cache.
    this.#departed(goneId, goneKey, cause);
  }

  #fill(slot: number, value: V, now: number): void {
    const freshUntil = now + this.#usualTtl;
    this.values[slot] = value;
    this.freshCells[slot] = freshUntil === Infinity ? -1 - now : freshUntil;
    this.#noteDeath(freshUntil);
  }

  /**
   * Keeps an entry, under a key that is not there yet, whose value is made when it is first wanted. It
   * asks the index once: a start may restore a million entries.
   */
  putSealed(id: KeyId, entry: StoredEntry<K, V>, backing: Backing, now: number): void {
    // Not there, as far as the caller knows; but the archive is asked only where it may be.
    if (this.#archived?.slotOf(id) !== undefined) return;
    const slot = this.#takeSlot();
    const held = this.index.size;
    this.index.set(id, slot);
    if (this.index.size === held) {
      // It was there all the same, and stays.
      this.index.set(id, this.#twinOf(id));
      this.#giveUp(slot);
      return;
    }
    this.#keys[slot] = entry.key === (id as unknown) ? id : new ObjectKey(id, entry.key);
    this.values[slot] = entry;
    this.freshCells[slot] = NaN;
    this.#writeExtras(slot, entry, backing);
    this.#noteDeath(diesAt(entry));
    this.#policy.add(slot, id);
    this.#makeRoom(now);
  }

  /**
   * Keeps an entry that lies in an archive, under a key that is not there yet.
   *
   * @returns false where an entry must lie here: the policy wants to know its key, or there is another archive
   */
  putArchived(archive: Archive<V>, position: number, backing: Backing, now: () => number): boolean {
    if (this.#policy.knowsKeys !== false) return false;
    if ((this.#archived ??= new ArchivedEntries(archive)).archive !== archive) return false;
    const slot = this.#takeSlot();
    this.#archived.place(position, slot);
    this.values[slot] = position as V;
    this.freshCells[slot] = NaN;
    if (archive.isTagged(position)) this.#tags.add(slot, this.#archived.entryAt(position).tags);
    this.#writeBacking(slot, backing);
    this.#noteDeath(archive.diesAt(position));
    this.#policy.add(slot, undefined);
    // To look at the clock a million times takes longer than all this.
    if (this.occupied > this.#maxSize) this.#makeRoom(now());
    return true;
  }

  /** Where there is no room, counts entries that may not go as used, so that others go first. */
  spare(mayNotGo: (id: KeyId) => boolean): void {
    if (this.occupied < this.#maxSize && this.#weight < this.#maxWeight) return;
    for (let left = this.occupied; left > 0; left--) {
      const slot = this.#policy.victim();
      if (!mayNotGo(this.idAt(slot))) return;
      this.#policy.use(slot);
    }
  }

  /** Ends the freshness of an entry at `now`; its stale windows begin there. */
  expire(slot: number, now: number): void {
    const times = this.times(slot);
    const windows = Math.max(times.staleWhileRevalidate, times.staleIfError);
    if (Number.isNaN(this.freshCells[slot])) {
      const sealed = this.values[slot] as Entry<V>;
      this.values[slot] = {
        ...times,
        freshUntil: now,
        tags: sealed.tags,
        get value() {
          return sealed.value;
        },
      };
    } else {
      this.#writeTimes(slot, { ...times, freshUntil: now });
    }
    this.#noteDeath(now + windows);
  }

  /** Every entry needs the tier's word before it is served. */
  distrust(): void {
    this.#backings ??= uint8Column(this.freshCells.length);
    this.#backings.fill(BACKINGS.indexOf('restored'));
  }

  /** Takes an entry out. */
  remove(slot: number, id = this.idAt(slot)): void {
    if (this.freshCells[slot] === -Infinity) return;
    const position = this.#positionOf(slot);
    if (position === undefined) this.index.delete(id);
    else this.#leaveArchive(position);
    this.#tags.remove(slot);
    // The cell stays, since the policy may yet ask for it.
    this.#weight -= this.#weights?.[slot] ?? 0;
    this.#giveUp(slot);
    this.#policy.remove(slot);
    // An emptied store gives its columns back.
    if (this.occupied === 0 && this.freshCells.length > 64) this.clear();
  }

  /** Where in the archive the entry of a slot lies; `undefined` when it does not. */
  #positionOf(slot: number): number | undefined {
    if (this.#archived === undefined || !Number.isNaN(this.freshCells[slot])) return undefined;
    const held = this.values[slot];
    return typeof held === 'number' ? held : undefined;
  }

  /** The sealed entry in a slot, wherever it lies. */
  #sealedIn(slot: number): Entry<V> {
    const position = this.#positionOf(slot);
    if (position === undefined) return this.values[slot] as Entry<V>;
    return (this.#archived as ArchivedEntries<V>).entryAt(position);
  }

  /** The slot of a key that is asked for and lies in the archive, and here from now on. */
  #fromArchive(id: KeyId): number | undefined {
    const slot = this.#archived?.slotOf(id);
    if (slot !== undefined) this.#fetch(slot, id);
    return slot;
  }

  /** The entry in a slot lies here from now on. */
  #fetch(slot: number, id: KeyId): void {
    const position = this.#positionOf(slot) as number;
    this.values[slot] = this.#sealedIn(slot);
    this.#leaveArchive(position);
    this.#enter(slot, id, keyOfId(id) as K);
  }

  #leaveArchive(position: number): void {
    this.#archived?.take(position);
    // What nobody needs any more may be large.
    if (this.#archived?.count === 0) this.#archived = undefined;
  }

  /** A slot has a key. */
  #enter(slot: number, id: KeyId, key: K): void {
    this.index.set(id, slot);
    this.#keys[slot] = key === (id as unknown) ? id : new ObjectKey(id, key);
  }

  /** The slot that holds a key of which the index has lost track. */
  #twinOf(id: KeyId): number {
    let slot = 1;
    while (this.freshCells[slot] === -Infinity || this.idAt(slot) !== id) slot++;
    return slot;
  }

  /** A slot is free again. */
  #giveUp(slot: number): void {
    this.values[slot] = this.#firstFree as V;
    this.#keys[slot] = undefined;
    this.freshCells[slot] = -Infinity;
    this.#firstFree = slot;
  }

  /** The entries that carry any of the tags. */
  taggedWith(tags: readonly string[]): number[] {
    return this.#tags.slotsWith(tags);
  }

  /** Slots of all entries, the one that the policy lets go first at the front. */
  order(): Iterable<number> {
    return this.#policy.order();
  }

  /** Whether an entry is in a slot; of a policy's word for it, anything may come. */
  holds(slot: number): boolean {
    if (!Number.isInteger(slot) || slot < 1 || slot >= this.#nextSlot) return false;
    return this.freshCells[slot] !== -Infinity;
  }

  /** Slots of all entries; up to a million of them, the one that came in first at the front. */
  *heldSlots(): Generator<number> {
    if (this.#archived !== undefined) yield* this.#archived.slots();
    yield* this.index.values();
  }

  /** All entries as they are now: whoever reads the order slowly must not follow links that change under it. */
  snapshot(): Order {
    const ids: KeyId[] = [];
    const positions = new Uint32Array(this.#archived ? this.occupied : 0);
    for (const slot of this.order()) {
      const position = this.#positionOf(slot);
      if (position !== undefined) positions[ids.length] = position + 1;
      ids.push(position === undefined ? this.idAt(slot) : undefined);
    }
    return { ids, positions };
  }

  clear(): void {
    this.#archived = undefined;
    this.index.clear();
    this.values = [];
    this.#keys = [];
    this.freshCells = new Float64Array(0);
    this.#createdAt = undefined;
    this.#windows = undefined;
    this.#weights = undefined;
    this.#backings = undefined;
    this.#tags.clear();
    this.#nextSlot = 1;
    this.#firstFree = 0;
    this.#weight = 0;
    this.#sweepCursor = 1;
    this.#diesFirst = Infinity;
    this.#diesFirstAfterSweep = Infinity;
    this.#policy.clear();
  }

  /**
   * Removes entries that died before `now`: goes on where the last call stopped, for at most
   * `visits` slots or `removals` entries. Returns true when it came to the end.
   */
  sweep(now: number, visits = Infinity, removals = Infinity): boolean {
    if (this.#sweepCursor === 1) this.#diesFirstAfterSweep = Infinity;
    while (this.#sweepCursor < this.#nextSlot) {
      if (visits-- <= 0 || removals <= 0) return false;
      const slot = this.#sweepCursor++;
      const death = this.#diesAt(slot);
      if (death <= now) {
        removals--;
        this.depart(slot, 'expire');
        if (this.occupied === 0) break;
      } else if (death < this.#diesFirstAfterSweep) {
        this.#diesFirstAfterSweep = death;
      }
    }
    this.#sweepCursor = 1;
    this.#diesFirst = this.#diesFirstAfterSweep;
    return true;
  }

  /** Entries that have died before `now`, without removing them, which takes a hundred times as long. */
  countDead(now: number): number {
    const [cells, end] = [this.freshCells, this.#nextSlot];
    let dead = 0;
    for (let slot = 1; slot < end; slot++) {
      // Most are told by their cell alone: still fresh, without an end, or free.
      if (!((cells[slot] as number) < 0 || (cells[slot] as number) > now)) {
        if (this.#diesAt(slot) <= now) dead++;
      }
    }
    return dead;
  }

  #noteDeath(death: number): void {
    if (death < this.#diesFirst) this.#diesFirst = death;
    if (death < this.#diesFirstAfterSweep) this.#diesFirstAfterSweep = death;
  }

  /** When the entry of a slot dies; `Infinity` for a free slot. */
  #diesAt(slot: number): number {
    const cell = this.freshCells[slot] as number;
    if (cell < 0) return Infinity;
    if (Number.isNaN(cell)) {
      const position = this.#positionOf(slot);
      if (position === undefined) return diesAt(this.values[slot] as Entry<V>);
      return (this.#archived as ArchivedEntries<V>).archive.diesAt(position);
    }
    const windows = this.#windows;
    if (windows === undefined) return cell;
    return cell + Math.max(windows[slot * 2] as number, windows[slot * 2 + 1] as number);
  }

  /** Takes an entry out that leaves by itself, and tells of it. */
  depart(slot: number, cause: Departure): void {
    const id = this.idAt(slot);
    const key = this.keyOf(slot);
    this.remove(slot, id);
    this.#departed(id, key, cause);
  }

  #makeRoom(now: number): void {
    while (this.occupied > this.#maxSize || this.#weight > this.#maxWeight) {
      // Weights of a size where sums are no longer exact may leave something behind.
      if (this.occupied === 0) {
        this.#weight = 0;
        return;
      }
      const slot = this.#policy.victim();
      // A policy of a user's has emptied the cache meanwhile.
      if (slot === 0) continue;
      this.depart(slot, this.#diesAt(slot) <= now ? 'expire' : 'evict');
    }
  }

  #takeSlot(): number {
    const free = this.#firstFree;
    if (free !== 0) {
      this.#firstFree = this.values[free] as number;
      return free;
    }
    if (this.#nextSlot >= this.freshCells.length) this.#grow();
    return this.#nextSlot++;
  }

  #grow(): void {
    // No more than can be in use: a new entry comes in before the one that makes room goes, and more than one
    // where a policy changes the cache when it is asked.
    const most = Math.max(this.#maxSize + 2, this.#nextSlot + 1);
    const capacity = Math.min(Math.max(16, grownLength(this.freshCells.length, most)), most);
    this.values.length = capacity;
    this.#keys.length = capacity;
    this.freshCells = grown(this.freshCells, float64Column(capacity));
    if (this.#createdAt) this.#createdAt = grown(this.#createdAt, float64Column(capacity));
    if (this.#windows) this.#windows = grown(this.#windows, float64Column(capacity * 2));
    if (this.#weights) this.#weights = grown(this.#weights, float64Column(capacity));
    if (this.#backings) this.#backings = grown(this.#backings, uint8Column(capacity));
  }

  #writeTimes(slot: number, times: EntryTimes): void {
    const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = times;
    this.freshCells[slot] = freshUntil === Infinity ? -1 - createdAt : freshUntil;
    if (this.#createdAt !== undefined) {
      this.#createdAt[slot] = createdAt;
    } else if (freshUntil !== Infinity && freshUntil - createdAt !== this.#usualTtl) {
      this.#createdAt = this.freshCells.map((cell) => cell - this.#usualTtl);
      this.#createdAt[slot] = createdAt;
    }
    if (this.#windows === undefined && (staleWhileRevalidate > 0 || staleIfError > 0)) {
      this.#windows = float64Column(this.freshCells.length * 2);
    }
    if (this.#windows !== undefined) {
      this.#windows[slot * 2] = staleWhileRevalidate;
      this.#windows[slot * 2 + 1] = staleIfError;
    }
  }

  #writeExtras(slot: number, entry: StoredEntry<K, V>, backing: Backing): void {
    if (entry.tags.length > 0) this.#tags.add(slot, entry.tags);
    if (this.#maxWeight !== Infinity) {
      this.#weights ??= float64Column(this.freshCells.length);
      this.#weights[slot] = entry.weight;
      this.#weight += entry.weight;
    }
    this.#writeBacking(slot, backing);
  }

  #writeBacking(slot: number, backing: Backing): void {
    if (backing !== 'local') this.#backings ??= uint8Column(this.freshCells.length);
    if (this.#backings !== undefined) this.#backings[slot] = BACKINGS.indexOf(backing);
  }

  /** The weight of the entry in a slot, as a policy may ask for it. */
  weightOf(slot: number): number {
    return this.#weights?.[slot] ?? 1;
  }
}

function timesOf(entry: EntryTimes): EntryTimes {
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = entry;
  return { createdAt, freshUntil, staleWhileRevalidate, staleIfError };
}

function grown<T extends Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
