import type { Entry } from '@acache/core';
import { BEGINNING_LENGTH, idIn } from './beginning.js';
import { writeEnvelope } from './envelope.js';
import type { InOrder } from './in-order.js';
import { lifeOf } from './life.js';
import type { NamespaceParts } from './namespace-parts.js';
import { partsOf } from './parts.js';
import type { Removals } from './removals.js';

/** Of an entry that is set; `undefined` where this process has invalidated it before they were known. */
type StampsOfSet = Buffer[] | Promise<Buffer[] | undefined>;

/** Stores what the caller sets, with stamps by which what is invalidated from then on counts. */
export class Sets {
  readonly #parts: NamespaceParts;
  readonly #inOrder: InOrder;
  readonly #removals: Removals;

  constructor(parts: NamespaceParts, inOrder: InOrder, removals: Removals) {
    this.#parts = parts;
    this.#inOrder = inOrder;
    this.#removals = removals;
  }

  set(key: string, entry: Entry): Promise<void> {
    return this.#set(key, entry, this.#stampsFor(entry), undefined, this.#patience(1));
  }

  async setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    const stamps = new Map<string, StampsOfSet>();
    const until = this.#patience(entries.length);
    let before: Promise<unknown> | undefined;
    const settings: Promise<void>[] = [];
    for (const part of partsOf(entries)) {
      const first = before;
      const sets = part.map(([key, entry]) => {
        const tags = JSON.stringify(entry.tags);
        const known = stamps.get(tags) ?? this.#stampsFor(entry);
        stamps.set(tags, known);
        return this.#set(key, entry, known, first, until);
      });
      before = Promise.allSettled(sets);
      settings.push(...sets);
    }
    const outcomes = await Promise.allSettled(settings);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /**
   * The stamps that an entry is set with: as they are now, so that what is invalidated from now on
   * counts.
   */
  #stampsFor({ tags }: Entry): StampsOfSet {
    const { keys, stamps } = this.#parts;
    const stampKeys = [keys.all, ...tags.map((tag) => keys.tag(tag))];
    const asked = (): StampsOfSet =>
      stamps.allKept(stampKeys) ?? stamps.unlessRenewed(stampKeys, stamps.of(stampKeys));
    return this.#parts.opened()?.then(asked) ?? asked();
  }

  async #set(
    key: string,
    entry: Entry,
    stamps: StampsOfSet,
    before: Promise<unknown> | undefined,
    until: number,
  ): Promise<void> {
    const value = this.#parts.keys.value(key);
    const { renewals } = this.#parts.stamps;
    const first =
      before === undefined && Array.isArray(stamps) ? undefined : Promise.all([stamps, before]);
    try {
      // Nothing is awaited in there before it is sent: what is asked for next would overtake it.
      await this.#inOrder.run(value, first, async (waited) => {
        const used = waited === undefined ? (stamps as Buffer[]) : waited[0];
        const envelope = used && this.#envelope(entry, used);
        if (used === undefined || envelope === undefined) {
          await this.#removals.now(key);
          return;
        }
        const present = this.#stampsThen(entry);
        await this.#send(key, entry, envelope, until);
        const now = await present;
        const isOutdated = used.some((stamp, at) => now?.[at]?.equals(stamp) === false);
        // What this process has invalidated since then, it has invalidated for good.
        if (!isOutdated || renewals !== this.#parts.stamps.renewals) return;
        await this.#sendAgain(key, entry, envelope, now as Buffer[]);
      });
    } catch (error) {
      this.#removals.unsent.addKeys([key]);
      // Where it was not Redis that refused it, the older value goes at once.
      void this.#removals.unsent.trySend();
      throw error;
    }
  }

  /** The bytes of an entry; `undefined` for one that is good for nothing any more. */
  #envelope(entry: Entry, [namespace, ...tags]: readonly Buffer[]): Buffer | undefined {
    const { host, newId, settings } = this.#parts;
    const { compressAbove, maxTtl, serializer } = settings;
    if (lifeOf(entry, host.clock.now(), maxTtl) < 1) return undefined;
    const stamps = { namespace: namespace as Buffer, tags };
    return writeEnvelope(entry, newId(), stamps, serializer, compressAbove);
  }

  /**
   * The stamps just before an entry is set, where it is set with those that are kept: it may be set
   * after an invalidation elsewhere that was not heard of yet.
   */
  async #stampsThen(entry: Entry): Promise<Buffer[] | undefined> {
    const { keys, stamps } = this.#parts;
    const names = [keys.all, ...entry.tags.map((tag) => keys.tag(tag))];
    if (stamps.allKept(names) === undefined) return undefined;
    return stamps.readShared(names).catch(() => undefined);
  }

  async #send(key: string, entry: Entry, envelope: Buffer, until: number): Promise<void> {
    const { commands, keys, host, ownWrites, settings, tell } = this.#parts;
    const value = keys.value(key);
    const life = lifeOf(entry, host.clock.now(), settings.maxTtl);
    ownWrites.wrote(value, idIn(envelope));
    const { stamps } = this.#parts;
    stamps.outlive(
      entry.tags.map((tag) => keys.tag(tag)),
      life,
    );
    const upTo = this.#removals.unsent.latest;
    await commands.set(value, envelope, Math.max(life, 1), tell({ keys: [key] }), until);
    this.#removals.unsent.settled(key, upTo);
  }

  /** Sets an entry with the stamps that it should have been set with, if it still stands there. */
  async #sendAgain(
    key: string,
    entry: Entry,
    envelope: Buffer,
    stamps: readonly Buffer[],
  ): Promise<void> {
    const { commands, host, keys, ownWrites, settings, tell } = this.#parts;
    const again = this.#envelope(entry, stamps);
    if (again === undefined) return;
    const value = keys.value(key);
    const life = lifeOf(entry, host.clock.now(), settings.maxTtl);
    ownWrites.wrote(value, idIn(again));
    const basis = envelope.subarray(0, BEGINNING_LENGTH);
    const args = [basis, '', again, Math.max(life, 1), ...tell({ keys: [key] })];
    const stored = await commands.run('commit', [value, keys.lock(key)], args);
    if (stored !== 1) ownWrites.correct(value, idIn(again), undefined);
  }

  /** Until when the cache waits for so many items, on the monotonic clock. */
  #patience(items: number): number {
    return performance.now() + this.#parts.settings.commandTimeout * Math.ceil(items / 100);
  }
}
