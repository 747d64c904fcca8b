import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Entry, PersistenceHost } from '@acache/core';
import { BlockWriter, type Written } from './block-writer.js';
import type { Claim } from './claim.js';
import { lostError } from './damage.js';
import { lockLost, notDurable, unserializable, upkeepFailed } from './failure.js';
import type { FileClock, FileTime } from './file-clock.js';
import { LOG_START } from './file-head.js';
import { foundAt } from './file-kind.js';
import { syncFolder } from './folder.js';
import { Gate } from './gate.js';
import type { LogFile } from './log-file.js';
import type { Settings } from './options.js';
import type { Batch } from './pending-changes.js';
import { isWorthwhile, orderToWrite } from './recency.js';
import type { RecordIndex } from './record-index.js';
import { RestoredEntry } from './restored-entry.js';
import { Rewrite } from './rewrite.js';
import { movedAwayError, setAside } from './set-aside.js';
import { Turns } from './turns.js';
import type { Sink } from './write-behind.js';

/** Encoded before it is written, in bytes. */
const CHUNK = 1024 * 1024;
/** Bytes of a value: with what stands around it, a system call can still write it at once. */
const LONGEST_VALUE = 1024 ** 3;
/** After a compaction failed the next one is not tried for so many milliseconds. */
const COMPACTION_PAUSE = 30_000;
/** What a rewritten file takes of the most that it may. */
const FILLED = 0.75;
/** Bytes that a block takes beside its records, at most, roughly. */
const BLOCK_OVERHEAD = 2048;
/** Of each record, what its block and the order take of the file, roughly. */
const RECORD_OVERHEAD = 8;
/** Temporary files have this in their name. */
const TEMPORARY = '.compact-';

/** What is told when the file is found at open. */
export interface JournalStart {
  readonly log: LogFile | undefined;
  /** The file must be written anew before anything is appended: it is damaged, say. */
  readonly mustRewrite: boolean;
  /** Something else has the name and could not be moved out of the way yet, or could not be read. */
  readonly isBlocked: boolean;
  /** What the file knows of time. */
  readonly time: FileTime;
}

export interface JournalOptions {
  /** The file itself, links followed. */
  readonly path: string;
  readonly settings: Settings;
  readonly claim: Claim;
  readonly index: RecordIndex;
  /** The slots of the cache's keys, least recently used first; -1 for one without a record. */
  readonly order: () => Iterable<number>;
  readonly host: PersistenceHost;
  readonly clock: FileClock;
  readonly report: (error: unknown) => void;
}

interface Change {
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly written: Written | undefined;
}

/** The file as a place for changes: encodes them, appends them, and rewrites it when it is due. */
export class Journal implements Sink {
  readonly #options: JournalOptions;
  readonly #gate = new Gate();
  readonly #abort = new AbortController();
  #log: LogFile | undefined;
  #mustRewrite: boolean;
  #isBlocked: boolean;
  #compacting: Promise<void> | undefined;
  #compactAfter = 0;
  #rewriting: Rewrite | undefined;
  #orderedAt = -Infinity;

  constructor(options: JournalOptions, { log, mustRewrite, isBlocked }: JournalStart) {
    this.#options = options;
    this.#log = log;
    this.#mustRewrite = mustRewrite;
    this.#isBlocked = isBlocked;
  }

  /** Settles when no compaction runs. */
  get compacting(): Promise<void> {
    return this.#compacting ?? Promise.resolve();
  }

