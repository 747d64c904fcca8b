import type { Clock, ClockTimer } from './clock.js';
import { toMilliseconds } from './duration.js';
import { idOfWireKey, keyOfId } from './cache-key.js';
import { isEntry, type Entry } from './entry.js';
import { CacheError, closedError } from './errors.js';
import type { EventHub } from './events.js';
import type { Counters } from './metrics.js';
import type { Tier, TierAnswer, TierHost, TierLease, TierNamespace, TierRequest } from './tier.js';

/** How long `close` waits for a tier that does not answer, in milliseconds. */
const CLOSE_WITHIN = 2500;
/** How long `ready` waits for a tier that neither connects nor gives up, in milliseconds. */
const READY_WITHIN = 2500;
/** Items of a bulk that share one deadline. */
const BULK = 100;
const UNAVAILABLE: TierAnswer = { kind: 'unavailable' };

/** What a tier may do to the cache: the calls of its host that change memory. */
export type TierEffects = Pick<TierHost, 'invalidate' | 'invalidateTags' | 'invalidateAll'>;

interface TierLinkParts<K> {
  readonly name: string;
  readonly clock: Clock;
  readonly events: EventHub<K>;
  readonly counts: Counters;
  readonly effects: TierEffects;
}

/** Lookups that travel together. */
interface Batch {
  readonly requests: TierRequest[];
  /** Never rejects. */
  readonly answered: Promise<Answers>;
}

interface Answers {
  /** One for each request, in their order; none where the cache was closed. */
  readonly answers: readonly TierAnswer[];
  readonly patienceLeft: number;
}

const NO_ANSWERS: Answers = { answers: [], patienceLeft: 1 };

/**
 * A cache's side of its tier. Whatever the tier does, a call here ends in bounded time and never
 * rejects; only `flush` waits as long as it takes, or until `close`. Lookups that are asked for at once
 * travel together.
 */
export class TierLink<K> {
  readonly #parts: TierLinkParts<K>;
  readonly #pending = new Set<Promise<boolean>>();
  #namespace!: TierNamespace;
  #deadline = 1000;
  #busyDeadline = 60_000;
  #degradedTtl = 2000;
  #trust = 0;
  #batch: Batch | undefined;
  #closed = false;
  /** Commits that are under way, and the most there were since there were none. */
  #commits = 0;
  #mostCommits = 0;
  /** What ends each call that runs, when the cache is closed. */
  readonly #stops = new Set<() => void>();

  constructor(parts: TierLinkParts<K>) {
    this.#parts = parts;
  }

  /** @throws what the tier throws when it cannot be attached to */
  attach(tier: Tier): void {
    const { clock, effects, events, name } = this.#parts;
    const whileOpen =
      <A extends unknown[]>(effect: (...args: A) => void) =>
      (...args: A): void => {
        if (!this.#closed) effect(...args);
      };
    this.#namespace = tier.attach(name, {
      clock,
      invalidate: whileOpen(effects.invalidate),
      invalidateTags: whileOpen(effects.invalidateTags),
      invalidateAll: whileOpen(effects.invalidateAll),
      report: (state, detail) => {
        events.emit('tier', { state, detail });
      },
      fail: (error, key) => {
        this.#failed(error, key);
      },
    });
    const { deadline = 1000, busyDeadline = 60_000 } = this.#namespace;
    const { degradedTtl = 2000, trust = 0 } = this.#namespace;
    try {
      this.#deadline = toMilliseconds(deadline, 'deadline of the tier');
      this.#busyDeadline = toMilliseconds(busyDeadline, 'busyDeadline of the tier');
      this.#degradedTtl = toMilliseconds(degradedTtl, 'degradedTtl of the tier');
      this.#trust = toMilliseconds(trust, 'trust of the tier');
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /** Milliseconds that memory may keep what was loaded while the tier was away. */
  get degradedTtl(): number {
    return this.#degradedTtl;
  }

  /** Milliseconds that memory may serve what came through a tier that is not coherent. */
  get trust(): number {
    return this.#trust;
  }

  /** Settles when the tier is connected or given up on; never rejects. */
  async ready(): Promise<void> {
    await this.#within(
      () => READY_WITHIN,
      () => this.#namespace.ready,
    );
  }

