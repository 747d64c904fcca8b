import { diesAt, type Entry } from '@acache/core';
import type { Reading } from './commands.js';
import { HEAD_LENGTH, readEnvelope, type EntryEnvelope, type Envelope } from './envelope.js';
import { isWithheld, isWrongType } from './failures.js';
import type { NamespaceParts } from './namespace-parts.js';
import type { Placeholder } from './placeholder.js';

/** What a key holds, in the light of the stamps and the time. */
export type Seen =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly envelope: EntryEnvelope }
  | { readonly kind: 'placeholder'; readonly id: Buffer }
  /** Nothing that could be served; `head` is what stands there all the same. */
  | { readonly kind: 'nothing'; readonly head: Buffer }
  | { readonly kind: 'unavailable' };

/** The stamps that one lookup goes by, by their keys in Redis. */
export type PresentStamps = Map<string, Buffer>;

/** What says by which stamps it is good. */
type Stamped = EntryEnvelope | Placeholder;

const EMPTY = Buffer.alloc(0);

/** Makes out what was read: bytes, against the stamps that are valid now. */
export class Sight {
  readonly #parts: NamespaceParts;

  constructor(parts: NamespaceParts) {
    this.#parts = parts;
  }

  async one(redisKey: string, reading: Reading): Promise<Seen> {
    const present: PresentStamps = new Map();
    await this.learn(present, [this.#parts.keys.all]);
    const [seen] = await this.all([redisKey], [reading], present);
    return seen as Seen;
  }

  /** Makes out what was read; asks for the stamps of tags that only the entries name. */
  async all(
    redisKeys: readonly string[],
    readings: readonly Reading[],
    present: PresentStamps,
  ): Promise<Seen[]> {
    const { keys, settings } = this.#parts;
    const envelopes = readings.map((reading) =>
      Buffer.isBuffer(reading) ? readEnvelope(reading, settings.serializer) : undefined,
    );
    const tags = new Set<string>();
    for (const envelope of envelopes) {
      for (const tag of tagsOf(envelope)) tags.add(keys.tag(tag));
    }
    const failure = readings.find((reading) => reading instanceof Error && !isWrongType(reading));
    if (failure !== undefined) this.failed(failure);
    // After the values: a stamp that was put before a value was read must count for it.
    if (tags.size > 0) await this.learn(present, [...tags]);
    await this.#learnAnew(present, envelopes);
    const now = this.#parts.host.clock.now();
    return envelopes.map((envelope, at) =>
      this.#judge(redisKeys[at] as string, readings[at] as Reading, envelope, present, now),
    );
  }

  /**
   * Asks for the stamps of entries that seem to be invalid: their process may have heard of an
   * invalidation before this one, and what it stored since is good.
   */
  async #learnAnew(
    present: PresentStamps,
    envelopes: readonly (Envelope | undefined)[],
  ): Promise<void> {
    const { keys, stamps } = this.#parts;
    const doubtful = new Set<string>();
    for (const envelope of envelopes) {
      if (!isStamped(envelope) || this.#isValid(envelope, present)) continue;
      for (const key of [keys.all, ...envelope.tags.map((tag) => keys.tag(tag))]) doubtful.add(key);
    }
    const names = [...doubtful].filter((key) => stamps.kept(key) !== undefined);
    if (names.length === 0) return;
    const now = await stamps.read(names);
    names.forEach((key, at) => present.set(key, now[at] as Buffer));
  }

  #judge(
    redisKey: string,
    reading: Reading,
    envelope: Envelope | undefined,
    present: PresentStamps,
    now: number,
  ): Seen {
    if (isWrongType(reading)) {
      this.unreadable(redisKey, 'it is no string');
      return { kind: 'nothing', head: EMPTY };
    }
    if (reading instanceof Error) return { kind: 'unavailable' };
    if (envelope === undefined) return nothingIn(reading);
    if (envelope.kind === 'alien') {
      this.unreadable(redisKey, envelope.reason);
      return nothingIn(reading);
    }
    if (envelope.kind === 'placeholder') {
      // Who comes after an invalidation does not wait for what began before it.
      return this.#isValid(envelope, present) ? envelope : nothingIn(reading);
    }
    const { tags, times, weight } = envelope;
    if (diesAt(times) <= now || !this.#isValid(envelope, present)) return nothingIn(reading);
    try {
      const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = times;
      const value = envelope.value();
      // Not by a spread, which is slow: every hit passes here.
      const entry: Entry =
        weight === undefined
          ? { value, createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags }
          : { value, createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags, weight };
      this.#parts.ownWrites.saw(redisKey, envelope);
      return { kind: 'entry', entry, envelope };
    } catch (error) {
      this.unreadable(redisKey, error instanceof Error ? error.message : String(error));
      return nothingIn(reading);
    }
  }

  /** Whether nothing that it carries was invalidated since it was stored, or its load began. */
  #isValid(envelope: Stamped, present: PresentStamps): boolean {
    const { keys } = this.#parts;
    const all = present.get(keys.all);
    if (all === undefined || !hasNamespaceStamp(envelope, all)) return false;
    const { tags } = envelope;
    if (tags.length === 0) return true;
    const { stamps } = envelope;
    return tags.every((tag, at) => present.get(keys.tag(tag))?.equals(stamps.tags[at] as Buffer));
  }

  /** Adds the present stamps of keys that are not there yet. @throws (rejects) when Redis does not answer */
  async learn(present: PresentStamps, stampKeys: readonly string[]): Promise<void> {
    const unknown = stampKeys.filter((key) => !present.has(key));
    if (unknown.length === 0) return;
    const stamps = await this.#parts.stamps.of(unknown);
    unknown.forEach((key, at) => present.set(key, stamps[at] as Buffer));
  }

  /** What Redis refused or did not answer becomes an event; what was not sent was told of before. */
  failed(error: unknown, key?: string): void {
    if (!isWithheld(error)) this.#parts.host.fail(error, key);
  }

  unreadable(redisKey: string, reason: string): void {
    this.#parts.counts.unreadable++;
    this.#parts.host.report('unreadable', { key: redisKey, reason });
  }
}

function isStamped(envelope: Envelope | undefined): envelope is Stamped {
  return envelope?.kind === 'entry' || envelope?.kind === 'placeholder';
}

function tagsOf(envelope: Envelope | undefined): readonly string[] {
  return isStamped(envelope) ? envelope.tags : [];
}

function hasNamespaceStamp(envelope: Stamped, stamp: Buffer): boolean {
  if (envelope.kind === 'entry') return envelope.hasNamespaceStamp(stamp);
  return envelope.stamps.namespace.equals(stamp);
}

function nothingIn(reading: Buffer | null): Seen {
  return { kind: 'nothing', head: reading?.subarray(0, HEAD_LENGTH) ?? EMPTY };
}
