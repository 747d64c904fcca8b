import { filePersistence, redisTier } from '@acache/all';
import { ttlToMilliseconds, type Clock, type Tier } from '@acache/core';
import { BurstRecorder } from './burst.js';
import type { CheckResult } from './checks/check.js';
import { Rigs } from './checks/rig.js';
import { checksFor, runChecks } from './checks/run-checks.js';
import { describeError } from './describe-error.js';
import { createDriver, type Driver } from './drivers/driver.js';
import { Latencies } from './latencies.js';
import { Ledger } from './ledger.js';
import { Listeners } from './listeners.js';
import type { LogLine, Message, Progress, State } from './messages.js';
import { idsOf, type Mix } from './mixes.js';
import { settingsAsCode } from './settings-as-code.js';
import { DEFAULT_BACKEND, DEFAULT_SETTINGS, type Backend, type Settings } from './settings.js';
import { REDIS_PREFIX } from './redis-prefix.js';
import { Source, tagsOf, type LoadRecord } from './source.js';
import { timeOf, wallTime, type Time } from './time.js';

/** What stands behind the caches of a session. */
export interface SessionOptions {
  /** The URL of a Redis. */
  readonly redis?: string | undefined;
  /** The path of a file. */
  readonly file?: string | undefined;
  /** For tests. */
  readonly clock?: Clock;
}

const SAMPLE_EVERY = 500;
const PROGRESS_EVERY = 50;
const MOST_ROWS = 200;
const MOST_LOADS = 5000;
const MOST_LINES = 100;