  /** True while memory may serve what the tier stands behind. */
  coherent(): boolean {
    try {
      return this.#namespace.coherent();
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /**
   * Asks what the tier has; what is asked for at once travels together.
   *
   * @param answered - must not throw. It runs in the async context of its caller: a loader that it
   * calls finds the request to which it belongs, and not the one that began the batch. It is told
   * what part of the deadline is left, from 0 to 1.
   */
  lookup(request: TierRequest, answered: (answer: TierAnswer, patienceLeft: number) => void): void {
    this.#batch ??= this.#newBatch();
    const batch = this.#batch;
    const at = batch.requests.push(request) - 1;
    void batch.answered.then(({ answers, patienceLeft }) => {
      answered(answers[at] ?? UNAVAILABLE, patienceLeft);
    });
  }

  /** Waits out the load of another process. */
  async settled(answer: Extract<TierAnswer, { kind: 'busy' }>): Promise<TierAnswer> {
    let late = false;
    const outcome = await this.#within(
      () => this.#busyDeadline,
      async () => {
        const settled = this.#checked(await answer.settled());
        if (late) this.#releaseLate(settled);
        return settled;
      },
      () => (late = true),
    );
    return outcome.ok ? outcome.value : UNAVAILABLE;
  }

  /** Resolves to whether the tier took it. */
  set(key: string, entry: Entry): Promise<boolean> {
    return this.#tell(1, () => this.#namespace.set(key, entry));
  }

  setMany(entries: readonly (readonly [key: string, entry: Entry])[]): Promise<boolean> {
    if (entries.length === 0) return Promise.resolve(true);
    return this.#tell(entries.length, async () => {
      if (this.#namespace.setMany !== undefined) await this.#namespace.setMany(entries);
      else await Promise.all(entries.map(([key, entry]) => this.#namespace.set(key, entry)));
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#tell(1, () => this.#namespace.delete(key));
  }

  expire(key: string): Promise<boolean> {
    return this.#tell(1, () => this.#namespace.expire(key));
  }

  invalidateTags(tags: readonly string[]): Promise<boolean> {
    return this.#tell(tags.length, () => this.#namespace.invalidateTags(tags));
  }

  clear(): Promise<boolean> {
    return this.#tell(1, () => this.#namespace.clear());
  }

  /**
   * Stores what was loaded. Answers `unavailable` when the tier does not.
   *
   * @param patience - what part of the deadline its callers wait for it at most, from 0 to 1
   * @param ranOut - called when that is over
   */
  async commit(
    lease: TierLease,
    entry: Entry,
    patience: number,
    ranOut: () => void,
  ): Promise<'stored' | 'refused' | 'unavailable'> {
    // Loads that end at once are stored as a bulk.
    this.#mostCommits = Math.max(this.#mostCommits, ++this.#commits);
    const deadline = (): number => this.#deadlineFor(this.#mostCommits);
    const store = (): ReturnType<TierLease['commit']> => lease.commit(entry);
    const answer = await this.#within(deadline, store, undefined, { patience, ranOut });
    if (--this.#commits === 0) this.#mostCommits = 0;
    return answer.ok ? answer.value : 'unavailable';
  }

  release(lease: TierLease): void {
    // Nobody waits any more, and no timer may be left behind.
    if (this.#closed) void (async () => lease.release())().catch(() => undefined);
    else void this.#tell(1, () => lease.release());
  }

  /** @throws (rejects) when something told so far has not taken effect */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
    let stop!: () => void;
    const closed = new Promise<never>((_, reject) => {
      stop = () => {
        reject(closedError(this.#parts.name));
      };
    });
    this.#stops.add(stop);
    try {
      await Promise.race([this.#namespace.flush(), closed]);
    } finally {
      this.#stops.delete(stop);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of [...this.#stops]) stop();
    await this.#within(
      () => CLOSE_WITHIN,
      () => this.#namespace.close(),
    );
  }

  #newBatch(): Batch {
    const requests: TierRequest[] = [];
    return { requests, answered: this.#send(requests) };
  }

  /** Sends the requests that come until the next microtask. */
  async #send(requests: readonly TierRequest[]): Promise<Answers> {
    await Promise.resolve();
    this.#batch = undefined;
    if (this.#closed) return NO_ANSWERS;
    let late = false;
    const [deadline, { clock }] = [this.#deadlineFor(requests.length), this.#parts];
    const sentAt = clock.now();
    const outcome = await this.#within(
      () => deadline,
      async () => {
        const answers = await this.#namespace.lookup(requests);
        const given = Array.isArray(answers) ? (answers as readonly unknown[]) : [];
        const checked = requests.map((_, index) => this.#checked(given[index]));
        if (late) checked.forEach((one) => this.#releaseLate(one));
        return checked;
      },
      () => (late = true),
    );
    const patienceLeft = Math.min(1, Math.max(0, 1 - (clock.now() - sentAt) / deadline));
    return { answers: outcome.ok ? outcome.value : [], patienceLeft };
  }

  /** An answer came too late for anybody: its lease would block the other processes. */
  #releaseLate(answer: TierAnswer): void {
    if ('lease' in answer && answer.lease !== undefined) this.release(answer.lease);
  }

  /** An answer as the port promises it, whatever came. */
  #checked(given: unknown): TierAnswer {
    const answer = (given ?? UNAVAILABLE) as TierAnswer;
    switch (answer.kind) {
      case 'missing':
      case 'unavailable':
        return answer;
      case 'busy':
        if (answer.entry === undefined || isEntry(answer.entry)) return answer;
        this.#failed(new TypeError('the tier found what is no entry'));
        return { kind: 'busy', settled: () => answer.settled() };
      case 'found': {
        if (isEntry(answer.entry)) return answer;
        this.#failed(new TypeError('the tier found what is no entry'));
        const { lease } = answer;
        return lease === undefined ? { kind: 'missing' } : { kind: 'missing', lease };
      }
    }
    this.#failed(new TypeError('the tier gave an answer that is none'));
    return UNAVAILABLE;
  }

  /** A bulk takes longer than a single item, however well the tier is. */
  #deadlineFor(items: number): number {
    return this.#deadline * Math.ceil(Math.max(items, 1) / BULK);
  }

  /** A change that the tier is told of, and that `flush` waits for. */
  #tell(items: number, call: () => Promise<void>): Promise<boolean> {
    const deadline = this.#deadlineFor(items);
    const told = this.#within(() => deadline, call).then(({ ok }) => {
      this.#pending.delete(told);
      return ok;
    });
    this.#pending.add(told);
    return told;
  }

  /**
   * The outcome of a call, whatever it does; a failure is an event and a metric.
   *
   * @param ms - asked again when it is over: a bulk may have grown meanwhile
   */
  async #within<T>(
    ms: () => number,
    call: () => Promise<T>,
    isLate: () => void = () => undefined,
    callers?: { readonly patience: number; readonly ranOut: () => void },
  ): Promise<{ ok: true; value: T } | { ok: false }> {
    const { clock, name } = this.#parts;
    let stop: () => void = () => undefined;
    let timer: ClockTimer | undefined;
    let waited = 0;
    const wait = (until: () => number, over: () => void): void => {
      const rest = until() - waited;
      timer = clock.setTimeout(
        () => {
          waited += rest;
          // After a turn that blocked, the answer may have come and not been read yet.
          if (until() <= waited) timer = clock.setTimeout(over, 0);
          else wait(until, over);
        },
        Math.max(0, rest),
      );
    };
    try {
      const late = new Promise<never>((_, reject) => {
        const end = (error: CacheError): void => {
          isLate();
          reject(error);
        };
        const waitToTheEnd = (): void => {
          wait(ms, () => {
            const message = `cache '${name}': the tier did not answer within ${waited} ms`;
            end(new CacheError('ERR_ACACHE_TIER_TIMEOUT', message));
          });
        };
        if (callers === undefined) waitToTheEnd();
        else {
          const { patience, ranOut } = callers;
          wait(
            () => ms() * patience,
            () => {
              ranOut();
              waitToTheEnd();
            },
          );
        }
        stop = () => {
          end(closedError(name));
        };
      });
      this.#stops.add(stop);
      return { ok: true, value: await Promise.race([call(), late]) };
    } catch (error) {
      this.#failed(error);
      return { ok: false };
    } finally {
      this.#stops.delete(stop);
      if (timer !== undefined) clock.clearTimeout(timer);
    }
  }

  #failed(error: unknown, key?: string): void {
    this.#parts.counts.tierErrors++;
    const named = key === undefined ? undefined : (keyOfId(idOfWireKey(key)) as K);
    this.#parts.events.report(error, 'tier', named);
  }
}
