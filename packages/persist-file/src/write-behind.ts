import type { Clock, ClockTimer, Entry } from '@acache/core';
import { PendingChanges, type Batch } from './pending-changes.js';

/** Where changes are written to. */
export interface Sink {
  /**
   * Writes changes and takes out of the batch what was written.
   *
   * @returns errors of values that cannot be written at all
   * @throws when the rest was not written
   */
  write(batch: Batch): Promise<readonly Error[]>;
  /** Brings what was written to the disk. */
  sync(): Promise<void>;
  /**
   * All that was told is written: what is good to know of it may be written, too.
   *
   * @throws when it is no longer there, and could not be written once more
   */
  settle(isLast: boolean): Promise<void>;
}

/** What a write-behind goes by. */
export interface WriteBehindOptions {
  readonly sink: Sink;
  /** Milliseconds that a change may wait. */
  readonly flushInterval: number;
  /** Milliseconds that what was written may wait for the disk; `false` for as long as the system likes. */
  readonly fsyncInterval: number | false;
  /** Told the first of failures in a row, and of every value that cannot be written. */
  readonly report: (error: unknown) => void;
}

/** Pauses before a failed write is tried again, in milliseconds: the first, and the longest. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;

/** Gathers changes and writes them a little later; one batch at a time. */
export class WriteBehind {
  readonly #options: WriteBehindOptions;
  readonly #pending = new PendingChanges((key) => this.#mayHold(key));
  /** Whether the file may hold a key; before it was read, any. */
  #mayHold: (key: string) => boolean = () => true;
  #clock: Clock | undefined;
  #running: Promise<void> = Promise.resolve();
  /** The flush that waits for its turn: it will see what is told up to then. */
  #nextFlush: Promise<void> | undefined;
  #writeTimer: ClockTimer | undefined;
  #syncTimer: ClockTimer | undefined;
  #unsynced = false;
  #failures = 0;
  /** Errors of values that the next flush has to tell. */
  #untold: Error[] = [];
  #closed = false;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
  }

  /** Changes that were not written yet. */
  get pending(): PendingChanges {
    return this.#pending;
  }

  /**
   * From here on changes are written.
   *
   * @param mayHold - whether the file may hold a key
   */
  start(clock: Clock, mayHold: (key: string) => boolean): void {
    this.#clock = clock;
    this.#mayHold = mayHold;
    if (!this.#pending.isEmpty) this.#writeLater(this.#options.flushInterval);
  }

  set(key: string, entry: Entry): void {
    this.#pending.set(key, entry);
    this.#changed();
  }

  delete(key: string): void {
    this.#pending.delete(key);
    this.#changed();
  }

  clear(): void {
    this.#pending.clear();
    this.#changed();
  }

  /**
   * Resolves when all that was told up to now is durable. It waits for the batch that others have under
   * way, then writes what is left; flushes that wait for the same batch share the next one.
   */
  flush(): Promise<void> {
    this.#nextFlush ??= this.#next(() => {
      this.#nextFlush = undefined;
      return this.#flushNow(false);
    });
    return this.#nextFlush;
  }

  /** Flushes for the last time and stops. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopTimers();
    try {
      await this.#next(() => this.#flushNow(true));
    } finally {
      this.#stopTimers();
    }
  }

  /** Stops without writing. */
  stop(): void {
    this.#closed = true;
    this.#stopTimers();
  }

  #changed(): void {
    if (this.#writeTimer === undefined) this.#writeLater(this.#options.flushInterval);
  }

  /** Runs when nothing else does. */
  #next(task: () => Promise<void>): Promise<void> {
    const result = this.#running.then(task);
    this.#running = result.catch(() => undefined);
    return result;
  }

  async #flushNow(isLast: boolean): Promise<void> {
    await this.#write(true);
    if (!isLast || this.#failures === 0) await this.#options.sink.settle(isLast);
    const [error] = this.#untold;
    this.#untold = [];
    if (error !== undefined) throw error;
  }

  async #write(isFlush: boolean): Promise<void> {
    const { sink, fsyncInterval, report } = this.#options;
    const batch = this.#pending.take();
    this.#clearWriteTimer();
    try {
      if (batch.cleared || batch.changes.size > 0) {
        this.#unsynced = true;
        const errors = await sink.write(batch);
        this.#untold.push(...errors);
        for (const error of errors) report(error);
      }
      if (this.#unsynced && (fsyncInterval === 0 || (isFlush && fsyncInterval !== false))) {
        await this.#sync();
      }
      this.#failures = 0;
      this.#pending.done();
    } catch (error) {
      this.#pending.giveBack(batch);
      if (this.#failures++ === 0) report(error);
      this.#retry();
      throw error;
    }
    if (this.#unsynced && fsyncInterval !== false) this.#syncLater(fsyncInterval);
  }

  async #sync(): Promise<void> {
    if (this.#syncTimer !== undefined) this.#clock?.clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#unsynced = false;
    try {
      await this.#options.sink.sync();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  #writeLater(ms: number): void {
    this.#writeTimer = this.#later(ms, () => {
      this.#writeTimer = undefined;
      // A failure was reported, and is tried again.
      this.#next(() => this.#write(false)).catch(() => undefined);
    });
  }

  #syncLater(ms: number): void {
    if (this.#syncTimer !== undefined) return;
    this.#syncTimer = this.#later(ms, () => {
      this.#syncTimer = undefined;
      // What changes meanwhile does not wait for the disk.
      if (this.#unsynced) void this.#syncBeside();
    });
  }

  async #syncBeside(): Promise<void> {
    try {
      await this.#sync();
    } catch (error) {
      if (this.#failures++ === 0) this.#options.report(error);
      this.#retry();
    }
  }

  #retry(): void {
    this.#clearWriteTimer();
    const pause = Math.min(FIRST_PAUSE * 2 ** (this.#failures - 1), LONGEST_PAUSE);
    this.#writeTimer = this.#later(pause, () => {
      this.#writeTimer = undefined;
      this.#next(async () => {
        await this.#write(this.#unsynced);
      }).catch(() => undefined);
    });
  }

  #later(ms: number, callback: () => void): ClockTimer | undefined {
    if (this.#closed || this.#clock === undefined) return undefined;
    const timer = this.#clock.setTimeout(callback, ms);
    // A process that has nothing else to do may end; what it must not lose it flushes.
    if (typeof timer === 'object') timer.unref?.();
    return timer;
  }

  #clearWriteTimer(): void {
    if (this.#writeTimer !== undefined) this.#clock?.clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
  }

  #stopTimers(): void {
    this.#clearWriteTimer();
    if (this.#syncTimer !== undefined) this.#clock?.clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
  }
}
