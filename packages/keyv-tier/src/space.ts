import { diesAt, type Clock, type Entry, type TierHost, type TierIntent } from '@acache/core';
import type { Counts } from './counts.js';
import {
  openEntry,
  openStamp,
  sealEntry,
  sealStamp,
  UnreadableError,
  type Sealed,
  type Stamps,
} from './envelope.js';
import { NamespaceKeys } from './key-space.js';
import { Claim } from './lease.js';
import type { Settings } from './options.js';
import type { StampReader } from './stamp-reader.js';
import { isOfTag, SpaceStamps, type StateBefore } from './stamps.js';
import type { StoreCalls } from './store-calls.js';
import { afterFailure, expired, GONE, type Wanted } from './wanted.js';
import { Writes, type Written } from './writes.js';

/** Failed changes that are remembered; above that everything is removed. */
const MOST_OWED = 10_000;

interface SpaceParts {
  readonly name: string;
  readonly settings: Settings;
  readonly counts: Counts;
  readonly calls: StoreCalls;
  readonly clock: Clock;
}

/** One namespace in the store, for all caches of this process that are attached to it. */
export class Space {
  readonly hosts = new Set<TierHost>();
  readonly keys: NamespaceKeys;
  readonly #parts: SpaceParts;
  readonly #writes: Writes<Wanted>;
  readonly #claims = new Map<string, Set<Claim>>();
  readonly #stamps: SpaceStamps;
  #makeGoodAt = 0;

