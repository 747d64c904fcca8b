import { diesAt, type Entry, type TierAnswer, type TierRequest } from '@acache/core';
import type { Reading } from './commands.js';
import {
  HEAD_LENGTH,
  placeholder,
  readEnvelope,
  type EntryEnvelope,
  type Envelope,
} from './envelope.js';
import { isWithheld, isWrongType } from './failures.js';
import { giveBack, Lease, type Claim, type StampsBefore } from './lease.js';
import type { NamespaceParts } from './namespace-parts.js';
import { partsOf } from './parts.js';
import type { PendingRead, PendingReads } from './pending-reads.js';
import type { Waiting } from './waiting.js';
import { idIn } from './write-id.js';

/** What a key holds, in the light of the stamps and the time. */
type Seen =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly envelope: EntryEnvelope }
  | { readonly kind: 'placeholder'; readonly id: Buffer }
  /** Nothing that could be served; `head` is what stands there all the same. */
  | { readonly kind: 'nothing'; readonly head: Buffer }
  | { readonly kind: 'unavailable' };

/** Something else stands there than what was seen. */
interface Changed {
  readonly isChanged: true;
  readonly seen: Seen;
}

type PresentStamps = Map<string, Buffer>;

/** Times that a value is read again because it changed meanwhile, before it is given to its callers only. */
const MOST_ROUNDS = 4;
/** Milliseconds that a load elsewhere is waited for. */
export const LONGEST_WAIT = 60_000;
const EMPTY = Buffer.alloc(0);
/** What `acquire` answers where it took the place of a list, say. */
const OVER_ANOTHER_TYPE = 2;
const UNAVAILABLE: TierAnswer = { kind: 'unavailable' };
const MISSING: TierAnswer = { kind: 'missing' };

/** The read path: values and stamps in one round trip, then the right to load what is not there. */
export class Lookups {
  readonly #parts: NamespaceParts;
  readonly #pending: PendingReads;
  readonly #waiting: Waiting;
  readonly #leases: Set<Lease>;
  /** Waiters who look again, gathered. */
  #again: { request: TierRequest; resolve: (answer: TierAnswer) => void }[] = [];

  constructor(parts: NamespaceParts, pending: PendingReads, waiting: Waiting, leases: Set<Lease>) {
    this.#parts = parts;
    this.#pending = pending;
    this.#waiting = waiting;
    this.#leases = leases;
  }