/** A playground: one cache that is driven, and what is seen of it. */
export class Session {
  readonly #options: SessionOptions;
  readonly #time: Time;
  readonly #source: Source;
  readonly #latencies = new Latencies();
  readonly #listeners = new Listeners<Message>();
  /** The loads of late, by their number: they tell who joined. */
  readonly #loads = new Map<number, LoadRecord>();
  readonly #lines: LogLine[] = [];
  #settings: Settings = DEFAULT_SETTINGS;
  #driver: Driver;
  #ledger: Ledger;
  #redis: State['redis'];
  #recorder: BurstRecorder | undefined;
  #progress: Progress | undefined;
  #cancelled = false;
  #calls = 0;
  #runs = 0;
  #sampling: NodeJS.Timeout | undefined;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions = {}) {
    this.#options = options;
    this.#time = options.clock === undefined ? wallTime : timeOf(options.clock);
    this.#source = new Source(DEFAULT_BACKEND, this.#time);
    this.#source.watch = (record) => {
      this.#noteLoad(record);
    };
    this.#redis = options.redis === undefined ? 'none' : 'connecting';
    [this.#driver, this.#ledger] = this.#begin(this.#settings);
  }

  get state(): State {
    const { redis, file = null } = this.#options;
    return {
      settings: this.#settings,
      backend: this.#source.backend,
      code: settingsAsCode(this.#settings, { redis: redis !== undefined, file }),
      redis: this.#redis,
      file,
      fileProblem: this.#ledger.problem === undefined ? null : describeError(this.#ledger.problem),
    };
  }

  /** Settles once what the file kept is back. */
  get ready(): Promise<void> {
    return this.#driver.cache.ready;
  }

  /** Is told what happens, from the state as it is now on. @returns what ends it */
  watch(listener: (message: Message) => void): () => void {
    listener({ type: 'state', state: this.state });
    for (const message of this.#pulse()) listener(message);
    for (const line of this.#lines) listener({ type: 'log', line });
    if (this.#progress?.running === true) listener({ type: 'progress', progress: this.#progress });
    const off = this.#listeners.add(listener);
    this.#sampling ??= setInterval(() => {
      this.#tellPulse();
    }, SAMPLE_EVERY).unref();
    return () => {
      off();
      if (this.#listeners.size > 0) return;
      clearInterval(this.#sampling);
      this.#sampling = undefined;
    };
  }

  /**
   * Sets up another cache, empty but for what Redis and the file have.
   *
   * @throws (rejects) InvalidOptionError for settings that cannot be meant; the cache stays as it is then
   */
  async configure(settings: Settings): Promise<State> {
    this.cancel();
    // One after the other: the file is locked by the cache that has it.
    const changed = this.#changing.then(async () => {
      await createDriver({ settings, source: this.#source, name: 'trial' }).cache.close();
      await this.#driver.cache.close();
      this.#loads.clear();
      this.#settings = settings;
      [this.#driver, this.#ledger] = this.#begin(settings);
      await this.ready;
      this.#log('did', `set up a new cache: ${settings.kind}`);
      this.#listeners.tell({ type: 'state', state: this.state });
      this.#tellPulse();
      return this.state;
    });
    this.#changing = changed.catch(() => undefined);
    return changed;
  }

  /** Makes the database slower, or fail. */
  behave(backend: Backend): State {
    this.#source.backend = backend;
    this.#listeners.tell({ type: 'state', state: this.state });
    return this.state;
  }

  /** Makes all the calls of a mix. Resolves when they are through, or `cancel` was called. */
  async run(mix: Mix): Promise<string> {
    const driver = this.#driver;
    const prefix = mix.newKeys ? `run ${++this.#runs} item` : 'item';
    const ttl = this.#settings.ttl === null ? Infinity : ttlToMilliseconds(this.#settings.ttl);
    const startedAt = this.#time.now();
    const recorder = new BurstRecorder(mix.title, startedAt, ttl);
    await this.#busy({ what: 'run', title: mix.title, total: mix.requests }, async (step) => {
      this.#recorder = recorder;
      const ids = idsOf(mix, prefix);
      const caller = async (): Promise<void> => {
        for (let next = ids.next(); next.done !== true; next = ids.next()) {
          if (this.#cancelled) return;
          await this.#call(driver, next.value, recorder);
          step();
        }
      };
      await Promise.all(Array.from({ length: Math.min(mix.concurrency, mix.requests) }, caller));
    });
    this.#recorder = undefined;
    const burst = recorder.burst();
    this.#listeners.tell({ type: 'burst', burst });
    const counts = Object.entries(burst.counts).map(([status, count]) => `${count} ${status}`);
    return this.#did(`${mix.title}: ${counts.join(', ')}, in ${Math.round(burst.duration)} ms`);
  }

  /** Loads items before anybody asks for them. */
  async warmup(count: number, concurrency: number): Promise<string> {
    const { cache, keyOf, loaderOf } = this.#driver;
    const ids = Array.from({ length: count }, (_, at) => `item ${at}`);
    let text = '';
    await this.#busy({ what: 'warmup', title: 'warm-up', total: count }, async (step) => {
      const entries = ids.map((id) => [keyOf(id, 0), loaderOf(id)] as const);
      const report = await cache.warmup(entries, { concurrency, onProgress: step });
      text = `warm-up: ${report.loaded} loaded, ${report.alreadyCached} were there, ${report.failures.length} failed`;
    });
    return this.#did(text);
  }

  /** Stops the run that is under way: the calls that were made are waited for. */
  cancel(): void {
    this.#cancelled = true;
  }

  async get(id: string): Promise<string> {
    const { status, text, ms } = await this.#single(id, false);
    return this.#did(`get '${id}': ${text} (${status}, ${ms} ms)`);
  }

  async refresh(id: string): Promise<string> {
    const { text, ms } = await this.#single(id, true);
    return this.#did(`refresh '${id}': ${text} (${ms} ms)`);
  }

  async set(id: string, text: string, tags: readonly string[] = tagsOf(id)): Promise<string> {
    await this.#driver.cache.set(this.#driver.keyOf(id, 0), { text, load: 0 }, { tags });
    return this.#did(`set '${id}'`);
  }

  /** @param key - as the table shows it */
  async delete(key: string): Promise<string> {
    const held = await this.#driver.cache.delete(key);
    return this.#did(`delete '${key}': ${held ? 'it is gone' : 'it was not there'}`);
  }

  async deleteItem(id: string): Promise<string> {
    return this.delete(this.#driver.keyOf(id, 0));
  }

  async expire(key: string): Promise<string> {
    const held = await this.#driver.cache.expire(key);
    return this.#did(`expire '${key}': ${held ? 'it is stale now' : 'it was not there'}`);
  }

  async invalidateTags(...tags: string[]): Promise<string> {
    const { cache } = this.#driver;
    const before = cache.size;
    await cache.invalidateTags(...tags);
    return this.#did(`invalidate ${tags.join(', ')}: ${before - cache.size} are gone`);
  }

  async clear(): Promise<string> {
    await this.#driver.cache.clear();
    return this.#did('clear: every entry is gone, and the metrics begin again');
  }

  /** Checks the promises of a cache that is set up like this one, on caches of the checks' own. */
  async verify(): Promise<CheckResult[]> {
    const rigs = new Rigs(this.#settings, this.#options);
    const total = checksFor(rigs).length;
    const results: CheckResult[] = [];
    await this.#busy({ what: 'verify', title: 'the checks', total }, async (step) => {
      for await (const result of runChecks(rigs)) {
        results.push(result);
        this.#listeners.tell({ type: 'check', result });
        step();
      }
    });
    return results;
  }

  async close(): Promise<void> {
    this.cancel();
    clearInterval(this.#sampling);
    await this.#changing;
    await this.#driver.cache.close();
  }

  #begin(settings: Settings): [Driver, Ledger] {
    const { clock, file, redis } = this.#options;
    const ledger = new Ledger(file === undefined ? undefined : filePersistence(file));
    const tier: Tier | undefined =
      redis === undefined ? undefined : redisTier(redis, { prefix: REDIS_PREFIX });
    const driver = createDriver({
      settings,
      source: this.#source,
      name: 'playground',
      persistence: ledger,
      ...(clock && { clock }),
      ...(tier && { tier }),
    });
    const { cache } = driver;
    cache.on('error', ({ error, source, key }) => {
      const of = key === undefined ? '' : ` of '${key}'`;
      this.#log('error', `${source}${of}: ${describeError(error)}`);
    });
    cache.on('tier', ({ state }) => {
      if (state === 'up' || state === 'connected') this.#noteRedis('up');
      if (state === 'down' || state === 'disconnected') this.#noteRedis('down');
      this.#log('tier', `Redis: ${state}`);
    });
    return [driver, ledger];
  }

  #noteRedis(state: 'up' | 'down'): void {
    this.#redis = state;
    this.#listeners.tell({ type: 'state', state: this.state });
  }

  #noteLoad(record: LoadRecord): void {
    this.#loads.set(record.load, record);
    if (this.#loads.size > MOST_LOADS) {
      for (const oldest of this.#loads.keys()) {
        this.#loads.delete(oldest);
        break;
      }
    }
    this.#recorder?.noteLoad(record);
  }

  async #call(driver: Driver, id: string, recorder: BurstRecorder): Promise<void> {
    const number = ++this.#calls;
    const order = recorder.begin();
    const start = this.#time.now();
    let outcome: Partial<Awaited<ReturnType<Driver['get']>>> = {};
    try {
      outcome = await driver.get(id, number);
    } catch {
      // The `error` event has told it.
    }
    const end = this.#time.now();
    this.#latencies.note(end - start);
    recorder.noteCall({ order, number, id, start, end }, outcome, this.#loads);
  }

  async #single(
    id: string,
    isRefresh: boolean,
  ): Promise<{ status: string; text: string; ms: number }> {
    const number = ++this.#calls;
    const start = this.#time.now();
    const loads = this.#source.loads;
    const driver = this.#driver;
    try {
      const { item, status } = await driver[isRefresh ? 'refresh' : 'get'](id, number);
      const loaded = this.#source.loads > loads ? 'loaded' : 'from the cache';
      return { status: status ?? loaded, text: item.text, ms: this.#since(start) };
    } catch (error) {
      return { status: 'error', text: describeError(error), ms: this.#since(start) };
    } finally {
      this.#latencies.note(this.#time.now() - start);
    }
  }

  #since(start: number): number {
    return Math.round((this.#time.now() - start) * 10) / 10;
  }

  /** Does something that takes a while, one at a time. */
  async #busy(
    { what, title, total }: Pick<Progress, 'what' | 'title' | 'total'>,
    work: (step: () => void) => Promise<void>,
  ): Promise<void> {
    if (this.#progress?.running === true) {
      throw new BusyError(`${this.#progress.title} is still running`);
    }
    this.#cancelled = false;
    let done = 0;
    let told = -Infinity;
    const tell = (running: boolean): void => {
      this.#progress = { what, title, done, total, running };
      this.#listeners.tell({ type: 'progress', progress: this.#progress });
    };
    tell(true);
    try {
      await work(() => {
        done++;
        const now = this.#time.now();
        if (now - told < PROGRESS_EVERY) return;
        told = now;
        tell(true);
      });
    } finally {
      tell(false);
    }
  }

  /** The cache as it is at this moment. */
  #pulse(): Message[] {
    const sample = {
      at: Date.now(),
      metrics: this.#driver.cache.getMetrics(),
      latency: this.#latencies.take(),
    };
    return [
      { type: 'sample', sample },
      { type: 'entries', page: this.#ledger.page(MOST_ROWS) },
    ];
  }

  #tellPulse(): void {
    for (const message of this.#pulse()) this.#listeners.tell(message);
  }

  #did(text: string): string {
    this.#log('did', text);
    this.#tellPulse();
    return text;
  }

  #log(kind: LogLine['kind'], text: string): void {
    const line: LogLine = { at: Date.now(), kind, text };
    this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
    this.#listeners.tell({ type: 'log', line });
  }
}

/** Something else is still under way. */
export class BusyError extends Error {}
