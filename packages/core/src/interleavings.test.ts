/*
 * Random interleavings of everything that can meet in a cache, checked against a small model of the
 * contract (../test/reference-cache.ts). A schedule is one seed.
 *
 *   ACACHE_SCHEDULES=200000 npx jest packages/core/src/interleavings   more schedules (default 2000)
 *   ACACHE_SEED=4711        npx jest packages/core/src/interleavings   one schedule, with its transcript
 *   ACACHE_FIRST=100000     …                                          begins with another seed
 */
import { AsyncCache, LoadTimeoutError } from '@acache/core';
import type { GetManyOptions, GetOptions, ReadResult } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { ReferenceCache } from '../test/reference-cache.js';
import type {
  LoadTags,
  ModelCaller,
  ModelEntry,
  ModelLoad,
  Version,
  Windows,
} from '../test/reference-cache.js';

const KEYS = ['a', 'b', 'c'];
const TAGS = ['x', 'y'];
const STEPS = 36;

/** One run of a loader or of loadMany, which the schedule settles. */
interface Pending {
  readonly loads: readonly ModelLoad[];
  readonly signal: AbortSignal | undefined;
  succeed: () => void;
  fail: (error: unknown) => void;
}

/** One get or getMany that the schedule watches. */
interface Caller {
  readonly name: string;
  readonly parts: readonly ModelCaller[];
  readonly timeout: number;
  readonly leave: AbortController | undefined;
  settled: boolean;
  left: boolean;
}

class Failure extends Error {}

function random(seed: number) {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return {
    below: (limit: number): number => Math.floor(next() * limit),
    chance: (likely: number): boolean => next() < likely,
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
  };
}

class Schedule {
  readonly #notes: unknown[][] = [];
  readonly #dice;
  readonly #clock = fakeClock();
  readonly #windows: Windows;
  readonly #bound: number;
  /** Callers leave either by their signal or by a timeout: the contract does not say how they mix. */
  readonly #leaveBy;
  readonly #model: ReferenceCache;
  readonly #cache: AsyncCache<string, Version>;
  readonly #pending = new Set<Pending>();
  readonly #callers: Caller[] = [];
  /** The load that a caller waits for. */
  readonly #awaits = new Map<ModelCaller, ModelLoad>();
  /** Those whose load was none for them, and who need another, in this turn. */
  readonly #readers = new Set<ModelCaller>();
  readonly #evicted = new Map<string, ModelEntry>();
  #problem: unknown;
  readonly #errors = new Map<unknown, readonly ModelLoad[]>();
  #versions = 0;
  #gets = 0;
  #getsAtMost = 0;
  #loads = 0;
  #cleared = false;

