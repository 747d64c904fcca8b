/*
 * One process's part of the coherence fuzz. The truth is a number for each key in a database, which
 * only grows. Loaders read it; a change counts the number up and then tells a cache. Every process
 * reads the same monotonic clock, so that what one has read can be held against what another did.
 */
import type { AsyncCache, GetOptions, LoadContext } from '@acache/core';
import type { Redis } from 'ioredis';
import { randomFrom, type Random } from './random.js';

export interface FuzzPlan {
  readonly seed: number;
  readonly ms: number;
  /** Of how many processes this is which. */
  readonly process: number;
  readonly processes: number;
  readonly keys: number;
  readonly loops: number;
  /** Whether a change counts only once a flush has confirmed it: for when commands may fail. */
  readonly confirms: boolean;
}

/** What a read brought: of which key, when it began, the number, and what it must be held against. */
export type Read = [key: number, begun: number, version: number, isMaybeStale: 0 | 1];
/** From when on nothing older may be read; with `isSoft`, nothing older as fresh. */
export type Floor = [key: number, version: number, at: number, isSoft: 0 | 1];

export interface FuzzReport {
  readonly reads: Read[];
  readonly floors: Floor[];
  /** What was wrong by itself. */
  readonly wrong: string[];
  readonly loads: number;
  /** The longest that the event loop stood still, in milliseconds. */
  readonly stall: number;
}

/** What a process shows of a key when all is quiet: in memory, on asking, and in memory afterwards. */
export type Shown = [peeked: number | undefined, got: number, after: number | undefined];

/** What the caches hold. */
interface Value {
  readonly key: string;
  readonly version: number;
  readonly padding: string;
}

/** Milliseconds, on a clock that all processes of a machine share. */
export const clock = (): number => Number(process.hrtime.bigint()) / 1e6;

export const keyAt = (at: number): string => `k${at}`;
export const recordOf = (at: number): string => `record:${at}`;

/** Only one process changes these, so that what it sets is never older than what is there. */
export const isOwned = (at: number): boolean => at % 5 === 0;
const hasWindows = (at: number): boolean => at % 5 === 1;
/** The tag that everybody knows before the load, or that its loader names. */
const tagAt = (at: number): string => `t${at % 3}`;
const isTagged = (at: number): boolean => at % 5 === 2 || at % 5 === 3;
const namesTagLate = (at: number): boolean => at % 5 === 3;

const MISSED = 'the loader missed';
/** Milliseconds between two looks at all that is in memory. */
const SWEEP = 15;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function paddingFor(key: string, version: number): string {
  return version % 4 === 0 ? key.repeat(600) : '';
}

export class Fuzzer {
  readonly #cache: AsyncCache<string, unknown>;
  readonly #database: Redis;
  #plan!: FuzzPlan;
  #random!: Random;
  #report!: { -readonly [Part in keyof FuzzReport]: FuzzReport[Part] };
  /** Owned keys that are being set. */
  #setting = new Map<number, Promise<void>>();

  constructor(cache: AsyncCache<string, unknown>, database: Redis) {
    this.#cache = cache;
    this.#database = database;
  }

  stop(): void {
    this.#database.disconnect();
  }

