import type { Entry, TierAnswer, TierRequest } from '@acache/core';
import { Claims, type Basis } from './claims.js';
import type { Lease } from './lease.js';
import type { NamespaceParts } from './namespace-parts.js';
import { partsOf } from './parts.js';
import type { PendingRead, PendingReads } from './pending-reads.js';
import { Sight, type PresentStamps, type Seen } from './sight.js';
import type { Waiting } from './waiting.js';

/** Times that a value is read again because it changed meanwhile, before it is given to its callers only. */
const MOST_ROUNDS = 4;
/** Milliseconds that a load elsewhere is waited for. */
export const LONGEST_WAIT = 60_000;
const UNAVAILABLE: TierAnswer = { kind: 'unavailable' };
const MISSING: TierAnswer = { kind: 'missing' };

/** The read path: values and stamps in one round trip, then the right to load what is not there. */
export class Lookups {
  readonly #parts: NamespaceParts;
  readonly #pending: PendingReads;
  readonly #waiting: Waiting;
  readonly #sight: Sight;
  readonly #claims: Claims;
  /** Waiters who look again, gathered. */
  #again: { request: TierRequest; resolve: (answer: TierAnswer) => void }[] = [];

  constructor(parts: NamespaceParts, pending: PendingReads, waiting: Waiting, leases: Set<Lease>) {
    this.#parts = parts;
    this.#pending = pending;
    this.#waiting = waiting;
    this.#sight = new Sight(parts);
    this.#claims = new Claims(parts, this.#sight, leases);
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
          (at) =>
            isOfItsTime(answers[at]) &&
            this.#readFor(requests[at] as TierRequest, answers[at] as TierAnswer).some((key) =>
              pending.changed.has(key),
            ),
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
      for (const key of this.#readFor(requests[at] as TierRequest, answer)) pending.again(key);
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
      await this.#sight.learn(present, this.#stampKeys(requests));
      const seen = await this.#sight.all(redisKeys, await reading, present);
      const now = this.#parts.host.clock.now();
      const answers = requests.map((request, at) => fresh(request, seen[at] as Seen, now));
      // Most are answered by what was read; only those that want to load take steps of their own.
      if (answers.every((answer) => answer !== undefined)) return answers;
      const basis = this.#claims.basis(requests, present);
      return await Promise.all(
        answers.map(async (answer, at) => {
          if (answer !== undefined) return answer;
          const [request, what] = [requests[at] as TierRequest, seen[at] as Seen];
          return this.#decide(request, what, basis).catch((error: unknown) => {
            this.#sight.failed(error, request.key);
            return UNAVAILABLE;
          });
        }),
      );
    } catch (error) {
      this.#sight.failed(error);
      return requests.map(() => UNAVAILABLE);
    }
  }

  async #decide(request: TierRequest, first: Seen, basis: Basis): Promise<TierAnswer> {
    const { intent } = request;
    let seen = first;
    for (let round = 1; round <= MOST_ROUNDS; round++) {
      if (seen.kind === 'unavailable') return UNAVAILABLE;
      const found = fresh(request, seen, this.#parts.host.clock.now());
      if (found !== undefined) return found;
      if (intent === 'read') return MISSING;
      if (seen.kind === 'placeholder' && intent !== 'refresh') return this.#busy(request, seen.id);
      const answer = await this.#claims.claim(request, seen, basis);
      if (answer === undefined) return this.#withoutLease(request, (seen as EntrySeen).entry);
      if (!('isChanged' in answer)) return answer;
      seen = answer.seen;
    }
    return UNAVAILABLE;
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

  /** The keys in Redis that made an answer what it is: of the value, and of its stamps. */
  #readFor(request: TierRequest, answer: TierAnswer): string[] {
    const { keys } = this.#parts;
    const tags = answer.kind === 'found' ? answer.entry.tags : request.tags;
    return [keys.value(request.key), keys.all, ...tags.map((tag) => keys.tag(tag))];
  }

  #stampKeys(requests: readonly TierRequest[]): string[] {
    const { keys } = this.#parts;
    const tags = new Set(requests.flatMap((request) => request.tags));
    return [keys.all, ...Array.from(tags, (tag) => keys.tag(tag))];
  }
}

type EntrySeen = Extract<Seen, { kind: 'entry' }>;

/** The answer to a request that needs no load, for what was seen. */
function fresh({ intent }: TierRequest, seen: Seen, now: number): TierAnswer | undefined {
  if (seen.kind !== 'entry') return undefined;
  const isEnough = intent === 'read' || (intent === 'load' && now < seen.entry.freshUntil);
  return isEnough ? { kind: 'found', entry: seen.entry } : undefined;
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
