import { CacheError, type Clock, type ClockTimer } from '@acache/core';
import type { Counts } from './counts.js';
import type { GivenStore } from './keyv-store.js';
import type { Settings } from './options.js';

/** Calls that share one `commandTimeout`: a bulk takes longer than a single call. */
const BULK = 100;
/** Keys in one `getMany`: what a statement of SQL takes without complaint. */
const MOST_KEYS = 250;

/** The store did not answer in time. It may still do what it was told. */
export class SilenceError extends CacheError {
  constructor(
    ms: number,
    /** Settles when the store answers after all; never rejects. */
    readonly answered: Promise<void>,
  ) {
    super('ERR_ACACHE_TIER_TIMEOUT', `the store did not answer within ${ms} ms`);
  }
}

interface Limits {
  /** What the call is about: a bulk may take longer. */
  readonly items?: number;
  /** How long it may take in any case, in milliseconds. */
  readonly patience?: number;
}

interface StoreListeners {
  /** An error that no call rejects with. */
  failed(error: unknown): void;
  went(state: 'down' | 'up', cause?: unknown): void;
}

/**
 * The calls of a store. Each ends in bounded time, and rejects where the store failed, however it
 * tells so: by a rejection, by `false`, by an `error` event, by silence. After a few failures in a row
 * nothing is asked any more but a probe.
 */
export class StoreCalls {
  readonly #given: GivenStore;
  readonly #settings: Settings;
  readonly #counts: Counts;
  readonly #clock: Clock;
  readonly #listeners: StoreListeners;
  readonly #unlisten: () => void;
  /** What ends the waiting of each call that is not answered yet. */
  readonly #waits = new Set<(error: Error) => void>();
  #running = 0;
  #mostRunning = 0;
  #errorsHeard = 0;
  #lastHeard: unknown;
  #failuresInRow = 0;
  #probeAt = 0;
  #probing = false;
  /** True while the store does not answer and is not asked. */
  down = false;

  constructor(
    given: GivenStore,
    settings: Settings,
    counts: Counts,
    clock: Clock,
    listeners: StoreListeners,
  ) {
    this.#given = given;
    this.#settings = settings;
    this.#counts = counts;
    this.#clock = clock;
    this.#listeners = listeners;
    this.#unlisten = given.listen((error) => {
      this.#errorsHeard++;
      this.#lastHeard = error;
      if (this.#running === 0) listeners.failed(error);
    });
  }

  /** What lies under each key, in their order; `undefined` for nothing. */
  async getMany(keys: readonly string[], patience?: number): Promise<unknown[]> {
    if (keys.length === 0) return [];
    const { store } = this.#given;
    const parts = chunksOf(keys);
    const found = await this.#call(
      async () => {
        if (typeof store.getMany !== 'function') {
          return Promise.all(keys.map((key) => promised(() => store.get(key))));
        }
        const answers = await Promise.all(
          parts.map((part) => promised(() => store.getMany?.([...part]))),
        );
        return answers.flatMap((answer, at) => {
          if (Array.isArray(answer) && answer.length === parts[at]?.length)
            return answer as unknown[];
          throw new TypeError('the store did not answer with one value for each key');
        });
      },
      { items: keys.length, ...(patience === undefined ? {} : { patience }) },
    );
    return found.map((value) => value ?? undefined);
  }

  async set(key: string, text: string, ttl: number): Promise<void> {
    const { store } = this.#given;
    const endless = ttl === Infinity;
    await this.#call(async () => {
      const whole = Math.max(1, Math.ceil(ttl));
      // Keyv 6 tells its stores the instant; until then they were told the span.
      const time = store.capabilities?.expires === true ? Date.now() + whole : whole;
      const taken = await (endless ? store.set(key, text) : store.set(key, text, time));
      if (taken === false) throw new Error('the store did not take a value');
    });
  }

  async delete(key: string): Promise<void> {
    // What it answers tells whether something was there, where it tells anything.
    await this.#call(() => promised(() => this.#given.store.delete(key)));
  }

  /** Asks a store that is down whether it is back, in the background, where that is due. */
  probe(key: string, force = false): Promise<void> {
    if (!force && (!this.down || this.#probing || this.#clock.now() < this.#probeAt)) {
      return Promise.resolve();
    }
    this.#probing = true;
    return this.#attempt(() => promised(() => this.#given.store.get(key)))
      .then(() => undefined)
      .finally(() => {
        this.#probing = false;
        this.#probeAt = this.#clock.now() + this.#settings.openFor;
      });
  }

  /** Whoever still waits for the store waits no longer. */
  stop(): void {
    this.#unlisten();
    const closed = new CacheError('ERR_ACACHE_TIER_DOWN', 'the tier was closed');
    for (const giveUp of this.#waits) giveUp(closed);
  }

  #call<T>(call: () => Promise<T>, limits?: Limits): Promise<T> {
    if (this.down)
      return Promise.reject(new CacheError('ERR_ACACHE_TIER_DOWN', 'the store is down'));
    return this.#attempt(call, limits);
  }

  async #attempt<T>(call: () => Promise<T>, limits?: Limits): Promise<T> {
    const heardBefore = this.#errorsHeard;
    this.#mostRunning = Math.max(this.#mostRunning, ++this.#running);
    const running = call().finally(() => {
      if (--this.#running === 0) this.#mostRunning = 0;
    });
    try {
      const result = await this.#within(running, limits);
      // Many a store tells of an error by an event, and answers as if nothing were there.
      if (this.#errorsHeard !== heardBefore) throw this.#lastHeard;
      this.#succeeded();
      return result;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  async #within<T>(running: Promise<T>, { items = 1, patience }: Limits = {}): Promise<T> {
    const { commandTimeout } = this.#settings;
    const limit = (): number =>
      patience ?? commandTimeout * Math.ceil(Math.max(this.#mostRunning, items) / BULK);
    let timer: ClockTimer | undefined;
    let giveUp!: (error: Error) => void;
    const silence = new Promise<never>((_, reject) => {
      giveUp = reject;
      this.#waits.add(giveUp);
      const wait = (ms: number, waited: number): void => {
        timer = this.#clock.setTimeout(() => {
          const rest = limit() - waited;
          if (rest > 0) {
            wait(rest, waited + rest);
            return;
          }
          const answered = running.then(
            () => undefined,
            () => undefined,
          );
          reject(new SilenceError(waited, answered));
        }, ms);
      };
      wait(limit(), limit());
    });
    try {
      return await Promise.race([running, silence]);
    } finally {
      this.#waits.delete(giveUp);
      if (timer !== undefined) this.#clock.clearTimeout(timer);
    }
  }

  #succeeded(): void {
    this.#failuresInRow = 0;
    if (!this.down) return;
    this.down = false;
    this.#listeners.went('up');
  }

  #failed(error: unknown): void {
    this.#failuresInRow++;
    if (this.down || this.#failuresInRow < this.#settings.failures) return;
    this.down = true;
    this.#counts.outages++;
    this.#probeAt = this.#clock.now() + this.#settings.openFor;
    this.#listeners.went('down', error);
  }
}

function chunksOf(keys: readonly string[]): (readonly string[])[] {
  const chunks: (readonly string[])[] = [];
  for (let at = 0; at < keys.length; at += MOST_KEYS) chunks.push(keys.slice(at, at + MOST_KEYS));
  return chunks;
}

/** A store may answer at once, or throw. */
function promised(call: () => unknown): Promise<unknown> {
  return new Promise((resolve) => {
    resolve(call());
  });
}