  async run(plan: FuzzPlan): Promise<FuzzReport> {
    this.#plan = plan;
    this.#random = randomFrom(plan.seed);
    this.#report = { reads: [], floors: [], wrong: [], loads: 0, stall: 0 };
    let last = clock();
    const beats = setInterval(() => {
      const now = clock();
      this.#report.stall = Math.max(this.#report.stall, now - last);
      last = now;
    }, 5);
    // All that memory would serve, again and again.
    const sweeps = setInterval(() => {
      for (let at = 0; at < plan.keys; at++) this.#peek(at);
    }, SWEEP);
    const end = last + plan.ms;
    await Promise.all(Array.from({ length: plan.loops }, () => this.#loop(end)));
    clearInterval(beats);
    clearInterval(sweeps);
    return this.#report;
  }

  async show(keys: number): Promise<Shown[]> {
    const ats = Array.from({ length: keys }, (_, at) => at);
    const peek = (at: number): number | undefined =>
      (this.#cache.peek(keyAt(at)) as Value | undefined)?.version;
    const peeked = ats.map(peek);
    const got = await Promise.all(
      ats.map(async (at) => {
        const loader = (_key: string, context: LoadContext<unknown>): Promise<Value> => {
          if (namesTagLate(at)) context.tag(tagAt(at));
          return this.#record(at);
        };
        const options = { ...this.#options(at), loader };
        for (let round = 0; ; round++) {
          const { value, status } = await this.#cache.getWithMeta(keyAt(at), options);
          // Stale, it may be as old as its windows allow; a refresh runs.
          if (status !== 'stale' || round === 500) return (value as Value).version;
          await sleep(5);
        }
      }),
    );
    return ats.map((at) => [peeked[at], got[at]!, peek(at)]);
  }

  async #loop(end: number): Promise<void> {
    while (clock() < end) {
      try {
        await this.#act();
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        const isMeant = said === MISSED || (error as Error).name === 'TimeoutError';
        if (!isMeant)
          this.#report.wrong.push(error instanceof Error ? (error.stack ?? said) : said);
      }
      if (this.#random.chance(0.3)) await sleep(this.#random.below(4));
    }
  }

  #act(): Promise<void> {
    const chosen = this.#random() * 100;
    const at = this.#key();
    if (chosen < 15) return this.#getMany();
    if (chosen < 92) return this.#get(at);
    if (chosen < 95) return isOwned(at) ? this.#set(at) : this.#drop(at, 'delete');
    if (chosen < 97.3) return this.#drop(at, 'delete');
    if (chosen < 99.3) return this.#drop(at, 'expire');
    if (chosen < 99.9) return this.#invalidate(this.#random.of(['t0', 't1', 't2']));
    return this.#clear();
  }

  /** Some keys are asked for, and changed, much more often than others. */
  #key(): number {
    return Math.floor(this.#plan.keys * this.#random() ** 2);
  }

  #peek(at: number): void {
    this.#saw(at, clock(), this.#cache.peek(keyAt(at)), false);
  }

  async #get(at: number): Promise<void> {
    const random = this.#random;
    const begun = clock();
    const options: GetOptions<string, unknown> = { ...this.#options(at) };
    if (random.chance(0.9)) options.loader = (_key, context) => this.#load(at, context);
    if (random.chance(0.04)) options.refresh = true;
    if (random.chance(0.04)) options.signal = AbortSignal.timeout(1 + random.below(15));
    if (options.loader === undefined) delete options.refresh;
    const { value, status } = await this.#cache.getWithMeta(keyAt(at), options);
    this.#saw(at, begun, value, status !== 'hit' && status !== 'miss');
  }

  async #getMany(): Promise<void> {
    const random = this.#random;
    const begun = clock();
    const kind = random.below(5);
    // The options are for all of them.
    const ats = Array.from({ length: this.#plan.keys }, (_, at) => at).filter(
      (at) => at % 5 === kind && (kind !== 2 || at % 3 === 0) && random.chance(0.3),
    );
    if (ats.length === 0) return;
    const loadMany = (missing: readonly string[]): Promise<Value[]> =>
      Promise.all(missing.map((key) => this.#load(Number(key.slice(1)))));
    const found = await this.#cache.getMany(ats.map(keyAt), {
      ...this.#options(ats[0]!),
      // Its loader could not name the tags.
      ...(kind !== 3 && random.chance(0.8) && { loadMany }),
    });
    for (const at of ats) this.#saw(at, begun, found.get(keyAt(at)), true);
  }

  #options(at: number): GetOptions<string, unknown> {
    const random = this.#random;
    const tags = [tagAt(at)];
    return {
      ttl: random.chance(0.5) ? 20 + random.below(300) : null,
      ...(hasWindows(at) && { staleWhileRevalidate: 200, staleIfError: 300 }),
      ...(isTagged(at) && !namesTagLate(at) && { tags: random.chance(0.5) ? tags : () => tags }),
    };
  }

  async #load(at: number, context?: LoadContext<unknown>): Promise<Value> {
    const random = this.#random;
    this.#report.loads++;
    await sleep(random.below(4));
    const value = await this.#record(at);
    if (random.chance(0.02)) throw new Error(MISSED);
    await sleep(random.below(8));
    if (namesTagLate(at)) context?.tag(tagAt(at));
    if (random.chance(0.02)) context?.skipStore();
    return value;
  }

  async #record(at: number): Promise<Value> {
    const version = Number(await this.#database.get(recordOf(at)));
    return { key: keyAt(at), version, padding: paddingFor(keyAt(at), version) };
  }

  /** Sets what only this process changes: one after the other, each after the database. */
  async #set(at: number): Promise<void> {
    const { process, processes } = this.#plan;
    if (at % processes !== process) return this.#drop(at, 'delete');
    const before = this.#setting.get(at);
    const setting = (async () => {
      await before;
      const version = await this.#database.incr(recordOf(at));
      const value = { key: keyAt(at), version, padding: paddingFor(keyAt(at), version) };
      const ttl = this.#random.chance(0.5) ? 50 + this.#random.below(300) : null;
      await this.#cache.set(keyAt(at), value, { ttl, tags: [tagAt(at)] });
      await this.#confirmed();
      this.#report.floors.push([at, version, clock(), 0]);
    })();
    this.#setting.set(at, setting);
    await setting;
  }

  async #drop(at: number, how: 'delete' | 'expire'): Promise<void> {
    const version = isOwned(at) ? 0 : await this.#database.incr(recordOf(at));
    await this.#cache[how](keyAt(at));
    await this.#confirmed();
    if (version > 0) this.#report.floors.push([at, version, clock(), how === 'expire' ? 1 : 0]);
  }

  async #invalidate(tag: string): Promise<void> {
    const has = (at: number): boolean => isTagged(at) && tagAt(at) === tag;
    await this.#changeAll(has, () => this.#cache.invalidateTags(tag));
  }

  async #clear(): Promise<void> {
    await this.#changeAll(
      (at) => !isOwned(at),
      () => this.#cache.clear(),
    );
  }

  async #changeAll(which: (at: number) => boolean, change: () => Promise<void>): Promise<void> {
    const ats = Array.from({ length: this.#plan.keys }, (_, at) => at).filter(which);
    const versions = await Promise.all(ats.map((at) => this.#database.incr(recordOf(at))));
    await change();
    await this.#confirmed();
    const now = clock();
    ats.forEach((at, index) => this.#report.floors.push([at, versions[index]!, now, 0]));
  }

  async #confirmed(): Promise<void> {
    if (!this.#plan.confirms) return;
    for (let round = 0; ; round++) {
      try {
        await this.#cache.flush();
        return;
      } catch (error) {
        if (round === 500) throw error;
        await sleep(10);
      }
    }
  }

  #saw(at: number, begun: number, found: unknown, isMaybeStale: boolean): void {
    if (found === undefined) return;
    const { key, version, padding } = found as Value;
    const isRight = key === keyAt(at) && padding === paddingFor(key, version);
    if (!isRight) this.#report.wrong.push(`${keyAt(at)} was ${JSON.stringify(found).slice(0, 80)}`);
    this.#report.reads.push([at, begun, version, hasWindows(at) && isMaybeStale ? 1 : 0]);
  }
}
