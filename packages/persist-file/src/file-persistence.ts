import { resolve } from 'node:path';
import type { Persistence, PersistenceHost } from '@acache/core';
import { Claim } from './claim.js';
import { notDurable, tell } from './failure.js';
import type { FileArchive } from './file-archive.js';
import { FileClock } from './file-clock.js';
import { realPathOf } from './file-path.js';
import { removeLeftovers } from './current-log.js';
import { Journal } from './journal.js';
import { LockedError } from './lock-file.js';
import { OneAtATime } from './one-at-a-time.js';
import { openFile, type Reading } from './opening.js';
import {
  checkPath,
  resolveOptions,
  type FilePersistenceOptions,
  type Settings,
} from './options.js';
import type { Batch } from './pending-changes.js';
import { RecordIndex } from './record-index.js';
import { MOST_TOMBSTONES, Restorer } from './restorer.js';
import { WriteBehind, type Sink } from './write-behind.js';

/**
 * Keeps a cache in a file, so that it is there again after a restart or a crash:
 * `new AsyncCache({ persistence: filePersistence('./cache.acache') })`.
 *
 * After `await cache.flush()` nothing is lost by the death of the process; without it at most what
 * changed within `flushInterval`. One process has the file at a time: in a second one `cache.ready` and
 * `flush()` reject with a `CacheError` whose code is `'ERR_ACACHE_LOCKED'` and whose `pid` is the owner's.
 *
 * @param path - the file; it and its folders are created where they are missing
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function filePersistence(path: string, options?: FilePersistenceOptions): Persistence {
  checkPath(path);
  const settings = resolveOptions(options);
  const absolute = resolve(path);
  const make = (): Persistence => new FilePersistence(absolute, settings);
  return new OneAtATime(`'${path}'`, make, (error) => {
    tell(settings.onError, error);
  });
}

/** What `filePersistence` makes, from options with their defaults. */
export class FilePersistence implements Persistence {
  readonly #path: string;
  readonly #settings: Settings;
  readonly #writeBehind: WriteBehind;
  #host: PersistenceHost | undefined;
  #claim: Claim | undefined;
  #journal: Journal | undefined;
  #archive: FileArchive | undefined;
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, settings: Settings) {
    this.#path = path;
    this.#settings = settings;
    const sink: Sink = {
      write: (batch: Batch) => this.#opened.write(batch),
      sync: () => this.#opened.sync(),
      settle: (isLast) => this.#opened.settle(isLast),
    };
    const { flushInterval, fsyncInterval } = this.#settings;
    const report = (error: unknown): void => {
      this.#report(error);
    };
    this.#writeBehind = new WriteBehind({ sink, flushInterval, fsyncInterval, report });
  }

  open(host: PersistenceHost): Promise<void> {
    this.#host = host;
    this.#opening = this.#open(host).catch((error: unknown) => {
      // The cache itself makes an event of it.
      this.#tell(error);
      throw error;
    });
    return this.#opening;
  }

  set(key: string, entry: Parameters<Persistence['set']>[1]): void {
    this.#writeBehind.set(key, entry);
  }

  delete(key: string): void {
    this.#writeBehind.delete(key);
  }

  clear(): void {
    this.#writeBehind.clear();
  }

  async flush(): Promise<void> {
    await this.#opening;
    await this.#writeBehind.flush();
  }

  get progress(): number {
    return this.#journal?.progress ?? 0;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #opened(): Journal {
    if (this.#journal === undefined) throw new Error('it is not open');
    return this.#journal;
  }

  async #open(host: PersistenceHost): Promise<void> {
    const path = await realPathOf(this.#path);
    const report = (error: unknown): void => {
      this.#report(error);
    };
    const claim = new Claim(path, this.#settings.lockTimings);
    this.#claim = claim;
    if (this.#closing !== undefined) claim.stopWaiting();
    const isOurs = await this.#take(claim, path);
    if (isOurs) await removeLeftovers(path);
    const settings = this.#settings;
    const isClosing = (): boolean => this.#closing !== undefined;
    const begin = (): Reading => {
      const index = new RecordIndex();
      return { index, restorer: new Restorer(index, settings.serializer) };
    };
    const options = { path, begin, host, mayWrite: isOurs, report, isClosing };
    const { index, restorer, ...start } = await openFile(options);
    const clock = new FileClock(host.clock);
    const wasSetBack = clock.follow(start.time);
    const mustRewrite = start.mustRewrite || claim.isDisputed;
    const order = (): Iterable<number> => slotsOf(host.order(), index, this.#archive);
    const journal = new Journal(
      { path, settings, claim, index, host, order, clock, report },
      { ...start, mustRewrite },
    );
    this.#journal = journal;
    if (isClosing()) return;
    const restored = await restorer.restore(host, clock, this.#writeBehind.pending, isClosing);
    this.#archive = restored.archive;
    if (isClosing()) return;
    this.#writeBehind.start(host.clock, (key) => journal.mayHold(key));
    // Should it never write, the next start must know even so how far the clock was set back.
    if (wasSetBack && isOurs && !mustRewrite) journal.sync().catch(report);
    await journal.bound();
    if (restored.dead > MOST_TOMBSTONES) journal.compact();
  }

  /**
   * @returns whether the file may be written; where no lock can be made it is tried again with each write
   * @throws LockedError when another process has the file
   */
  async #take(claim: Claim, path: string): Promise<boolean> {
    try {
      await claim.ensure();
      // It was not read yet.
      claim.confirm();
      return true;
    } catch (error) {
      if (error instanceof LockedError) throw error;
      this.#report(notDurable(path, error));
      return false;
    }
  }

  async #close(): Promise<void> {
    this.#claim?.stopWaiting();
    try {
      await this.#opening;
    } catch {
      // Whoever opened it was told.
    }
    const journal = this.#journal;
    try {
      if (journal === undefined) this.#writeBehind.stop();
      else await this.#writeBehind.close();
    } finally {
      await journal?.close();
      await this.#claim?.release();
    }
  }

  #report(error: unknown): void {
    this.#host?.fail(error);
    this.#tell(error);
  }

  #tell(error: unknown): void {
    tell(this.#settings.onError, error);
  }
}

/** The slots of what a cache tells; of a key that the file has no record of it is -1. */
function* slotsOf(
  order: Iterable<string | number>,
  index: RecordIndex,
  archive: FileArchive | undefined,
): Generator<number> {
  for (const told of order) {
    if (typeof told === 'string') {
      yield index.slotOf(told);
    } else {
      const slot = archive?.slotAt(told) ?? -1;
      // The file may have let go of what memory still has.
      yield index.lengthOf(slot) > 0 ? slot : -1;
    }
  }
}
