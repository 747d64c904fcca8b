import { idOf, wireKeyOf, type KeyId } from './cache-key.js';
import type { EntryOptions } from './cache-options.js';
import { describeValue } from './describe-value.js';
import { toMilliseconds, ttlToMilliseconds } from './duration.js';
import { InvalidOptionError } from './errors.js';
import type { CacheParts } from './cache-parts.js';
import { isThenable } from './is-thenable.js';
import { jittered, knownTags } from './landing.js';
import { brief, type StoredEntry } from './stored-entry.js';
import { checkTags } from './tags.js';
import type { InvalidateOptions } from './tier.js';
import { checkWeight } from './weight.js';

const DONE = Promise.resolve();
const NO_OPTIONS: EntryOptions = {};
const NO_TAGS: readonly string[] = [];

/**
 * The write path. Each of these changes memory before it returns, revokes the loads it makes
 * obsolete, then tells the tier, and then who listens; the promise settles when the tier has answered.
 */
export class Writes<K, V> {
  readonly #parts: CacheParts<K, V>;
  /** What is set without options is its value and the usual ttl, and nothing else. */
  readonly #isPlain: boolean;

  constructor(parts: CacheParts<K, V>) {
    this.#parts = parts;
    const { options, tier } = parts;
    const { clone, jitter, maxWeight, staleIfError, staleWhileRevalidate, ttl, weigh } = options;
    this.#isPlain =
      tier === undefined &&
      clone === undefined &&
      weigh === undefined &&
      maxWeight === Infinity &&
      typeof ttl === 'number' &&
      ttl > 0 &&
      jitter === 0 &&
      staleWhileRevalidate === 0 &&
      staleIfError === 0;
  }

  /** @throws what is wrong with the arguments */
  set(key: K, value: V, options: EntryOptions<V> | undefined): Promise<void> {
    const { events, tier } = this.#parts;
    const id = idOf(key);
    if (options === undefined && this.#isPlain && id === key) {
      if (this.#setPlain(id, key, value)) return DONE;
    }
    const wireKey = tier === undefined ? '' : wireKeyOf(id);
    const entry = this.#entryFor(key, value, options);
    if (tier === undefined) {
      this.#store(id, key, entry);
      return DONE;
    }
    return events.afterwards(() => {
      this.#store(id, key, entry);
      if (entry === undefined) return tier.delete(wireKey).then(() => undefined);
      return tier.set(wireKey, entry).then((taken) => {
        if (!taken) this.#shorten(id, entry);
      });
    });
  }

  async setMany(
    entries: Iterable<readonly [K, V]>,
    options: EntryOptions<V> | undefined,
  ): Promise<void> {
    const { events, tier } = this.#parts;
    // All is checked before anything changes.
    const drafts = checkPairs(entries).map(([key, value]) => {
      const id = idOf(key);
      const wireKey = tier === undefined ? '' : wireKeyOf(id);
      return { id, key, wireKey, entry: this.#entryFor(key, value, options) };
    });
    const kept = drafts.filter(({ entry }) => entry !== undefined) as {
      id: KeyId;
      wireKey: string;
      entry: StoredEntry<K, V>;
    }[];
    const gone = drafts.filter(({ entry }) => entry === undefined);
    const [taken] = await events.afterwards(() => {
      for (const { id, key, entry } of drafts) this.#store(id, key, entry);
      if (tier === undefined) return [true];
      return Promise.all([
        tier.setMany(kept.map(({ wireKey, entry }) => [wireKey, entry] as const)),
        ...gone.map(({ wireKey }) => tier.delete(wireKey)),
      ]);
    });
    if (!taken) for (const { id, entry } of kept) this.#shorten(id, entry);
  }

  async delete(key: K): Promise<boolean> {
    const { events, failures, flights, memory, tier } = this.#parts;
    const id = idOf(key);
    const wireKey = tier === undefined ? '' : wireKeyOf(id);
    const slot = memory.find(id, memory.time.now());
    flights.revoke(id);
    failures.forget(id);
    memory.forget(id, slot);
    const told = tier?.delete(wireKey);
    events.tell('delete', key);
    await told;
    return slot !== undefined;
  }

  async expire(key: K): Promise<boolean> {
    const { events, flights, memory, tier } = this.#parts;
    const id = idOf(key);
    const wireKey = tier === undefined ? '' : wireKeyOf(id);
    const slot = memory.find(id, memory.time.now());
    flights.revoke(id);
    if (slot !== undefined) memory.expire(slot);
    else memory.expireLater(id);
    const told = tier?.expire(wireKey);
    events.tell('expire', key);
    await told;
    return slot !== undefined;
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    const checked = checkTags(tags);
    if (checked.length === 0) return;
    this.dropTagged(checked);
    const told = this.#parts.tier?.invalidateTags(checked);
    this.#parts.events.emit('invalidate', { tags: checked });
    await told;
  }

  async clear(): Promise<void> {
    const { counts, events, tier } = this.#parts;
    this.dropAll();
    counts.reset();
    const told = tier?.clear();
    events.emit('clear', {});
    await told;
  }

  /** Takes out of memory what carries one of the tags, and revokes loads that do. */
  dropTagged(tags: readonly string[]): void {
    const { failures, flights, memory } = this.#parts;
    flights.invalidateTags(tags, (flight) => {
      const slot = memory.store.slotOf(flight.id);
      const held = slot === undefined ? [] : memory.store.tagsOf(slot);
      return [...held, ...knownTags(flight)];
    });
    for (const slot of memory.store.taggedWith(tags)) {
      failures.forget(memory.store.idAt(slot));
      memory.drop(slot);
    }
    failures.forgetTagged(tags);
    memory.tagsInvalidated(tags);
  }

  /** Takes keys out of memory, and revokes their loads: somebody else changed them. */
  dropKeys(ids: readonly KeyId[], { lookups, loads }: InvalidateOptions = {}): void {
    const { failures, flights, memory } = this.#parts;
    for (const id of ids) {
      if (loads === undefined) {
        // One that still asks the tier is told of the change there.
        if (lookups === undefined || flights.get(id)?.loading === true) flights.revoke(id);
        failures.forget(id);
      }
      memory.forget(id, memory.store.slotOf(id));
    }
  }

  dropAll(): void {
    const { failures, flights, memory } = this.#parts;
    flights.revokeAll();
    failures.clear();
    memory.clear();
  }

  /** Anything may have changed elsewhere: nothing is served before the tier has confirmed it. */
  distrustAll(): void {
    const { failures, flights, memory } = this.#parts;
    flights.revokeAll();
    failures.clear();
    memory.distrust();
  }

  #store(id: KeyId, key: K, entry: StoredEntry<K, V> | undefined): void {
    const { events, failures, flights, memory, tier } = this.#parts;
    flights.revoke(id);
    failures.forget(id);
    if (entry === undefined) memory.forget(id, memory.store.slotOf(id));
    else if (tier === undefined) memory.keep(id, entry, 'local', entry.createdAt);
    else if (tier.coherent()) memory.keep(id, entry, 'tier', entry.createdAt);
    else memory.keep(id, brief(entry, tier.degradedTtl), 'local', entry.createdAt);
    events.tell('set', key);
  }

  #setPlain(id: KeyId, key: K, value: V): boolean {
    const { events, failures, flights, memory } = this.#parts;
    checkValue(value);
    flights.revoke(id);
    failures.forget(id);
    if (!memory.keepPlain(id, value, memory.time.now())) return false;
    events.tell('set', key);
    return true;
  }

