import { BlockWriter } from './block-writer.js';
import { ChangeEncoder, type Change } from './change-encoder.js';
import { CurrentLog, type LogOptions, type LogStart } from './current-log.js';
import { notDurable, upkeepFailed } from './failure.js';
import { Gate } from './gate.js';
import type { Batch } from './pending-changes.js';
import { isWorthwhile, orderToWrite } from './recency.js';
import { Turns } from './turns.js';
import type { Sink } from './write-behind.js';

/** Encoded before it is written, in bytes. */
const CHUNK = 1024 * 1024;

/** The file as a place for changes: encodes them, appends them, and has it rewritten when it is due. */
export class Journal implements Sink {
  readonly #options: LogOptions;
  readonly #encoder: ChangeEncoder;
  readonly #gate = new Gate();
  readonly #current: CurrentLog;
  #orderedAt = -Infinity;

  constructor(options: LogOptions, start: LogStart) {
    this.#options = options;
    this.#encoder = new ChangeEncoder(options.index, options.settings);
    this.#current = new CurrentLog(options, this.#gate, start);
  }

  /** Settles when no compaction runs. */
  get compacting(): Promise<void> {
    return this.#current.compacting;
  }

  /** Bytes that were written. */
  get progress(): number {
    return this.#current.progress;
  }

  /** Whether the file may hold a key. */
  mayHold(key: string): boolean {
    return this.#current.isBlocked || this.#options.index.has(key);
  }

  /** Rewrites the file beside running writes, unless it is being done. */
  compact(): void {
    this.#current.compact();
  }

  /** Brings a file that is larger than it may be to its size. Never rejects. */
  async bound(): Promise<void> {
    const { path, report, settings } = this.#options;
    if ((this.#current.log?.size ?? 0) <= settings.maxBytes) return;
    try {
      await this.#gate.run(async () => {
        await this.#current.prepare();
        await this.#current.shrink(0);
      });
    } catch (error) {
      // It goes on with the next thing that is written.
      report(notDurable(path, error));
    }
  }

  async write(batch: Batch): Promise<readonly Error[]> {
    const errors = await this.#gate.run(() => this.#guard(() => this.#write(batch)));
    this.#current.compactIfDue();
    return errors;
  }

  /** Brings to the disk what was written up to now, while more is written. */
  async sync(): Promise<void> {
    const log = this.#current.log;
    if (log === undefined) return;
    const { end } = log;
    await this.#guard(async () => {
      try {
        await log.sync();
      } catch (error) {
        // What took its place was synced before.
        if (this.#current.log !== log) return;
        // What the system could not bring to the disk it may have forgotten: write all of it anew.
        this.#current.distrust();
        throw error;
      }
      await this.#gate.run(async () => {
        if (this.#current.log === log) await log.seal(this.#options.clock.time, end);
      });
    });
  }

  async settle(isLast: boolean): Promise<void> {
    const { path, host, index, clock, report } = this.#options;
    await this.#gate.run(async () => {
      await this.#guard(async () => {
        if ((await this.#current.log?.isAt(path)) === false) await this.#current.prepare();
      });
      try {
        const now = host.clock.now();
        if (isLast || isWorthwhile(index.size, now - this.#orderedAt)) {
          this.#orderedAt = now;
          await this.#writeOrder();
        }
        if (this.#current.mustRewrite) return;
        if (isLast) await this.#current.log?.sealAnew(clock.time);
        else await this.#current.log?.seal(clock.time);
      } catch (error) {
        report(upkeepFailed(path, error));
      }
    });
  }

  /** Stops a compaction that runs and gives the file back. */
  async close(): Promise<void> {
    await this.#current.stop();
    await this.#gate.run(() => this.#current.close());
  }

  async #guard<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw notDurable(this.#options.path, error);
    }
  }

  async #write(batch: Batch): Promise<readonly Error[]> {
    await this.#current.prepare();
    const errors: Error[] = [];
    const turns = new Turns();
    const written: string[] = [];
    try {
      let chunk = this.#beginChunk();
      if (batch.cleared) {
        await this.#commit([], chunk, true);
        batch.cleared = false;
        chunk = this.#beginChunk();
      }
      let changes: Change[] = [];
      for (const [key, entry] of batch.changes) {
        const change = this.#encoder.encode(chunk, key, entry, errors);
        if (change !== undefined) changes.push(change);
        if (chunk.length >= this.#chunkSize) {
          await this.#commit(changes, chunk, false);
          for (const { key: done } of changes) written.push(done);
          changes = [];
          chunk = this.#beginChunk();
        }
        if (turns.isOver) await turns.pass();
      }
      await this.#commit(changes, chunk, false);
    } catch (error) {
      for (const key of written) batch.changes.delete(key);
      throw error;
    }
    return errors;
  }

  get #chunkSize(): number {
    return Math.min(CHUNK, this.#options.settings.maxBytes / 8);
  }

  #beginChunk(): BlockWriter {
    const { fileId, tail } = this.#current.prepared;
    return new BlockWriter(fileId, tail, this.#options.clock);
  }

  /** Appends what was encoded; only then is it known to the index. */
  async #commit(changes: readonly Change[], writer: BlockWriter, isClear: boolean): Promise<void> {
    const { index, settings } = this.#options;
    if (isClear) writer.clear();
    let { bytes, tail } = writer.finish();
    if (bytes.length === 0) return;
    let log = this.#current.prepared;
    if (log.size + bytes.length > settings.maxBytes) {
      await this.#current.shrink(isClear ? Infinity : bytes.length);
      log = this.#current.prepared;
      const again = this.#beginChunk();
      if (isClear) again.clear();
      const errors: Error[] = [];
      changes = changes.flatMap(
        ({ key, entry }) => this.#encoder.encode(again, key, entry, errors) ?? [],
      );
      ({ bytes, tail } = again.finish());
      if (log.size + bytes.length > settings.maxBytes) {
        throw new Error(`${bytes.length} bytes do not fit into maxBytes`);
      }
    }
    await log.append(bytes, tail);
    if (isClear) index.clear();
    for (const { key, entry, written } of changes) {
      if (entry === undefined || written === undefined) index.remove(key);
      else index.put(key, written.ordinal, written.length);
    }
  }

  async #writeOrder(): Promise<void> {
    const { index, settings } = this.#options;
    const log = this.#current.log;
    if (log === undefined || this.#current.mustRewrite || index.size === 0) return;
    const order = await orderToWrite(this.#options.order(), index);
    if (order === undefined) return;
    if ((await this.#options.claim.ensure()) !== 'held') return;
    const writer = this.#beginChunk();
    writer.order(order.ordinals);
    const { bytes, tail } = writer.finish();
    if (log.size + bytes.length > settings.maxBytes) {
      // A rewrite tells the order as well.
      await this.#current.shrink(0);
      return;
    }
    await log.append(bytes, tail);
    for (const slot of order.slots) index.use(slot);
  }
}