  /** Bytes that were written, to the file and to one that is to replace it. */
  get progress(): number {
    return (this.#log?.size ?? 0) + (this.#rewriting?.log.size ?? 0);
  }

  /** Whether the file may hold a key. */
  mayHold(key: string): boolean {
    return this.#isBlocked || this.#options.index.has(key);
  }

  /** Brings a file that is larger than it may be to its size. Never rejects. */
  async bound(): Promise<void> {
    const { path, report, settings } = this.#options;
    if ((this.#log?.size ?? 0) <= settings.maxBytes) return;
    try {
      await this.#gate.run(async () => {
        await this.#prepare();
        await this.#shrink(0);
      });
    } catch (error) {
      // It goes on with the next thing that is written.
      report(notDurable(path, error));
    }
  }

  async write(batch: Batch): Promise<readonly Error[]> {
    const errors = await this.#gate.run(() => this.#guard(() => this.#write(batch)));
    this.#compactIfDue();
    return errors;
  }

  /** Brings to the disk what was written up to now, while more is written. */
  async sync(): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    const { end } = log;
    await this.#guard(async () => {
      try {
        await log.sync();
      } catch (error) {
        // What took its place was synced before.
        if (this.#log !== log) return;
        // What the system could not bring to the disk it may have forgotten: write all of it anew.
        this.#mustRewrite = true;
        throw error;
      }
      await this.#gate.run(async () => {
        if (this.#log === log) await log.seal(this.#options.clock.time, end);
      });
    });
  }

  async settle(isLast: boolean): Promise<void> {
    const { path, host, index, clock, report } = this.#options;
    await this.#gate.run(async () => {
      await this.#guard(async () => {
        if ((await this.#log?.isAt(path)) === false) await this.#prepare();
      });
      try {
        const now = host.clock.now();
        if (isLast || isWorthwhile(index.size, now - this.#orderedAt)) {
          this.#orderedAt = now;
          await this.#writeOrder();
        }
        if (this.#mustRewrite) return;
        if (isLast) await this.#log?.sealAnew(clock.time);
        else await this.#log?.seal(clock.time);
      } catch (error) {
        report(upkeepFailed(path, error));
      }
    });
  }

  /** Rewrites the file beside running writes, unless it is being done. */
  compact(): void {
    if (this.#compacting !== undefined || this.#abort.signal.aborted) return;
    const source = this.#log;
    this.#compacting = this.#compact()
      .catch((error: unknown) => {
        // Somebody else was faster, or nobody wants it any more.
        if (this.#abort.signal.aborted || this.#log !== source) return;
        this.#compactAfter = Date.now() + COMPACTION_PAUSE;
        this.#options.report(upkeepFailed(this.#options.path, error));
      })
      .finally(() => {
        this.#compacting = undefined;
      });
  }

  /** Stops a compaction that runs and gives the file back. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#compacting;
    await this.#gate.run(async () => {
      await this.#log?.close().catch(this.#options.report);
      this.#log = undefined;
    });
  }

  async #guard<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw notDurable(this.#options.path, error);
    }
  }

  async #write(batch: Batch): Promise<readonly Error[]> {
    await this.#prepare();
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
        const change = this.#encode(chunk, key, entry, errors);
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
    const { fileId, tail } = this.#log as LogFile;
    return new BlockWriter(fileId, tail, this.#options.clock);
  }

  #encode(
    writer: BlockWriter,
    key: string,
    entry: Entry | undefined,
    errors: Error[],
  ): Change | undefined {
    const { index } = this.#options;
    const supersedes = index.has(key);
    if (entry !== undefined) {
      try {
        const value = this.#valueBytes(entry);
        if (this.#fits(key, entry, value)) {
          return { key, entry, written: writer.set(key, entry, value, supersedes) };
        }
      } catch (error) {
        errors.push(unserializable(key, error));
      }
    }
    // Nothing to end where the file does not know the key.
    if (!supersedes) return undefined;
    return { key, entry: undefined, written: writer.delete(key) };
  }

  #valueBytes(entry: Entry): Uint8Array {
    if (entry instanceof RestoredEntry) return entry.valueBytes;
    const bytes: unknown = this.#options.settings.serializer.serialize(entry.value);
    if (!(bytes instanceof Uint8Array)) throw new TypeError('serialize must give a Uint8Array');
    if (bytes.length <= LONGEST_VALUE) return bytes;
    throw new RangeError(`a value may have ${LONGEST_VALUE} bytes, got ${bytes.length}`);
  }

  /** Whether the file could hold the entry if it held nothing else. */
  #fits(key: string, entry: Entry, value: Uint8Array): boolean {
    const { maxBytes } = this.#options.settings;
    if (maxBytes === Infinity) return true;
    const tags = entry.tags.reduce((sum, tag) => sum + 4 + 3 * tag.length, 0);
    const length = value.length + 3 * key.length + tags + BLOCK_OVERHEAD;
    return LOG_START + length <= maxBytes;
  }

  /** Appends what was encoded; only then is it known to the index. */
  async #commit(changes: readonly Change[], writer: BlockWriter, isClear: boolean): Promise<void> {
    const { index, settings } = this.#options;
    if (isClear) writer.clear();
    let { bytes, tail } = writer.finish();
    if (bytes.length === 0) return;
    let log = this.#log as LogFile;
    if (log.size + bytes.length > settings.maxBytes) {
      await this.#shrink(isClear ? Infinity : bytes.length);
      log = this.#log as LogFile;
      const again = this.#beginChunk();
      if (isClear) again.clear();
      const errors: Error[] = [];
      changes = changes.flatMap(({ key, entry }) => this.#encode(again, key, entry, errors) ?? []);
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

  /** Makes sure that the file may be written and is one to append to. */
  async #prepare(): Promise<void> {
    const { path, claim } = this.#options;
    const state = await claim.ensure();
    if (state === 'lost') throw lockLost(path);
    const log = this.#log;
    const found = await foundAt(path);
    if (state === 'new' && !(await this.#isUntouched(found?.size))) {
      // Somebody had it while it was not ours: what we know of it is old.
      await claim.giveUp();
      throw lockLost(path);
    }
    claim.confirm();
    if (this.#isBlocked) {
      if (found !== undefined) await this.#moveAway(found);
      this.#isBlocked = false;
    } else if (log === undefined) {
      // It was not there, or was empty; whatever it is now was not read.
      if (found !== undefined) await this.#moveAway(found);
    } else if (found === undefined) {
      // Somebody removed it. What counts can still be read.
      this.#mustRewrite = true;
    } else if (!(await log.isAt(path))) {
      // Somebody wrote over it, or put something else into its place.
      await this.#moveAway(found);
      this.#mustRewrite = true;
    }
    if (this.#log === undefined || this.#mustRewrite) await this.#rewriteNow();
  }

  /** An empty file is nobody's. */
  async #moveAway(found: Stats): Promise<void> {
    const { path, host, report } = this.#options;
    if (found.isFile() && found.size === 0) return;
    report(movedAwayError(path, await setAside(path, found, host.clock.now())));
  }

  /** Whether the file is as it was when it was read or written last. */
  async #isUntouched(size: number | undefined): Promise<boolean> {
    const log = this.#log;
    if (size === undefined || this.#isBlocked) return true;
    if (log === undefined) return size === 0;
    return (await log.isAt(this.#options.path)) && (await log.handle.stat()).size === log.length;
  }

  async #writeOrder(): Promise<void> {
    const { index, settings } = this.#options;
    const log = this.#log;
    if (log === undefined || this.#mustRewrite || index.size === 0) return;
    const order = await orderToWrite(this.#options.order(), index);
    if (order === undefined) return;
    if ((await this.#options.claim.ensure()) !== 'held') return;
    const writer = this.#beginChunk();
    writer.order(order.ordinals);
    const { bytes, tail } = writer.finish();
    if (log.size + bytes.length > settings.maxBytes) {
      // A rewrite tells the order as well.
      await this.#shrink(0);
      return;
    }
    await log.append(bytes, tail);
    for (const slot of order.slots) index.use(slot);
  }

  #compactIfDue(): void {
    const size = (this.#log?.size ?? 0) - LOG_START;
    if (size < this.#options.settings.leastToCompact || Date.now() < this.#compactAfter) return;
    if (size - this.#options.index.liveBytes > size / 2) this.compact();
  }

  async #compact(): Promise<void> {
    const source = this.#log;
    if (source === undefined || this.#mustRewrite) return;
    await this.#rewrite(async (rewrite) => {
      await rewrite.copy();
      await rewrite.writeOrder(this.#options.order());
      for (let round = 0; round < 8 && rewrite.behind > CHUNK; round++) await rewrite.catchUp();
      await rewrite.complete();
      await this.#gate.run(async () => {
        // Written anew meanwhile for another reason.
        if (this.#log !== source || this.#mustRewrite) throw new Error('the file has changed');
        await rewrite.catchUp();
        await this.#replaceBy(rewrite);
      });
    });
  }

  /** Rewrites while nothing is appended. */
  async #rewriteNow(keep?: Uint8Array): Promise<void> {
    // One at a time: the other gives up when it finds the file changed.
    await this.#rewrite(async (rewrite) => {
      await rewrite.copy();
      await rewrite.writeOrder(this.#options.order());
      await this.#replaceBy(rewrite);
    }, keep);
  }

  async #rewrite(task: (rewrite: Rewrite) => Promise<void>, keep?: Uint8Array): Promise<void> {
    const { path, index, clock } = this.#options;
    const rewrite = await Rewrite.begin({
      source: this.#log,
      index,
      path: `${path}${TEMPORARY}${randomBytes(6).toString('hex')}`,
      clock,
      signal: this.#abort.signal,
      ...(keep === undefined ? {} : { keep }),
    });
    this.#rewriting = rewrite;
    try {
      await task(rewrite);
    } catch (error) {
      await rewrite.abandon();
      throw error;
    } finally {
      if (this.#rewriting === rewrite) this.#rewriting = undefined;
    }
  }

  async #replaceBy(rewrite: Rewrite): Promise<void> {
    const { path, claim, report } = this.#options;
    await rewrite.complete();
    if ((await claim.ensure()) !== 'held') throw lockLost(path);
    await rename(rewrite.path, path);
    await syncFolder(dirname(path));
    const old = this.#log;
    this.#log = rewrite.log;
    this.#mustRewrite = false;
    await rewrite.adopt();
    if (rewrite.lost.length > 0) report(lostError(path, rewrite.lost.length));
    await old?.close().catch(() => undefined);
  }

  /** Makes room for so many bytes: what was used least recently goes. */
  async #shrink(needed: number): Promise<void> {
    const { settings, index } = this.#options;
    const { maxBytes } = settings;
    const room = Math.min(maxBytes * FILLED, maxBytes - needed) - LOG_START - 2 * BLOCK_OVERHEAD;
    const keep = new Uint8Array(index.slots);
    const turns = new Turns();
    const told = Array.from(this.#options.order());
    // A cache that is closing, and has waited long enough, tells nothing any more.
    const slots = told.length > 0 ? told : index.slotsByUse();
    let used = 0;
    for (let at = slots.length - 1; at >= 0; at--) {
      const slot = slots[at];
      if (slot === undefined || slot < 0) continue;
      used += index.lengthOf(slot) + RECORD_OVERHEAD;
      if (used > room) break;
      keep[slot] = 1;
      if (at % 256 === 0 && turns.isOver) await turns.pass();
    }
    await this.#rewriteNow(keep);
  }
}

/** Removes what a process that died while it rewrote the file left behind. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const begin = `${basename(path)}${TEMPORARY}`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (name.startsWith(begin)) await unlink(join(folder, name)).catch(() => undefined);
  }
}