  /** One answer for each request, in their order. Never rejects. */
  async answer(requests: readonly TierRequest[]): Promise<TierAnswer[]> {
    const redisKeys = requests.map(({ key }) => this.#parts.keys.value(key));
    const pending = this.#pending.begin();
    try {
      const answers: TierAnswer[] = [];
      for (const part of partsOf(requests)) {
        const keys = redisKeys.slice(answers.length, answers.length + part.length);
        answers.push(...(await this.#answer(part, keys)));
      }
      for (let round = 1; ; round++) {
        if (pending.changed.size === 0) return answers;
        const outdated = [...answers.keys()].filter(
          (at) => isOfItsTime(answers[at]) && pending.changed.has(redisKeys[at] as string),
        );
        if (outdated.length === 0) return answers;
        if (round > MOST_ROUNDS) {
          // It changes faster than it can be read: its callers get it, memory does not keep it.
          this.#parts.host.invalidate(outdated.map((at) => (requests[at] as TierRequest).key));
          return answers;
        }
        await this.#answerAnew(requests, redisKeys, answers, outdated, pending);
      }
    } finally {
      pending.end();
    }
  }

  async #answerAnew(
    requests: readonly TierRequest[],
    redisKeys: readonly string[],
    answers: TierAnswer[],
    outdated: readonly number[],
    pending: PendingRead,
  ): Promise<void> {
    this.#parts.counts.rereads += outdated.length;
    for (const at of outdated) {
      const answer = answers[at] as TierAnswer;
      if ('lease' in answer) void answer.lease?.release();
      pending.again(redisKeys[at] as string);
    }
    const anew = await this.#answer(
      outdated.map((at) => requests[at] as TierRequest),
      outdated.map((at) => redisKeys[at] as string),
    );
    outdated.forEach((at, index) => (answers[at] = anew[index] as TierAnswer));
  }

  async #answer(
    requests: readonly TierRequest[],
    redisKeys: readonly string[],
  ): Promise<TierAnswer[]> {
    try {
      const present: PresentStamps = new Map();
      const reading = this.#parts.commands.read(redisKeys);
      await this.#learn(present, this.#stampKeys(requests));
      const seen = await this.#see(redisKeys, await reading, present);
      const now = this.#parts.host.clock.now();
      const answers = requests.map((request, at) => fresh(request, seen[at] as Seen, now));
      // Most are answered by what was read; only those that want to load take steps of their own.
      if (answers.every((answer) => answer !== undefined)) return answers;
      const before = this.#stampsBefore(requests, present);
      return await Promise.all(
        answers.map(async (answer, at) => {
          if (answer !== undefined) return answer;
          const [request, what] = [requests[at] as TierRequest, seen[at] as Seen];
          return this.#decide(request, what, before).catch((error: unknown) => {
            this.#failed(error, request.key);
            return UNAVAILABLE;
          });
        }),
      );
    } catch (error) {
      this.#failed(error);
      return requests.map(() => UNAVAILABLE);
    }
  }

  async #decide(
    request: TierRequest,
    first: Seen,
    before: () => Promise<StampsBefore>,
  ): Promise<TierAnswer> {
    const { intent } = request;
    let seen = first;
    for (let round = 1; round <= MOST_ROUNDS; round++) {
      if (seen.kind === 'unavailable') return UNAVAILABLE;
      const found = fresh(request, seen, this.#parts.host.clock.now());
      if (found !== undefined) return found;
      if (intent === 'read') return MISSING;
      if (seen.kind === 'placeholder' && intent !== 'refresh') return this.#busy(request, seen.id);
      const answer = await this.#claim(request, seen, before);
      if (!('isChanged' in answer)) return answer;
      seen = answer.seen;
    }
    return UNAVAILABLE;
  }

  /** Tries to get the right to load; says what it found instead, where things have changed meanwhile. */
  async #claim(
    request: TierRequest,
    seen: Exclude<Seen, { kind: 'unavailable' }>,
    before: () => Promise<StampsBefore>,
  ): Promise<TierAnswer | Changed> {
    const { key, intent } = request;
    // Sent along with the claim: both count from before the load.
    const stamps = before();
    stamps.catch(() => undefined);
    if (intent === 'refresh') {
      const taken = await this.#take(key, seen);
      if ('isChanged' in taken) return taken;
      const lease = await this.#grant(key, taken.claim, stamps, taken.stays?.envelope);
      const entry = taken.stays?.entry;
      return entry ? { kind: 'found', entry, lease } : { kind: 'missing', lease };
    }
    if (seen.kind === 'entry') {
      const claim = await this.#lock(key, seen.envelope);
      if (claim === undefined) return this.#withoutLease(request, seen.entry);
      const lease = await this.#grant(key, claim, stamps, seen.envelope);
      return { kind: 'found', entry: seen.entry, lease };
    }
    const acquired = await this.#acquire(key, seen.kind === 'nothing' ? seen.head : EMPTY);
    if ('isChanged' in acquired) return acquired;
    return { kind: 'missing', lease: await this.#grant(key, acquired, stamps) };
  }

  /** Another process refreshes the entry. */
  #withoutLease(request: TierRequest, entry: Entry): TierAnswer {
    const now = this.#parts.host.clock.now();
    if (now < entry.freshUntil + entry.staleWhileRevalidate) return { kind: 'found', entry };
    return this.#busy(request, undefined, entry);
  }

  /** @param id - of the placeholder; without, it is a lock that stands beside an entry */
  #busy(request: TierRequest, id: Buffer | undefined, entry?: Entry): TierAnswer {
    const settled = async (): Promise<TierAnswer> => {
      this.#parts.counts.waits++;
      const { commands, keys, settings } = this.#parts;
      const value = keys.value(request.key);
      const until = performance.now() + LONGEST_WAIT;
      for (let looks = 1; performance.now() < until; looks++) {
        await this.#waiting.changed(value);
        if (looks === 1 && id !== undefined) {
          // A placeholder that nobody renews ends by itself, unless it was put there without an end.
          commands.run('limit', [value], [settings.lockTtl]).catch(() => undefined);
        }
        const answer = await this.#askAgain({ ...request, intent: 'load' });
        if (!(answer.kind === 'busy' && isSameLoad(answer, id))) return answer;
      }
      return UNAVAILABLE;
    };
    const busy: BusyAnswer = { kind: 'busy', settled, id, ...(entry && { entry }) };
    return busy;
  }

  #askAgain(request: TierRequest): Promise<TierAnswer> {
    return new Promise((resolve) => {
      this.#again.push({ request, resolve });
      if (this.#again.length > 1) return;
      queueMicrotask(() => {
        const waiters = this.#again;
        this.#again = [];
        void this.answer(waiters.map((waiter) => waiter.request)).then((answers) => {
          waiters.forEach((waiter, at) => {
            waiter.resolve(answers[at] as TierAnswer);
          });
        });
      });
    });
  }

  async #acquire(key: string, expected: Buffer): Promise<Claim | Changed> {
    const { commands, keys, newId, ownWrites, settings } = this.#parts;
    const id = newId();
    const value = keys.value(key);
    ownWrites.wrote(value, id);
    const args = [expected, placeholder(id), settings.lockTtl];
    const claim: Claim = { kind: 'placeholder', id };
    const reply = await this.#claimed(key, claim, commands.run('acquire', [value], args));
    if (reply === OVER_ANOTHER_TYPE) this.#unreadable(value, 'it is no string');
    if (reply === 1 || reply === OVER_ANOTHER_TYPE) return claim;
    ownWrites.correct(value, id, undefined);
    return { isChanged: true, seen: await this.#seeOne(value, reply as Reading) };
  }

  async #lock(key: string, { head }: EntryEnvelope): Promise<Claim | undefined> {
    const { commands, keys, newId, ownWrites, settings } = this.#parts;
    const token = newId();
    const value = keys.value(key);
    // The lock may prolong the life of the entry, which is heard of as a change.
    ownWrites.still(value, idIn(head));
    const claim: Claim = { kind: 'lock', token, head };
    const running = commands.run('lock', [value, keys.lock(key)], [token, settings.lockTtl]);
    return (await this.#claimed(key, claim, running)) === 1 ? claim : undefined;
  }

  async #take(
    key: string,
    seen: Seen,
  ): Promise<{ claim: Claim; stays?: Extract<Seen, { kind: 'entry' }> } | Changed> {
    const { commands, keys, newId, ownWrites, settings, tell } = this.#parts;
    const [id, token] = [newId(), newId()];
    const value = keys.value(key);
    const dead = seen.kind === 'nothing' ? seen.head : EMPTY;
    ownWrites.wrote(value, id);
    const claim: Claim = { kind: 'placeholder', id };
    const args = [dead, placeholder(id), token, settings.lockTtl, ...tell({ keys: [key] })];
    const running = commands.run('take', [value, keys.lock(key)], args);
    const reply = await this.#claimed(key, claim, running);
    if (reply === 1) return { claim };
    const stays = await this.#seeOne(value, reply as Reading);
    if (stays.kind !== 'entry') {
      ownWrites.correct(value, id, undefined);
      return { isChanged: true, seen: stays };
    }
    const { head } = stays.envelope;
    // It stays as somebody put it; what is heard of it may be its expiry, which was prolonged.
    ownWrites.correct(value, id, undefined);
    ownWrites.still(value, idIn(head));
    return { claim: { kind: 'lock', token, head }, stays };
  }

  /** The reply to a claim; one that may have been made without our hearing of it is given back. */
  async #claimed(key: string, claim: Claim, running: Promise<unknown>): Promise<unknown> {
    try {
      return await running;
    } catch (error) {
      void giveBack(this.#parts, key, claim);
      throw error;
    }
  }

  /** @param over - the entry that is loaded anew: who invalidates its tags means the load as well */
  async #grant(
    key: string,
    claim: Claim,
    before: Promise<StampsBefore>,
    over?: EntryEnvelope,
  ): Promise<Lease> {
    let stamps: StampsBefore;
    try {
      stamps = withTagsOf(over, await before);
    } catch (error) {
      // Without them nothing could be stored; it must not keep the others waiting either.
      void giveBack(this.#parts, key, claim);
      throw error;
    }
    const lease = new Lease(this.#parts, key, claim, stamps, (ended) => {
      this.#leases.delete(ended);
    });
    this.#leases.add(lease);
    return lease;
  }

  /** The stamps as they are before the loads that are granted, read once and only where one is. */
  #stampsBefore(
    requests: readonly TierRequest[],
    present: PresentStamps,
  ): () => Promise<StampsBefore> {
    const { keys, stamps } = this.#parts;
    let reading: Promise<StampsBefore> | undefined;
    const read = async (): Promise<StampsBefore> => {
      const tags = new Set(requests.flatMap((request) => request.tags));
      const [any] = await stamps.read([keys.any]);
      return {
        any: any as Buffer,
        all: present.get(keys.all) as Buffer,
        tags: new Map(Array.from(tags, (tag) => [tag, present.get(keys.tag(tag)) as Buffer])),
      };
    };
    return () => (reading ??= read());
  }

  async #seeOne(redisKey: string, reading: Reading): Promise<Seen> {
    const present: PresentStamps = new Map();
    await this.#learn(present, [this.#parts.keys.all]);
    const [seen] = await this.#see([redisKey], [reading], present);
    return seen as Seen;
  }

  /** Makes out what was read; asks for the stamps of tags that only the entries name. */
  async #see(
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
      if (envelope?.kind === 'entry') for (const tag of envelope.tags) tags.add(keys.tag(tag));
    }
    const failure = readings.find((reading) => reading instanceof Error && !isWrongType(reading));
    if (failure !== undefined) this.#failed(failure);
    // After the values: a stamp that was put before a value was read must count for it.
    if (tags.size > 0) await this.#learn(present, [...tags]);
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
      if (envelope?.kind !== 'entry' || this.#isValid(envelope, present)) continue;
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
      this.#unreadable(redisKey, 'it is no string');
      return { kind: 'nothing', head: EMPTY };
    }
    if (reading instanceof Error) return { kind: 'unavailable' };
    if (envelope === undefined) return nothingIn(reading);
    if (envelope.kind === 'placeholder') return envelope;
    if (envelope.kind === 'alien') {
      this.#unreadable(redisKey, envelope.reason);
      return nothingIn(reading);
    }
    const { tags, times, weight } = envelope;
    if (diesAt(times) <= now || !this.#isValid(envelope, present)) return nothingIn(reading);
    try {
      const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = times;
      const known = { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags };
      const value = envelope.value();
      const entry = weight === undefined ? { value, ...known } : { value, ...known, weight };
      this.#parts.ownWrites.saw(redisKey, envelope);
      return { kind: 'entry', entry, envelope };
    } catch (error) {
      this.#unreadable(redisKey, error instanceof Error ? error.message : String(error));
      return nothingIn(reading);
    }
  }

  /** Whether nothing that an entry carries was invalidated since it was stored. */
  #isValid(envelope: EntryEnvelope, present: PresentStamps): boolean {
    const { keys } = this.#parts;
    const all = present.get(keys.all);
    if (all === undefined || !envelope.hasNamespaceStamp(all)) return false;
    const { tags } = envelope;
    if (tags.length === 0) return true;
    const { stamps } = envelope;
    return tags.every((tag, at) => present.get(keys.tag(tag))?.equals(stamps.tags[at] as Buffer));
  }

  /** What Redis refused or did not answer becomes an event; what was not sent was told of before. */
  #failed(error: unknown, key?: string): void {
    if (!isWithheld(error)) this.#parts.host.fail(error, key);
  }

  #unreadable(redisKey: string, reason: string): void {
    this.#parts.counts.unreadable++;
    this.#parts.host.report('unreadable', { key: redisKey, reason });
  }

  /** Adds the present stamps of keys that are not there yet. @throws (rejects) when Redis does not answer */
  async #learn(present: PresentStamps, stampKeys: readonly string[]): Promise<void> {
    const unknown = stampKeys.filter((key) => !present.has(key));
    if (unknown.length === 0) return;
    const stamps = await this.#parts.stamps.of(unknown);
    unknown.forEach((key, at) => present.set(key, stamps[at] as Buffer));
  }

  #stampKeys(requests: readonly TierRequest[]): string[] {
    const { keys } = this.#parts;
    const tags = new Set(requests.flatMap((request) => request.tags));
    return [keys.all, ...Array.from(tags, (tag) => keys.tag(tag))];
  }
}