  constructor(seed: number) {
    const dice = (this.#dice = random(seed));
    this.#windows = {
      ttl: dice.pick([Infinity, 100]),
      staleWhileRevalidate: dice.pick([0, 0, 100]),
      staleIfError: dice.pick([0, 0, 60, 200]),
      refreshAhead: dice.pick([1, 1, 0.5]),
      errorTtl: dice.pick([0, 0, 0, 50]),
    };
    this.#bound = dice.pick([Infinity, Infinity, 2, 1, 0]);
    this.#leaveBy = dice.pick(['signal', 'timeout', 'soft timeout', 'nothing'] as const);
    const { ttl, ...windows } = this.#windows;
    this.#note('options', { ttl, ...windows, maxSize: this.#bound, leaveBy: this.#leaveBy });
    this.#model = new ReferenceCache(this.#windows, () => this.#clock.now());
    this.#cache = new AsyncCache<string, Version>({
      clock: this.#clock,
      maxSize: this.#bound,
      ttl: ttl === Infinity ? null : ttl,
      ...windows,
    });
    this.#cache.on('evict', ({ key }) => {
      this.#note('evicted', key);
      const entry = this.#model.entries.get(key as string);
      if (entry !== undefined) this.#evicted.set(entry.version.key, entry);
      this.#model.entries.delete(key as string);
    });
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      const ms = this.#step();
      const { size } = this.#cache;
      this.#expect(size <= this.#bound, `size ${size} is over maxSize`);
      // What is not flushed happens in one turn with what follows.
      const flush = ms > 0 || this.#bound !== Infinity || this.#dice.chance(0.7);
      if (flush) await this.#pass(ms);
    }
    await this.#flush();
    for (let round = 0; round < 200 && this.#pending.size > 0; round++) {
      this.#settleOne();
      await this.#flush();
    }
    await this.#pass(200);
    this.#expect(this.#pending.size === 0, 'loads go on beginning');
    for (const { settled, name } of this.#callers) this.#expect(settled, `${name} hangs`);
    this.#checkMetrics();
  }

  /** Does something; says how much time passes then. */
  #step(): number {
    const { below, chance, pick } = this.#dice;
    const key = pick(KEYS);
    const at = below(100);
    if (at < 30) this.#get(key);
    else if (at < 40) this.#getMany();
    else if (at < 60) this.#settleOne();
    else if (at < 66) {
      const tags = TAGS.filter(() => chance(0.4));
      const version = this.#model.set(key, ++this.#versions, tags);
      this.#note('set', key, version.number, tags);
      // Nothing is held at maxSize 0.
      if (this.#bound === 0) this.#model.entries.delete(key);
      void this.#cache.set(key, version, { tags });
    } else if (at < 71) {
      this.#note('delete', key);
      const held = this.#model.delete(key);
      void this.#cache
        .delete(key)
        .then((was) => this.#expect(was === held, `delete says ${String(was)}`));
    } else if (at < 75) {
      this.#note('expire', key);
      this.#model.expire(key);
      void this.#cache.expire(key);
    } else if (at < 81) {
      const tag = pick(TAGS);
      this.#note('invalidate', tag);
      this.#model.invalidate(tag);
      void this.#cache.invalidateTags(tag);
    } else if (at < 83) {
      this.#note('clear');
      this.#cleared = true;
      this.#gets = 0;
      this.#getsAtMost = this.#unsettledGets();
      this.#loads = 0;
      this.#model.clear(KEYS);
      void this.#cache.clear();
    } else if (at < 93) return pick([10, 20, 30, 50, 100, 150]);
    else this.#leaveOne();
    return 0;
  }

  #get(key: string): void {
    const { chance, pick } = this.#dice;
    const loads = chance(0.8);
    const refresh = loads && chance(0.12);
    const model = this.#model.arrive(key, loads, refresh);
    const caller = this.#caller(`get ${key}`, [model]);
    const options: GetOptions<string, Version> = this.#patience(caller);
    if (loads) {
      const tags = TAGS.filter(() => chance(0.3));
      const decided = pick(['at once', 'by function', 'early', 'late'] as const);
      const late = decided === 'by function' || decided === 'late';
      if (decided === 'at once') options.tags = tags;
      if (decided === 'by function') options.tags = () => tags;
      if (refresh) options.refresh = true;
      options.loader = async (asked, context) => {
        this.#expect(asked === key, 'a loader was given another key');
        if (decided === 'early') context.tag(...tags);
        const load = this.#begin(model, tagsOf(tags, late));
        const expected = load.background || (context.background && this.#model.readsAnew(model));
        this.#expect(context.background === expected, 'context.background is wrong');
        const values = await this.#outcome([load], context.signal, () => {
          if (decided === 'late') context.tag(...tags);
        });
        return values[0] as Version;
      };
      this.#note(caller.name, refresh ? 'refresh' : '', decided, tags);
    } else this.#note(caller.name, 'without a loader');
    this.#watch(caller, this.#cache.getWithMeta(key, options), (result) => {
      this.#checkResult(model, result);
    });
  }

  #getMany(): void {
    const { chance } = this.#dice;
    const keys = KEYS.filter(() => chance(0.7));
    if (this.#dice.chance(0.3)) keys.reverse();
    const loads = chance(0.85);
    const refresh = loads && chance(0.1);
    const models = keys.map((key) => this.#model.arrive(key, loads, refresh));
    const caller = this.#caller(`getMany ${keys.join()}`, models);
    const options: GetManyOptions<string, Version> = this.#patience(caller);
    if (loads) {
      const tags = TAGS.filter(() => chance(0.3));
      const late = chance(0.5);
      options.tags = late ? () => tags : tags;
      if (refresh) options.refresh = true;
      options.loadMany = async (asked) => {
        const begun = asked.map((key) => {
          const model = models.find((candidate) => candidate.key === key);
          this.#expect(model !== undefined, `loadMany was given ${key}`);
          return this.#begin(model as ModelCaller, tagsOf(tags, late));
        });
        return this.#outcome(begun);
      };
      this.#note(caller.name, refresh ? 'refresh' : '', late ? 'late' : 'at once', tags);
    } else this.#note(caller.name, 'without a loader');
    this.#watch(caller, this.#cache.getMany(keys, options), (values) => {
      const found = keys.filter((key) => values.has(key));
      this.#expect([...values.keys()].join() === found.join(), 'getMany is not in key order');
      for (const model of models) {
        const value = values.get(model.key);
        if (value === undefined) this.#checkNothing(model);
        else this.#checkValue(model, value);
      }
    });
  }

  #caller(name: string, parts: readonly ModelCaller[]): Caller {
    this.#gets += parts.length;
    const { chance, pick } = this.#dice;
    // The contract does not say whether a refresh behind a stale value ends when all who joined it leave.
    const plain = parts.every(({ freshness, flight }) => {
      return freshness === 'none' && flight?.background !== true;
    });
    const impatient = chance(0.4);
    const caller: Caller = {
      name: `${name} #${this.#callers.length}`,
      parts,
      timeout: impatient && this.#leaveBy === 'timeout' ? pick([10, 40, 90]) : Infinity,
      leave: impatient && plain && this.#leaveBy === 'signal' ? new AbortController() : undefined,
      settled: false,
      left: false,
    };
    this.#callers.push(caller);
    return caller;
  }

  #patience({ timeout, leave }: Caller): GetOptions<string, Version> {
    return {
      ...(timeout === Infinity ? {} : { timeout }),
      ...(leave === undefined ? {} : { signal: leave.signal }),
      ...(this.#leaveBy === 'soft timeout' && this.#dice.chance(0.5) ? { softTimeout: 20 } : {}),
    };
  }

  #begin(caller: ModelCaller, tags: LoadTags): ModelLoad {
    const { key } = caller;
    this.#loads++;
    const forbidden = this.#model.forbidsLoad(caller);
    const load = this.#model.begin(caller, ++this.#versions, tags);
    this.#note('  load', key, load.version.number);
    if (forbidden !== undefined) this.#fail(forbidden);
    // Who read anew in this turn and found nothing waits for this one.
    for (const part of this.#readers) if (part.key === key) this.#awaits.set(part, load);
    return load;
  }

  #outcome(
    loads: readonly ModelLoad[],
    signal?: AbortSignal,
    atEnd?: () => void,
  ): Promise<Version[]> {
    return new Promise<Version[]>((resolve, reject) => {
      const succeed = () => resolve(loads.map(({ version }) => version));
      this.#pending.add({ loads, signal, succeed, fail: reject });
    }).then(
      (versions) => {
        atEnd?.();
        for (const load of loads) this.#settled(load);
        return versions;
      },
      (error: unknown) => {
        for (const load of loads) this.#settled(load, error);
        throw error;
      },
    );
  }

  #settled(load: ModelLoad, error?: unknown): void {
    this.#model.settle(load, error);
    const { key } = load.version;
    if (this.#bound === 0) this.#model.entries.delete(key);
    if (error !== undefined) return;
    // Who joined after the invalidation of a tag that the load decides only now reads anew.
    for (const [part, awaited] of this.#awaits) {
      if (awaited !== load || !this.#model.revokedLate(load, part.arrived)) continue;
      const running = this.#model.flights.get(key);
      this.#awaits.delete(part);
      if (this.#model.arrive(key, true, false).freshness !== 'none') continue;
      if (running === undefined) this.#readers.add(part);
      else this.#awaits.set(part, running);
    }
  }

  #settleOne(): void {
    if (this.#pending.size > 0) this.#settle(this.#dice.pick([...this.#pending]));
  }

  #settle(pending: Pending): void {
    this.#pending.delete(pending);
    const names = pending.loads.map(({ version }) => version.number);
    if (this.#dice.chance(0.7)) {
      this.#note('settle', names);
      pending.succeed();
    } else {
      this.#note('fail', names);
      const error = new Error(`load ${names.join()}`);
      this.#errors.set(error, pending.loads);
      pending.fail(error);
    }
  }

  #leaveOne(): void {
    const able = this.#callers.filter(({ settled, left, leave }) => !settled && !left && leave);
    if (able.length === 0) return;
    const caller = this.#dice.pick(able);
    this.#note('abort', caller.name);
    caller.left = true;
    caller.leave?.abort(caller);
    for (const part of caller.parts) {
      const load = this.#awaits.get(part);
      if (load === undefined || load.settled !== undefined) continue;
      const awaited = this.#callers.some(
        ({ settled, left, parts }) =>
          !settled && !left && parts.some((other) => this.#awaits.get(other) === load),
      );
      if (!awaited) this.#model.abandon(load);
      for (const { loads, signal } of this.#pending) {
        if (signal === undefined || !loads.includes(load)) continue;
        this.#expect(signal.aborted !== awaited, `the signal of load ${load.version.number}`);
      }
    }
  }

  #watch<T>(caller: Caller, promise: Promise<T>, check: (result: T) => void): void {
    promise
      .then(
        (result) => {
          this.#settledOnce(caller);
          check(result);
        },
        (error: unknown) => {
          this.#settledOnce(caller);
          this.#checkError(caller, error);
        },
      )
      .catch((problem: unknown) => {
        this.#problem ??= problem;
      });
    for (const part of caller.parts) {
      const load = this.#model.flights.get(part.key);
      if (part.freshness === 'none' && load !== undefined) this.#awaits.set(part, load);
    }
  }

  #settledOnce(caller: Caller): void {
    this.#expect(!caller.settled, `${caller.name} settled twice`);
    caller.settled = true;
    this.#note('  done', caller.name);
  }

  #checkResult(model: ModelCaller, result: ReadResult<Version | undefined>): void {
    if (result.value === undefined) this.#checkNothing(model);
    else this.#checkValue(model, result.value, result.status);
  }

  #checkValue(model: ModelCaller, version: Version, status?: string): void {
    const forbidden = this.#model.forbids(model, version, status);
    const what = `${model.key} got ${version.number} (${status ?? 'getMany'})`;
    if (forbidden !== undefined) this.#fail(`${what}: ${forbidden}`);
  }

  #checkNothing(part: ModelCaller): void {
    const { loads, freshness, key, flight } = part;
    const revoked = flight === undefined || this.#model.readsAnew(part);
    this.#expect(freshness !== 'none' || revoked, `${key} got nothing, and a load ran`);
    this.#expect(!loads, `${key} got nothing in spite of its loader`);
    this.#expect(freshness !== 'fresh', `${key} got nothing, and it was fresh`);
  }

  #checkError(caller: Caller, error: unknown): void {
    if (caller.left && error === caller) return;
    const waited = this.#clock.now() - (caller.parts[0]?.arrivedAt ?? 0);
    if (error instanceof LoadTimeoutError) {
      this.#expect(waited === caller.timeout, `${caller.name} timed out after ${waited}`);
      const stale = caller.parts.length === 1 && this.#model.canServeStale(caller.parts[0]!);
      this.#expect(!stale, `${caller.name} timed out inside staleIfError`);
      return;
    }
    const loads = this.#errors.get(error);
    if (loads === undefined) this.#fail(`${caller.name} got a strange error ${String(error)}`);
    const reasons = caller.parts.map((part) => {
      const load = loads.find(({ version }) => version.key === part.key);
      return load === undefined ? 'an error of another key' : this.#model.forbidsError(part, load);
    });
    this.#expect(reasons.includes(undefined), `${caller.name} got ${String(reasons)}`);
  }

  /** Lets what is due happen, then time pass, and compares with the model. */
  async #pass(ms: number): Promise<void> {
    await this.#flush();
    // In small steps where something may fall due on the way.
    const step = this.#leaveBy === 'timeout' || this.#leaveBy === 'soft timeout' ? 10 : ms;
    for (let passed = 0; passed < ms; passed += step) {
      await this.#clock.advance(step);
      this.#check();
    }
    if (ms > 0) this.#note('advanced', ms);
  }

  async #flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#model.endTurn();
    this.#readers.clear();
    // What was evicted and stored anew in one turn is there.
    for (const [key, entry] of this.#evicted) {
      if (this.#cache.has(key) && !this.#model.entries.has(key))
        this.#model.entries.set(key, entry);
    }
    this.#evicted.clear();
    this.#check();
  }

  #check(): void {
    if (this.#problem !== undefined) throw this.#problem;
    this.#checkWaiting();
    this.#checkMemory();
  }

  /** Who left, or waited long enough, waits no more. */
  #checkWaiting(): void {
    const now = this.#clock.now();
    for (const { settled, name, left, timeout, parts } of this.#callers) {
      if (settled) continue;
      this.#expect(!left, `${name} left and hangs`);
      const due = (parts[0]?.arrivedAt ?? now) + timeout;
      this.#expect(due > now, `${name} hangs past its timeout`);
    }
  }

  #checkMemory(): void {
    const { size } = this.#model;
    for (const key of KEYS) {
      const expected = this.#model.fresh(key)?.version;
      const held = this.#cache.peek(key);
      const say = (version?: Version) => String(version?.number ?? 'nothing');
      this.#expect(held === expected, `memory holds ${say(held)} for ${key}, not ${say(expected)}`);
      this.#expect(this.#cache.has(key) === (held !== undefined), 'has and peek differ');
    }
    this.#expect(this.#cache.size === size, `size is ${this.#cache.size}, not ${size}`);
  }

  #unsettledGets(): number {
    const waiting = this.#callers.filter(({ settled }) => !settled);
    return waiting.reduce((sum, { parts }) => sum + parts.length, 0);
  }

  #checkMetrics(): void {
    const { hits, misses, loads, hitRate } = this.#cache.getMetrics();
    const gets = hits + misses;
    this.#expect(
      gets >= this.#gets && gets <= this.#gets + this.#getsAtMost,
      `hits + misses = ${gets}, gets = ${this.#gets}${this.#cleared ? ' since clear' : ''}`,
    );
    this.#expect(loads === this.#loads, `loads = ${loads}, not ${this.#loads}`);
    this.#expect(hitRate === (gets === 0 ? 0 : hits / gets), 'hitRate');
  }

  #note(...words: unknown[]): void {
    this.#notes.push(words);
  }

  get transcript(): string {
    const say = (word: unknown) => (typeof word === 'string' ? word : JSON.stringify(word));
    return this.#notes.map((words) => words.map(say).join(' ')).join('\n');
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#fail(otherwise);
  }

  #fail(message: string): never {
    const failure = new Failure(message);
    this.#problem ??= failure;
    throw failure;
  }
}

function tagsOf(tags: readonly string[], late: boolean): LoadTags {
  return late ? { tags: [], lateTags: tags } : { tags, lateTags: [] };
}

const { ACACHE_SEED: only, ACACHE_FIRST: first, ACACHE_SCHEDULES: count } = process.env;

async function explore(seed: number): Promise<void> {
  const schedule = new Schedule(seed);
  try {
    await schedule.run();
    if (only !== undefined) console.log(schedule.transcript);
  } catch (error) {
    const what = error instanceof Failure ? error.message : String((error as Error).stack);
    throw new Error(
      `seed ${seed}: ${what}\n\n${schedule.transcript}\n\nreplay with ACACHE_SEED=${seed}`,
      { cause: error },
    );
  }
}

describe('random interleavings', () => {
  // Jest itself fails the test when a rejection goes unhandled; it ends after those were told.
  it('agree with the model of the contract, and leave no rejection unhandled', async () => {
    if (only !== undefined) return explore(Number(only));
    const begin = Number(first ?? 1);
    for (let seed = begin; seed < begin + Number(count ?? 2000); seed++) await explore(seed);
    await new Promise((resolve) => setImmediate(resolve));
  }, 3_600_000);
});