  /** The tier did not take an entry: memory alone may keep it for a short time only. */
  #shorten(id: KeyId, entry: StoredEntry<K, V>): void {
    const { memory, tier } = this.#parts;
    const slot = memory.store.slotOf(id);
    if (slot === undefined || tier === undefined || memory.closed) return;
    // Whatever is there now: an equal value that came after it, or the same one, expired meanwhile.
    if (!Object.is(memory.store.values[slot], entry.value)) return;
    const held = { ...memory.store.entryOf(slot), key: entry.key, weight: entry.weight };
    memory.keep(id, brief(held, tier.degradedTtl), 'local', memory.time.now());
  }

  /** What `set` stores; `undefined` when the value is not to be stored. */
  #entryFor(
    key: K,
    value: V,
    options: EntryOptions<V> = NO_OPTIONS,
  ): StoredEntry<K, V> | undefined {
    const { options: usual, memory } = this.#parts;
    if (typeof options !== 'object' || (options as unknown) === null) {
      throw new InvalidOptionError(`options must be an object, got ${describeValue(options)}`);
    }
    checkValue(value);
    const ttlOption = options.ttl === undefined ? usual.ttl : ttlToMilliseconds(options.ttl);
    const ttl =
      typeof ttlOption === 'function' ? ttlToMilliseconds(ttlOption(value, key)) : ttlOption;
    const { staleWhileRevalidate, staleIfError } = options;
    const revalidate =
      staleWhileRevalidate === undefined
        ? usual.staleWhileRevalidate
        : toMilliseconds(staleWhileRevalidate, 'staleWhileRevalidate');
    const ifError =
      staleIfError === undefined
        ? usual.staleIfError
        : toMilliseconds(staleIfError, 'staleIfError');
    const tags = options.tags === undefined ? NO_TAGS : checkTags(options.tags);
    const weight = usual.weigh === undefined ? 1 : checkWeight(usual.weigh(value, key));
    if (ttl === 0 || weight > usual.maxWeight) return undefined;
    const createdAt = memory.time.now();
    return {
      key,
      value: usual.clone === undefined ? value : usual.clone(value),
      createdAt,
      freshUntil: createdAt + jittered(ttl, usual.jitter),
      staleWhileRevalidate: revalidate,
      staleIfError: ifError,
      tags,
      weight,
    };
  }
}

function checkPairs<K, V>(entries: Iterable<readonly [K, V]>): (readonly [K, V])[] {
  const iterator = (entries as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator];
  const pairs: unknown[] = typeof iterator === 'function' ? [...entries] : [entries];
  const odd = pairs.find((pair) => !Array.isArray(pair) || pair.length !== 2);
  if (typeof iterator === 'function' && odd === undefined) return pairs as (readonly [K, V])[];
  throw new InvalidOptionError(
    `setMany takes an iterable of [key, value], got ${describeValue(odd ?? entries)}`,
  );
}

function checkValue(value: unknown): void {
  if (!isThenable(value)) return;
  throw new InvalidOptionError('a value must not be a promise: await it before it is stored');
}