/** The answer to a request that needs no load, for what was seen. */
function fresh({ intent }: TierRequest, seen: Seen, now: number): TierAnswer | undefined {
  if (seen.kind !== 'entry') return undefined;
  const isEnough = intent === 'read' || (intent === 'load' && now < seen.entry.freshUntil);
  return isEnough ? { kind: 'found', entry: seen.entry } : undefined;
}

function nothingIn(reading: Buffer | null): Seen {
  return { kind: 'nothing', head: reading?.subarray(0, HEAD_LENGTH) ?? EMPTY };
}

function withTagsOf(over: EntryEnvelope | undefined, before: StampsBefore): StampsBefore {
  if (over === undefined || over.tags.length === 0) return before;
  const tags = new Map(before.tags);
  over.tags.forEach((tag, at) => tags.set(tag, over.stamps.tags[at] as Buffer));
  return { ...before, tags };
}

/** Whether a change would make another answer of it: an entry, or a load that may have ended. */
function isOfItsTime(answer: TierAnswer | undefined): boolean {
  return answer?.kind === 'found' || answer?.kind === 'busy';
}

/** An answer that tells which load it waits for. */
type BusyAnswer = Extract<TierAnswer, { kind: 'busy' }> & { readonly id: Buffer | undefined };

function isSameLoad(answer: TierAnswer, id: Buffer | undefined): boolean {
  const other = (answer as BusyAnswer).id;
  return id === undefined ? other === undefined : other?.equals(id) === true;
}
