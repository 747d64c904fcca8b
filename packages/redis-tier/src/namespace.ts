import type { Entry, TierAnswer, TierHost, TierNamespace, TierRequest } from '@acache/core';
import type { Connection } from './connection.js';
import { unavailable } from './failures.js';
import { InOrder } from './in-order.js';
import { giveBack, type Lease, type Returned } from './lease.js';
import { Lookups, LONGEST_WAIT } from './lookup.js';
import type { NamespaceParts } from './namespace-parts.js';
import { OwnWrites } from './own-writes.js';
import { PendingReads } from './pending-reads.js';
import { Removals } from './removals.js';
import { Sets } from './sets.js';
import { Stamps } from './stamps.js';
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
  readonly #removals: Removals;
  readonly #sets: Sets;
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
        fleeting: (redisKeys) => {
          this.#toRead(this.#keysOf(redisKeys));
        },
      }),
      opened: () => connection.opened,
      renewals: connection.renewals,
      counts,
      newId: writeIds(),
      owe: (key, claim) => {
        // A value does not run out as a claim does: it is removed before anything is read again.
        if (claim.kind === 'stored') {
          this.#removals.unsent.addKeys([key]);
          return;
        }
        if (this.#owed.length === MOST_OWED) this.#owed.shift();
        this.#owed.push({ key, claim, until: performance.now() + settings.lockTtl });
      },
      tell: (what) => links.tell({ from: this.#id, name, ...what }),
    };
    this.#removals = new Removals(this.#parts, this.#inOrder, (redisKey) => {
      this.#foreign([redisKey]);
    });
    this.#sets = new Sets(this.#parts, this.#inOrder, this.#removals);
    this.#lookups = new Lookups(this.#parts, this.#pending, this.#waiting, this.#leases);
  }

  /** Removals that Redis has not heard of. */
  get unsent(): number {
    return this.#removals.unsent.size;
  }

  coherent(): boolean {
    return this.#connection.links.coherent();
  }

  async lookup(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    const { opened } = this.#connection;
    if (opened !== undefined) await opened;
    if (!this.#removals.unsent.isEmpty) {
      await this.#removals.unsent.trySend();
      if (requests.some(({ key }) => this.#removals.unsent.covers(key)))
        return this.#answerOthers(requests);
    }
    return this.#answer(requests);
  }

  /** Answers for the keys of which nothing is unsent; of the others Redis cannot tell. */
  async #answerOthers(requests: readonly TierRequest[]): Promise<readonly TierAnswer[]> {
    const others = requests.filter(({ key }) => !this.#removals.unsent.covers(key));
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
    return this.#run(this.#sets.set(key, entry));
  }

  setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<void> {
    return this.#run(this.#sets.setMany(entries));
  }

  delete(key: string): Promise<void> {
    return this.#run(this.#removals.delete(key));
  }

  expire(key: string): Promise<void> {
    return this.#run(this.#removals.expire(key));
  }

  invalidateTags(tags: readonly string[]): Promise<void> {
    return this.#run(this.#removals.invalidateTags(tags));
  }

  clear(): Promise<void> {
    return this.#run(this.#removals.clear());
  }

  async flush(): Promise<void> {
    await this.#connection.opened;
    try {
      await this.#parts.commands.ping();
    } catch (error) {
      throw unavailable(error);
    }
    await this.#removals.unsent.send();
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
    return this.#removals.unsent.send();
  }

  /** Redis tells that these keys have changed; by whose hand, it does not say. */
  valuesChanged(redisKeys: readonly string[]): void {
    for (const key of redisKeys) this.#waiting.wake(key);
    this.#parts.ownWrites.heardOf(redisKeys, true);
  }

  /** @param isInvalidation - false where the stamp was made, or got lost */
  tagChanged(tag: string, isInvalidation: boolean): void {
    const { host, keys, stamps } = this.#parts;
    // Before the stamp is looked at, which takes a while where it is just being read: callers may join that read.
    if (isInvalidation) this.#pending.changed(keys.tag(tag));
    ifForeign(stamps.isForeign(keys.tag(tag), isInvalidation), () => {
      host.invalidateTags([tag]);
    });
  }

  allChanged(isInvalidation: boolean): void {
    const { host, keys, stamps } = this.#parts;
    if (isInvalidation) this.#pending.changed(keys.all);
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

  async #close(): Promise<void> {
    const leases = [...this.#leases].map((lease) => lease.release());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_WITHIN)));
    const told = Promise.allSettled([...this.#running, ...leases]);
    // What could not be done is among what is unsent by then.
    await Promise.race([told.then(() => this.#removals.unsent.sendAtLast()), late]);
    clearTimeout(timer);
    this.#removals.unsent.stop();
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
