import { CacheError, type Clock } from '@acache/core';
import { SilenceError } from './store-calls.js';

/** A write that has not answered for so long is not waited for any more, in milliseconds. */
const GIVEN_UP_AFTER = 60_000;

/** What became of a write: it took effect, or a later one of the same key replaced it. */
export type Written = 'done' | 'superseded';

interface Waiter {
  readonly version: number;
  resolve(written: Written): void;
  reject(error: unknown): void;
}

interface Pending<W> {
  /** `undefined`: whatever the write that runs leaves behind. */
  wanted: W | undefined;
  version: number;
  running: boolean;
  /** A write that was not answered in time, and may still land. */
  straggler: { readonly answered: Promise<void>; readonly since: number } | undefined;
  waiters: Waiter[];
}

interface WritesParts<W> {
  readonly clock: Clock;
  /**
   * Writes to the store. It asks `isWanted` right before it does: what was told while it got ready may
   * have made it void.
   */
  perform(storeKey: string, wanted: W, isWanted: () => boolean): Promise<void>;
  /** What is wanted of a key after a write failed, of which nobody knows what it did; maybe nothing. */
  afterFailure(wanted: W): W | undefined;
  /** False while the store is down. */
  mayWrite(): boolean;
  readonly mostOwed: number;
  /** More is owed than is remembered one by one. */
  overflow(): void;
}

/**
 * What the store is to hold and may not hold yet. Under each key one write runs at a time, so that none
 * overtakes another, and the last one wins; what failed is kept until it can be made good. Who reads
 * looks here first.
 */
export class Writes<W> {
  readonly #parts: WritesParts<W>;
  readonly #pending = new Map<string, Pending<W>>();
  /** Keys whose last write failed. */
  readonly #owed = new Set<string>();

  constructor(parts: WritesParts<W>) {
    this.#parts = parts;
  }

  /** How many changes failed and are to be made good. */
  get owed(): number {
    return this.#owed.size;
  }

  /** What is wanted under a key and not known to be there. */
  wanted(storeKey: string): W | undefined {
    return this.#pending.get(storeKey)?.wanted;
  }

  /** Keys of which something is wanted. */
  *entries(): Iterable<readonly [storeKey: string, wanted: W]> {
    for (const [storeKey, { wanted }] of this.#pending) {
      if (wanted !== undefined) yield [storeKey, wanted];
    }
  }

  /** Wants something of a key from now on. Rejects when the store did not take it; it is then owed. */
  write(storeKey: string, wanted: W): Promise<Written> {
    const pending = this.#pending.get(storeKey) ?? {
      wanted: undefined,
      version: 0,
      running: false,
      straggler: undefined,
      waiters: [],
    };
    this.#pending.set(storeKey, pending);
    pending.wanted = wanted;
    const version = ++pending.version;
    return new Promise((resolve, reject) => {
      pending.waiters.push({ version, resolve, reject });
      this.#start(storeKey, pending);
    });
  }

  /** Nothing is wanted of a key any more. */
  forget(storeKey: string): void {
    const pending = this.#pending.get(storeKey);
    if (pending === undefined) return;
    pending.wanted = undefined;
    this.#owed.delete(storeKey);
    settle(pending, ++pending.version);
    if (!pending.running && pending.straggler === undefined) this.#pending.delete(storeKey);
  }

  /** Begins again with what failed, where the store may have come back. */
  makeGood(): void {
    if (!this.#parts.mayWrite()) return;
    for (const storeKey of [...this.#owed]) {
      const pending = this.#pending.get(storeKey);
      if (pending !== undefined) this.#start(storeKey, pending);
    }
  }

  /** Resolves when everything has been written. @throws (rejects) when something has not */
  async through(): Promise<void> {
    this.makeGood();
    const ended = [...this.#pending.keys()].map((storeKey) => this.ended(storeKey));
    for (const outcome of await Promise.allSettled(ended)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  /** Resolves when what is wanted of a key has been written. @throws (rejects) when it has not */
  async ended(storeKey: string): Promise<void> {
    const pending = this.#pending.get(storeKey);
    if (pending?.wanted === undefined) return;
    await new Promise<Written>((resolve, reject) => {
      pending.waiters.push({ version: pending.version, resolve, reject });
      this.#start(storeKey, pending);
    });
  }

  #start(storeKey: string, pending: Pending<W>): void {
    if (pending.running || pending.wanted === undefined) return;
    if (!this.#parts.mayWrite()) {
      this.#fail(storeKey, pending, new CacheError('ERR_ACACHE_TIER_DOWN', 'the store is down'));
      return;
    }
    const { straggler } = pending;
    if (straggler !== undefined && this.#parts.clock.now() - straggler.since < GIVEN_UP_AFTER) {
      const message = 'the store has not answered an earlier write of the key';
      this.#fail(storeKey, pending, new CacheError('ERR_ACACHE_TIER_TIMEOUT', message));
      return;
    }
    pending.straggler = undefined;
    void this.#run(storeKey, pending);
  }

  async #run(storeKey: string, pending: Pending<W>): Promise<void> {
    pending.running = true;
    while (pending.wanted !== undefined && pending.straggler === undefined) {
      const { version, wanted } = pending;
      try {
        await this.#parts.perform(storeKey, wanted, () => pending.version === version);
        settle(pending, version);
        if (pending.version !== version) continue;
        this.#owed.delete(storeKey);
        pending.wanted = undefined;
      } catch (error) {
        if (error instanceof SilenceError) this.#waitFor(storeKey, pending, error.answered);
        else if (pending.version !== version && this.#parts.mayWrite()) continue;
        if (pending.wanted !== undefined) this.#fail(storeKey, pending, error);
        break;
      }
    }
    pending.running = false;
    if (pending.wanted === undefined && pending.straggler === undefined) {
      this.#pending.delete(storeKey);
    }
  }

  /** A write that was given up on may still land; what is wanted by then goes after it. */
  #waitFor(storeKey: string, pending: Pending<W>, answered: Promise<void>): void {
    const straggler = { answered, since: this.#parts.clock.now() };
    pending.straggler = straggler;
    void answered.then(() => {
      if (pending.straggler !== straggler) return;
      pending.straggler = undefined;
      if (pending.wanted === undefined) this.#pending.delete(storeKey);
      else this.#start(storeKey, pending);
    });
  }

  #fail(storeKey: string, pending: Pending<W>, error: unknown): void {
    if (pending.wanted !== undefined) {
      pending.wanted = this.#parts.afterFailure(pending.wanted);
      if (pending.wanted !== undefined) this.#owe(storeKey);
      else if (!pending.running && pending.straggler === undefined) this.#pending.delete(storeKey);
    }
    for (const waiter of pending.waiters.splice(0)) {
      if (waiter.version < pending.version) waiter.resolve('superseded');
      else waiter.reject(error);
    }
  }

  #owe(storeKey: string): void {
    const { mostOwed } = this.#parts;
    this.#owed.add(storeKey);
    if (this.#owed.size !== mostOwed + 1) return;
    queueMicrotask(() => {
      if (this.#owed.size > mostOwed) this.#parts.overflow();
    });
  }
}

/** A version has taken effect, or has become void. */
function settle(pending: Pending<unknown>, version: number): void {
  const { waiters } = pending;
  pending.waiters = waiters.filter((waiter) => waiter.version > version);
  for (const waiter of waiters) {
    if (waiter.version === version) waiter.resolve('done');
    else if (waiter.version < version) waiter.resolve('superseded');
  }
}
