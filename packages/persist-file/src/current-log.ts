import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PersistenceHost } from '@acache/core';
import type { Claim } from './claim.js';
import { lostError } from './damage.js';
import { lockLost, upkeepFailed } from './failure.js';
import type { FileClock, FileTime } from './file-clock.js';
import { LOG_START } from './file-head.js';
import { foundAt } from './file-kind.js';
import { syncFolder } from './folder.js';
import type { Gate } from './gate.js';
import type { LogFile } from './log-file.js';
import type { Settings } from './options.js';
import type { RecordIndex } from './record-index.js';
import { Rewrite } from './rewrite.js';
import { movedAwayError, setAside } from './set-aside.js';
import { Turns } from './turns.js';

/** A compaction catches up with what is written meanwhile until no more than this is left, in bytes. */
const BEHIND = 1024 * 1024;
/** After a compaction failed the next one is not tried for so many milliseconds. */
const COMPACTION_PAUSE = 30_000;
/** What a rewritten file takes of the most that it may. */
const FILLED = 0.75;
/** Of each record, what its block and the order take of the file, roughly, in bytes. */
const RECORD_OVERHEAD = 8;
/** Bytes that a block takes beside its records, at most, roughly. */
export const BLOCK_OVERHEAD = 2048;
/** Temporary files have this in their name. */
const TEMPORARY = '.compact-';

/** What is told when the file is found at open. */
export interface LogStart {
  readonly log: LogFile | undefined;
  /** The file must be written anew before anything is appended: it is damaged, say. */
  readonly mustRewrite: boolean;
  /** Something else has the name and could not be moved out of the way yet, or could not be read. */
  readonly isBlocked: boolean;
  /** What the file knows of time. */
  readonly time: FileTime;
}

export interface LogOptions {
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

/** The file that is appended to: which one that is, whether it may be, and when another takes its place. */
export class CurrentLog {
  readonly #options: LogOptions;
  readonly #gate: Gate;
  readonly #abort = new AbortController();
  #log: LogFile | undefined;
  #mustRewrite: boolean;
  #isBlocked: boolean;
  #compacting: Promise<void> | undefined;
  #compactAfter = 0;
  #rewriting: Rewrite | undefined;

  /** @param gate - held by whoever calls, but for compactions */
  constructor(options: LogOptions, gate: Gate, { log, mustRewrite, isBlocked }: LogStart) {
    this.#options = options;
    this.#gate = gate;
    this.#log = log;
    this.#mustRewrite = mustRewrite;
    this.#isBlocked = isBlocked;
  }

  get log(): LogFile | undefined {
    return this.#log;
  }

  /** The same, after `prepare`: then there is one. */
  get prepared(): LogFile {
    return this.#log as LogFile;
  }

  /** Whether nothing may be appended before the file is written anew. */
  get mustRewrite(): boolean {
    return this.#mustRewrite;
  }

  /** Whether what has the file's name was not read. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Settles when no compaction runs. */
  get compacting(): Promise<void> {
    return this.#compacting ?? Promise.resolve();
  }

  /** Bytes that were written, to the file and to one that is to replace it. */
  get progress(): number {
    return (this.#log?.size ?? 0) + (this.#rewriting?.log.size ?? 0);
  }

  /** What is in the file can no longer be relied on. */
  distrust(): void {
    this.#mustRewrite = true;
  }

  /** Makes sure that the file may be written and is one to append to. */
  async prepare(): Promise<void> {
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
  /** Makes room for so many bytes: what was used least recently goes. */
  async shrink(needed: number): Promise<void> {
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

  /** The same, where most of the file does not count. */
  compactIfDue(): void {
    const size = (this.#log?.size ?? 0) - LOG_START;
    if (size < this.#options.settings.leastToCompact || Date.now() < this.#compactAfter) return;
    if (size - this.#options.index.liveBytes > size / 2) this.compact();
  }

  /** Stops a compaction that runs. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#compacting;
  }

  /** Gives the file back. */
  async close(): Promise<void> {
    await this.#log?.close().catch(this.#options.report);
    this.#log = undefined;
  }

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

  async #compact(): Promise<void> {
    const source = this.#log;
    if (source === undefined || this.#mustRewrite) return;
    await this.#rewrite(async (rewrite) => {
      await rewrite.copy();
      await rewrite.writeOrder(this.#options.order());
      for (let round = 0; round < 8 && rewrite.behind > BEHIND; round++) await rewrite.catchUp();
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