  constructor(parts: SpaceParts) {
    this.#parts = parts;
    this.keys = new NamespaceKeys(parts.settings.prefix, parts.name);
    this.#writes = new Writes<Wanted>({
      clock: parts.clock,
      perform: (storeKey, wanted, isWanted) => this.#perform(storeKey, wanted, isWanted),
      afterFailure,
      mayWrite: () => !parts.calls.down,
      mostOwed: MOST_OWED,
      overflow: () => {
        for (const host of this.hosts) host.report('overflow');
        void this.clear().catch(() => undefined);
      },
    });
    this.#stamps = new SpaceStamps({
      keys: this.keys,
      calls: parts.calls,
      clock: parts.clock,
      writes: this.#writes,
      open: (of, answer) => this.#openStamp(of, answer),
    });
  }

  /** Changes that the store has not taken yet. */
  get owed(): number {
    return this.#writes.owed;
  }

  /** Notes a load that may begin, so that what changes from here on is held against it. */
  claim(key: string, intent: TierIntent): Claim {
    if (intent === 'refresh') this.#revoke(key);
    const claim = new Claim(key);
    const others = this.#claims.get(key);
    if (others === undefined) this.#claims.set(key, new Set([claim]));
    else others.add(claim);
    return claim;
  }

  giveBack(claim: Claim): void {
    const claims = this.#claims.get(claim.key);
    if (claims?.delete(claim) === true && claims.size === 0) this.#claims.delete(claim.key);
  }

  /** Looks keys up, and what the loads of those that are missing will go by. */
  async read(
    keys: readonly string[],
    tags: readonly string[],
    wantsLoad: boolean,
  ): Promise<{ found: ReadonlyMap<string, Entry | undefined>; before: StateBefore | undefined }> {
    const { calls } = this.#parts;
    this.#makeGoodAtTimes();
    const told = new Map(keys.map((key) => [key, this.#writes.wanted(this.keys.value(key))]));
    const asked = keys.filter((key) => {
      const wanted = told.get(key);
      return wanted === undefined || wanted.kind === 'expired';
    });
    const stamps = await this.#stamps.reader(tags, wantsLoad);
    const answers = await calls.getMany([
      ...asked.map((key) => this.keys.value(key)),
      ...stamps.keys,
    ]);
    stamps.answer(answers.slice(asked.length));
    await this.#stamps.confirm(stamps);
    const sealed = new Map<string, Sealed>();
    asked.forEach((key, at) => {
      const one = this.#open(key, answers[at]);
      if (one !== undefined) sealed.set(key, one);
    });
    const carried = [...sealed.values()].flatMap(({ entry }) => entry.tags);
    await this.#stamps.readMore(stamps, carried);
    const all = stamps.of(this.keys.all);
    const found = new Map<string, Entry | undefined>();
    for (const key of keys) {
      const wanted = told.get(key);
      if (wanted?.kind === 'gone') found.set(key, undefined);
      else if (wanted?.kind === 'value') found.set(key, this.#live(wanted.entry));
      else found.set(key, this.#unsealed(key, sealed.get(key), all, stamps, wanted));
    }
    if (!wantsLoad) return { found, before: undefined };
    return { found, before: await this.#stamps.before(stamps, tags) };
  }

  /** Not at every look: a store that refuses removals may go on for long. */
  #makeGoodAtTimes(): void {
    const { clock, settings } = this.#parts;
    if (this.owed === 0 || clock.now() < this.#makeGoodAt) return;
    this.#makeGoodAt = clock.now() + settings.openFor;
    this.makeGood();
  }

  async set(key: string, entry: Entry): Promise<void> {
    this.#revoke(key);
    await this.#put(key, entry, undefined);
  }

  async delete(key: string): Promise<void> {
    this.#revoke(key);
    await this.#writes.write(this.keys.value(key), GONE);
  }

  async expire(key: string): Promise<void> {
    this.#revoke(key);
    const { clock } = this.#parts;
    const storeKey = this.keys.value(key);
    const wanted = this.#writes.wanted(storeKey);
    const at = clock.now();
    if (wanted?.kind === 'gone') await this.#writes.write(storeKey, GONE);
    else if (wanted?.kind === 'value') {
      const entry = expired(wanted.entry, at);
      const isDead = diesAt(entry) <= at;
      await this.#writes.write(storeKey, isDead ? GONE : { ...wanted, entry });
    } else if (wanted === undefined) {
      await this.#writes.write(storeKey, { kind: 'expired', key, at });
    } else await this.#writes.ended(storeKey);
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    for (const claims of this.#claims.values()) for (const claim of claims) claim.invalidate(tags);
    for (const [storeKey, wanted] of [...this.#writes.entries()]) {
      if (wanted.kind === 'value' && wanted.entry.tags.some((tag) => tags.includes(tag))) {
        void this.#writes.write(storeKey, GONE).catch(() => undefined);
      }
    }
    await this.#stamps.endTags(tags);
  }

  async clear(): Promise<void> {
    for (const claims of this.#claims.values()) for (const claim of claims) claim.revoke();
    // What was told before is void with it: whatever the store holds goes by the older stamp.
    for (const [storeKey] of [...this.#writes.entries()]) this.#writes.forget(storeKey);
    await this.#stamps.endAll();
  }

  async commit(
    claim: Claim,
    before: StateBefore,
    entry: Entry,
  ): Promise<'stored' | 'refused' | 'unavailable'> {
    const { calls, counts } = this.#parts;
    const refuse = (): 'refused' => {
      counts.refusals++;
      return 'refused';
    };
    if (!claim.holds(entry.tags)) return refuse();
    if (calls.down) return 'unavailable';
    const late = entry.tags.filter((tag) => !before.tags.has(tag));
    const lateStamps = late.length === 0 ? [] : await this.#stamps.late(late, before.any);
    if (lateStamps === undefined || !claim.holds(entry.tags)) return refuse();
    const stamps = { all: before.all, tags: new Map([...before.tags, ...lateStamps]) };
    const written = await this.#put(claim.key, entry, stamps);
    return written === 'done' ? 'stored' : refuse();
  }

  /** Looks whether the store is there. @throws (rejects) when it is not */
  async ping(patience?: number): Promise<void> {
    const { calls } = this.#parts;
    if (calls.down) await calls.probe(this.keys.all, true);
    else await calls.getMany([this.keys.all], patience);
  }

  /** Resolves when everything has been written. @throws (rejects) when something has not */
  async through(): Promise<void> {
    if (this.#parts.calls.down && this.owed > 0) await this.ping();
    await this.#writes.through();
  }

  /** Begins again with what failed. */
  makeGood(): void {
    this.#writes.makeGood();
  }

  /** Wants an entry under a key; what cannot be serialized is removed, and the error thrown. */
  async #put(key: string, entry: Entry, stamps: Stamps | undefined): Promise<Written> {
    const { clock, settings } = this.#parts;
    const storeKey = this.keys.value(key);
    if (diesAt(entry) <= clock.now()) return this.#writes.write(storeKey, GONE);
    let bytes: Uint8Array;
    try {
      bytes = settings.serializer.serialize(entry.value);
    } catch (error) {
      await this.#writes.write(storeKey, GONE);
      throw error;
    }
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
      'base64',
    );
    return this.#writes.write(storeKey, { kind: 'value', key, entry, payload, stamps });
  }

  /** Does to the store what is wanted of a key. */
  async #perform(storeKey: string, wanted: Wanted, isWanted: () => boolean): Promise<void> {
    const { calls, name, settings } = this.#parts;
    switch (wanted.kind) {
      case 'gone':
        await calls.delete(storeKey);
        return;
      case 'stamp': {
        if (wanted.after !== undefined) await this.#writes.ended(wanted.after);
        const text = sealStamp(name, wanted.of, wanted.stamp);
        await calls.set(storeKey, text, isOfTag(wanted.of) ? settings.maxTtl : Infinity);
        return;
      }
      case 'value': {
        const stamps = wanted.stamps ?? (await this.#stamps.now(wanted.entry.tags));
        if (!isWanted()) return;
        await this.#store(wanted.key, { entry: wanted.entry, stamps, payload: wanted.payload });
        return;
      }
      case 'expired': {
        const [answer] = await calls.getMany([storeKey]);
        const sealed = this.#open(wanted.key, answer);
        if (!isWanted() || sealed === undefined || sealed.entry.freshUntil <= wanted.at) return;
        await this.#store(wanted.key, { ...sealed, entry: expired(sealed.entry, wanted.at) });
      }
    }
  }

  async #store(key: string, sealed: Sealed): Promise<void> {
    const { calls, clock, name, settings } = this.#parts;
    const ttl = Math.min(diesAt(sealed.entry) - clock.now(), settings.maxTtl);
    const storeKey = this.keys.value(key);
    if (ttl <= 0) await calls.delete(storeKey);
    else await calls.set(storeKey, sealEntry(name, key, sealed), ttl);
  }

  #unsealed(
    key: string,
    sealed: Sealed | undefined,
    all: string | undefined,
    stamps: StampReader,
    wanted: Wanted | undefined,
  ): Entry | undefined {
    if (sealed === undefined || all === undefined || sealed.stamps.all !== all) return undefined;
    for (const [tag, stamp] of sealed.stamps.tags) {
      if (stamps.of(this.keys.tag(tag)) !== stamp) return undefined;
    }
    const times = wanted?.kind === 'expired' ? expired(sealed.entry, wanted.at) : sealed.entry;
    if (this.#live(times) === undefined) return undefined;
    try {
      const bytes = new Uint8Array(Buffer.from(sealed.payload, 'base64'));
      return { ...times, value: this.#parts.settings.serializer.deserialize(bytes) };
    } catch (error) {
      this.#unreadable(key, error);
      return undefined;
    }
  }

  #live<E extends Omit<Entry, 'value'>>(entry: E): E | undefined {
    return diesAt(entry) > this.#parts.clock.now() ? entry : undefined;
  }

  #open(key: string, answer: unknown): Sealed | undefined {
    if (answer === undefined) return undefined;
    try {
      return openEntry(this.#parts.name, key, answer);
    } catch (error) {
      this.#unreadable(key, error);
      return undefined;
    }
  }

  #openStamp(of: string, answer: unknown): string | undefined {
    if (answer === undefined) return undefined;
    try {
      return openStamp(this.#parts.name, of, answer);
    } catch (error) {
      this.#unreadable(undefined, error);
      return undefined;
    }
  }

  #revoke(key: string): void {
    for (const claim of this.#claims.get(key) ?? []) claim.revoke();
  }

  #unreadable(key: string | undefined, error: unknown): void {
    this.#parts.counts.unreadable++;
    const reason = error instanceof UnreadableError ? error.fault : error;
    for (const host of this.hosts)
      host.report('unreadable', { ...(key === undefined ? {} : { key }), reason });
  }
}
