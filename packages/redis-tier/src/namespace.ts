import type { Entry, TierAnswer, TierHost, TierNamespace, TierRequest } from '@acache/core';
import type { Connection } from './connection.js';
import { BEGINNING_LENGTH, idIn } from './beginning.js';
import { headOf, writeEnvelope } from './envelope.js';
import { unavailable } from './failures.js';
import { InOrder } from './in-order.js';
import { giveBack, type Lease, type Returned } from './lease.js';
import { lifeOf } from './life.js';
import { partsOf } from './parts.js';
import { Lookups, LONGEST_WAIT } from './lookup.js';
import type { NamespaceParts } from './namespace-parts.js';
import { OwnWrites } from './own-writes.js';
import { PendingReads } from './pending-reads.js';
import { Stamps } from './stamps.js';
import { Unsent, type Removals } from './unsent.js';
import { Waiting } from './waiting.js';
import { writeIds } from './write-id.js';

/** Milliseconds beyond `commandTimeout` that the cache waits: Redis is given up on here first. */
const GRACE = 5;
/** Claims that are remembered to be given back. */
const MOST_OWED = 1000;
/** Milliseconds that a close spends on what is unsent. */
const CLOSE_WITHIN = 1500;

/** One cache's part of the tier. */
export class RedisNamespace implements TierNamespace {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly deadline: number;
  readonly busyDeadline = LONGEST_WAIT;
  readonly degradedTtl: number;
  readonly trust: number;

  readonly #connection: Connection;
  readonly #parts: NamespaceParts;
  readonly #lookups: Lookups;
  readonly #pending = new PendingReads();
  readonly #waiting = new Waiting();
  readonly #leases = new Set<Lease>();
  readonly #inOrder: InOrder;
  /** Changes that were told and are not through yet. */
  readonly #running = new Set<Promise<unknown>>();
  readonly #unsent: Unsent;
  /** Claims that could not be given back, until they run out by themselves. */
  readonly #owed: { readonly key: string; readonly claim: Returned; readonly until: number }[] = [];
  readonly #id: string;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, name: string, host: TierHost) {
    const { commands, counts, links, settings } = connection;
    const { commandTimeout, coherence, maxTtl, staleness } = settings;
    this.name = name;
    this.ready = connection.settled;
    this.deadline = commandTimeout + GRACE;
    this.degradedTtl = staleness;
    this.trust = coherence === 'none' ? staleness : 0;
    this.#connection = connection;
    this.#id = connection.newAttachment();
    this.#inOrder = new InOrder(commands.mayOvertake);
    this.#unsent = new Unsent({
      send: (removals) => this.#remove(removals),
      report: (state, detail) => {
        host.report(state, detail);
      },
    });
    this.#parts = {
      host,
      keys: connection.keys.of(name),
      settings,
      commands,
      stamps: new Stamps(commands, maxTtl, () => links.mode === 'tracking' && links.coherent()),
      ownWrites: new OwnWrites(commands, {
        foreign: (redisKeys) => {
          this.#foreign(redisKeys);
        },
        touched: (redisKeys) => {
          const changed = this.#keysOf(redisKeys);
          this.#toRead(changed);
          host.invalidate(changed, { loads: 'go on' });
        },
      }),
      renewals: connection.renewals,
      counts,
      newId: writeIds(),
      owe: (key, claim) => {
        // A value does not run out as a claim does: it is removed before anything is read again.
        if (claim.kind === 'stored') {
          this.#unsent.addKeys([key]);
          return;
        }
        if (this.#owed.length === MOST_OWED) this.#owed.shift();
        this.#owed.push({ key, claim, until: performance.now() + settings.lockTtl });
      },
      tell: (what) => links.tell({ from: this.#id, name, ...what }),
    };
    this.#lookups = new Lookups(this.#parts, this.#pending, this.#waiting, this.#leases);
  }

  /** Removals that Redis has not heard of. */
  get unsent(): number {
    return this.#unsent.size;
  }

  coherent(): boolean {
    return this.#connection.links.coherent();
  }

  async lookup(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    const { opened } = this.#connection;
    if (opened !== undefined) await opened;
    if (!this.#unsent.isEmpty) {
      await this.#unsent.trySend();
      if (requests.some(({ key }) => this.#unsent.covers(key))) return this.#answerOthers(requests);
    }
    return this.#answer(requests);
  }

  /** Answers for the keys of which nothing is unsent; of the others Redis cannot tell. */
  async #answerOthers(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    const others = requests.filter(({ key }) => !this.#unsent.covers(key));
    const answers = others.length === 0 ? [] : [...(await this.#answer(others))];
    return requests.map(
      (request) =>
        (others.includes(request) ? answers.shift() : undefined) ?? { kind: 'unavailable' },
    );
  }

  async #answer(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    if (!this.#inOrder.isIdle) {
      const { keys } = this.#parts;
      await this.#inOrder.sent(requests.map(({ key }) => keys.value(key)));
    }
    return this.#lookups.answer(requests);
  }

  set(key: string, entry: Entry): Promise<void> {
    const until = this.#patience(1);
    return this.#run(this.#set(key, entry, this.#stampsFor(entry), undefined, until));
  }

  /**
   * The stamps that an entry is set with: as they are now, so that what is invalidated from now on
   * counts.
   */
  #stampsFor({ tags }: Entry): Buffer[] | Promise<Buffer[]> {
    const { keys, stamps } = this.#parts;
    const stampKeys = [keys.all, ...tags.map((tag) => keys.tag(tag))];
    const { opened } = this.#connection;
    if (opened !== undefined) return opened.then(() => stamps.of(stampKeys));
    return stamps.allKept(stampKeys) ?? stamps.of(stampKeys);
  }

  async #set(
    key: string,
    entry: Entry,
    stamps: Buffer[] | Promise<Buffer[]>,
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
        const used = waited?.[0] ?? (stamps as Buffer[]);
        const envelope = this.#envelope(entry, used);
        if (envelope === undefined) {
          await this.#removeNow(key);
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
      this.#unsent.addKeys([key]);
      // Where it was not Redis that refused it, the older value goes at once.
      void this.#unsent.trySend();
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
    const upTo = this.#unsent.latest;
    await commands.set(value, envelope, Math.max(life, 1), tell({ keys: [key] }), until);
    this.#unsent.settled(key, upTo);
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

  async setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    const stamps = new Map<string, Buffer[] | Promise<Buffer[]>>();
    const until = this.#patience(entries.length);
    let before: Promise<unknown> | undefined;
    const settings: Promise<void>[] = [];
    for (const part of partsOf(entries)) {
      const first = before;
      const sets = part.map(([key, entry]) => {
        const tags = JSON.stringify(entry.tags);
        const known = stamps.get(tags) ?? this.#stampsFor(entry);
        stamps.set(tags, known);
        return this.#run(this.#set(key, entry, known, first, until));
      });
      before = Promise.allSettled(sets);
      settings.push(...sets);
    }
    const outcomes = await Promise.allSettled(settings);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  delete(key: string): Promise<void> {
    return this.#run(this.#change(key, () => this.#removeNow(key)));
  }

  expire(key: string): Promise<void> {
    return this.#run(this.#expire(key));
  }

  async #expire(key: string): Promise<void> {
    const { commands, host, keys, newId, ownWrites, tell } = this.#parts;
    await this.#change(key, async () => {
      const [value, word] = [keys.value(key), keys.word(key)];
      const [id, now] = [newId(), host.clock.now()];
      const own = ownWrites.lastOf(value);
      const wasOwn = (head: Buffer): boolean => own?.equals(idIn(head)) === true;
      ownWrites.wrote(value, id);
      ownWrites.wrote(word, 'nothing');
      const args = [now, headOf(id, now), ...tell({ keys: [key] })];
      const reply = await commands.run('expire', [value, keys.lock(key), word], args);
      const [before, after] = reply as [Buffer, Buffer];
      if (before.length === 0) ownWrites.correct(value, id, undefined);
      else {
        ownWrites.correct(value, id, markOf(after));
        ownWrites.correct(word, 'nothing', undefined);
      }
      // It may have expired what memory here has never held.
      if (before.length > 0 && !wasOwn(before)) this.#foreign([value]);
    });
  }

  invalidateTags(tags: readonly string[]): Promise<void> {
    return this.#run(this.#invalidateTags(tags));
  }

  async #invalidateTags(tags: readonly string[]): Promise<void> {
    // At once where it can be, so that it counts for all that is asked for later.
    const { opened } = this.#connection;
    if (opened !== undefined) await opened;
    try {
      await this.#restamp(tags, false);
    } catch (error) {
      this.#unsent.addTags(tags);
      throw error;
    }
  }

  clear(): Promise<void> {
    return this.#run(this.#clear());
  }

  async #clear(): Promise<void> {
    const { opened } = this.#connection;
    if (opened !== undefined) await opened;
    try {
      await this.#restamp([], true);
    } catch (error) {
      this.#unsent.addAll();
      throw error;
    }
  }

  async flush(): Promise<void> {
    await this.#connection.opened;
    try {
      await this.#parts.commands.ping();
    } catch (error) {
      throw unavailable(error);
    }
    await this.#unsent.send();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Sends what Redis has not heard of. @throws (rejects) when it does not listen */
  makeGood(): Promise<void> {
    const now = performance.now();
    for (const { key, claim, until } of this.#owed.splice(0)) {
      if (now < until) void giveBack(this.#parts, key, claim);
    }
    return this.#unsent.send();
  }

  /** Redis tells that these keys have changed; by whose hand, it does not say. */
  valuesChanged(redisKeys: readonly string[]): void {
    for (const key of redisKeys) this.#waiting.wake(key);
    this.#parts.ownWrites.heardOf(redisKeys, true);
  }

  /** @param isInvalidation - false where the stamp was made, or got lost */
  tagChanged(tag: string, isInvalidation: boolean): void {
    const { host, keys, stamps } = this.#parts;
    ifForeign(stamps.isForeign(keys.tag(tag), isInvalidation), () => {
      host.invalidateTags([tag]);
    });
  }

  allChanged(isInvalidation: boolean): void {
    const { host, keys, stamps } = this.#parts;
    ifForeign(stamps.isForeign(keys.all, isInvalidation), () => {
      host.invalidateAll();
    });
  }

  /** Another process says what it did. */
  announced(from: string, keys: readonly string[], tags: readonly string[], all: boolean): void {
    const redisKeys = keys.map((key) => this.#parts.keys.value(key));
    // Callers here may wait for a load of this very cache.
    for (const key of redisKeys) this.#waiting.wake(key);
    if (from === this.#id) return;
    if (keys.length > 0) this.#parts.ownWrites.heardOf(redisKeys, false);
    if (tags.length > 0) this.#parts.host.invalidateTags(tags);
    if (all) this.#parts.host.invalidateAll();
  }

  /** Anything may have changed. */
  lostTrack(): void {
    const { host, ownWrites, stamps } = this.#parts;
    stamps.drop();
    ownWrites.clear();
    this.#waiting.wakeAll();
    host.invalidateAll();
  }

  report(state: string, detail?: unknown): void {
    this.#parts.host.report(state, detail);
  }

  fail(error: unknown): void {
    this.#parts.host.fail(error);
  }

  /** Somebody else changed these keys. Lookups that run read them again, and need not be told. */
  #foreign(redisKeys: readonly string[]): void {
    const { counts, host } = this.#parts;
    const keys = this.#keysOf(redisKeys);
    this.#toRead(keys);
    counts.invalidations += keys.length;
    host.invalidate(keys, { lookups: 'go on' });
  }

  /** What is being read of these keys is out of date. */
  #toRead(keys: readonly string[]): void {
    for (const key of keys) this.#pending.changed(this.#parts.keys.value(key));
  }

  /** The keys whose values, or words, these are. */
  #keysOf(redisKeys: readonly string[]): string[] {
    return redisKeys.flatMap((redisKey) => {
      const place = this.#connection.keys.placeOf(redisKey);
      return place?.kind === 'value' || place?.kind === 'word' ? [place.key] : [];
    });
  }

  /** Runs a change, so that a close waits for it. */
  #run(change: Promise<void>): Promise<void> {
    this.#running.add(change);
    const end = (): void => void this.#running.delete(change);
    change.then(end, end);
    return change;
  }

  /** Until when the cache waits for so many items, on the monotonic clock. */
  #patience(items: number): number {
    return performance.now() + this.#parts.settings.commandTimeout * Math.ceil(items / 100);
  }

  /** A removal of some kind: remembered where Redis does not take it. */
  async #change(key: string, change: () => Promise<void>): Promise<void> {
    try {
      await this.#inOrder.run(this.#parts.keys.value(key), this.#connection.opened, change);
    } catch (error) {
      this.#unsent.addKeys([key]);
      throw error;
    }
  }

  /** @param isLate - memory may hold something again, of what Redis did not take then */
  async #removeNow(key: string, isLate = false): Promise<void> {
    const { commands, keys, ownWrites, tell } = this.#parts;
    const [value, word] = [keys.value(key), keys.word(key)];
    ownWrites.wrote(value, 'nothing', isLate);
    ownWrites.wrote(word, 'nothing', isLate);
    const upTo = this.#unsent.latest;
    const removed = await commands.run('remove', [value, word], tell({ keys: [key] }));
    // Either of them leaves an echo.
    ownWrites.correct(removed === 0 ? value : word, 'nothing', undefined);
    this.#unsent.settled(key, upTo);
  }

  async #restamp(tags: readonly string[], all: boolean): Promise<void> {
    const { keys, stamps, tell } = this.#parts;
    const named = tags.map((tag) => keys.tag(tag));
    const told = tell({ ...(tags.length > 0 && { tags }), ...(all && { all }) });
    await stamps.renew([keys.any, ...(all ? [keys.all] : []), ...named], told);
  }

  /** @throws (rejects) when some of it was not taken; what was, is settled */
  async #remove({ keys, tags, all }: Removals): Promise<void> {
    const failures: unknown[] = [];
    const note = (error: unknown): void => void failures.push(error);
    if (tags.length > 0 || all) await this.#restamp(tags, all).catch(note);
    for (const part of partsOf(keys)) {
      await Promise.all(part.map((key) => this.#removeNow(key, true).catch(note)));
      // What is left would only wait for its turn to fail.
      if (failures.length >= part.length) break;
    }
    if (failures.length > 0) throw failures[0];
  }

  async #close(): Promise<void> {
    const leases = [...this.#leases].map((lease) => lease.release());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_WITHIN)));
    const told = Promise.allSettled([...this.#running, ...leases]);
    // What could not be done is among what is unsent by then.
    await Promise.race([told.then(() => this.#unsent.send().catch(() => undefined)), late]);
    clearTimeout(timer);
    this.#unsent.stop();
    this.#connection.remove(this);
    this.#waiting.wakeAll();
  }
}

/** Calls at once where it is known, so that memory does not go on until a promise has settled. */
function ifForeign(isForeign: boolean | Promise<boolean>, call: () => void): void {
  if (typeof isForeign === 'boolean') {
    if (isForeign) call();
  } else void isForeign.then((isSo) => isSo && call());
}

/** What tells a write by what stands in Redis now. */
function markOf(head: Buffer): Buffer | 'nothing' {
  return head.length === 0 ? 'nothing' : idIn(head);
}
