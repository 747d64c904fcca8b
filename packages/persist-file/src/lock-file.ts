import { randomUUID } from 'node:crypto';
import { open, stat, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheError } from '@acache/core';
import { codeOf } from './failure.js';
import {
  createLock,
  judgeOwner,
  readLock,
  socketPathOf,
  type LockOwner,
  type OwnLock,
} from './lock-record.js';
import { Presence } from './presence.js';
import { ownIdentity } from './process-identity.js';
import { DEFAULT_TIMINGS, Silence, type LockTimings } from './silence.js';
import { sweep, Takeover } from './takeover.js';

export type { LockOwner } from './lock-record.js';

/** Milliseconds until somebody who takes the lock over is likely to be done. */
const TRY_AGAIN = 20;
/** So many tries in a row fail only where something that is no lock has its name or its guard's. */
const TRIES = 1000;
/** A lock that is watched is looked at so many times within a heartbeat. */
const LOOKS = 4;

/** Another process has the file, or this one twice. Nothing was written, and nothing will be. */
export class LockedError extends CacheError {
  /** The owner's; `undefined` where the lock file does not tell. */
  readonly pid: number | undefined;

  constructor(path: string, owner: LockOwner | undefined) {
    const who =
      owner === undefined
        ? 'a process that its lock file does not name'
        : `process ${owner.pid}${owner.pid === process.pid ? ' (this one)' : ''} on ${owner.host}`;
    super('ERR_ACACHE_LOCKED', `'${path}' is in use by ${who}`);
    this.name = 'LockedError';
    this.pid = owner?.pid;
  }
}

/** How a lock was come by. */
export type Acquired =
  | 'free'
  | 'dead owner'
  /** Nothing was heard of the owner for long, which does not prove that it is dead: it may still write. */
  | 'silent owner';

export interface LockOptions {
  readonly timings?: LockTimings;
  /** Ends the waiting for a sign of life: an owner that may be alive counts as alive. */
  readonly signal?: AbortSignal;
}

/** The lock of a file, held by this process: a file beside it that only one can create. */
export class LockFile {
  readonly acquired: Acquired;
  readonly #path: string;
  readonly #own: OwnLock;
  readonly #presence: Presence | undefined;
  readonly #heartbeat: NodeJS.Timeout;
  #isBeating = false;

  private constructor(
    path: string,
    own: OwnLock,
    acquired: Acquired,
    presence: Presence | undefined,
    heartbeat: number,
  ) {
    this.#path = path;
    this.#own = own;
    this.acquired = acquired;
    this.#presence = presence;
    this.#heartbeat = setInterval(() => {
      void this.#beat();
    }, heartbeat);
    this.#heartbeat.unref();
  }

  /**
   * Takes the lock of the file at `path`, from a dead owner too. Where only the owner's signs of life can
   * tell, it waits for one, or until there was none for the whole grace.
   *
   * @throws LockedError when somebody who may be alive has it; what the system throws when no lock can
   * be made
   */
  static async acquire(path: string, options: LockOptions = {}): Promise<LockFile> {
    const { timings = DEFAULT_TIMINGS, signal } = options;
    const lockPath = lockPathOf(path);
    const nonce = randomUUID();
    const own = { ...ownIdentity(), nonce };
    const takeover = new Takeover(lockPath);
    let presence: Presence | undefined;
    let silence: Silence | undefined;
    let tries = 0;
    const showUp = async (): Promise<LockOwner> => {
      presence ??= await Presence.show(socketPathOf(lockPath, nonce), nonce);
      return { ...own, socket: presence?.mark ?? null };
    };
    const hold = async (lock: OwnLock, acquired: Acquired): Promise<LockFile> => {
      await sweep(lockPath, nonce);
      return new LockFile(lockPath, lock, acquired, presence, timings.heartbeat);
    };
    try {
      for (;;) {
        const lookedAt = performance.now();
        const found = await readLock(lockPath);
        if (found === undefined) {
          const created = await createLock(lockPath, await showUp());
          if (created !== undefined) return await hold(created, 'free');
        }
        const locked = new LockedError(path, found?.owner);
        if (++tries > TRIES) throw locked;
        if (found === undefined) {
          await pause(TRY_AGAIN, signal, locked);
          continue;
        }
        const vitality = await judgeOwner(lockPath, found, own);
        if (vitality === 'alive') throw locked;
        if (vitality === 'unknown') {
          silence ??= await Silence.begin(lockPath, found, timings);
          const judgement = silence.judge(found, lookedAt);
          if (judgement === 'alive') throw locked;
          if (judgement === 'too early') {
            tries = 0;
            await pause(timings.heartbeat / LOOKS, signal, locked);
            continue;
          }
        }
        const taken = await takeover.attempt(found, await showUp());
        if (taken !== undefined) {
          return await hold(taken, vitality === 'dead' ? 'dead owner' : 'silent owner');
        }
        await pause(TRY_AGAIN, signal, locked);
      }
    } catch (error) {
      await presence?.withdraw();
      throw error;
    }
  }

  /** Whether it is still this process's: `missing` when somebody removed it. */
  async check(): Promise<'held' | 'lost' | 'missing'> {
    try {
      // What it says, rather than which file it is: a file's number is used again.
      const found = await readLock(this.#path);
      if (found === undefined) return 'missing';
      return found.text === this.#own.text ? 'held' : 'lost';
    } catch (error) {
      if (codeOf(error) !== 'EACCES') throw error;
      // It is another user's, or this process has become another user.
      return (await stat(this.#path)).ino === this.#own.ino ? 'held' : 'lost';
    }
  }

  /** Gives the lock back. Never throws. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      if ((await this.check()) === 'held') await unlink(this.#path);
    } catch {
      // It is gone already, or the next who wants it finds that its owner is dead.
    }
    await this.#presence?.withdraw();
  }

  /** Ends all signs of life and leaves the file alone: it is somebody else's. Never throws. */
  async abandon(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#presence?.withdraw();
  }

  /**
   * Writes once more what the lock says: so its time is the file system's, as it is for all who look, and
   * not that of this process's clock.
   */
  async #beat(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      const handle = await open(this.#path, 'r+');
      try {
        if (!(await handle.stat()).isFile()) return;
        if ((await handle.readFile('utf8')) !== this.#own.text) return;
        const bytes = Buffer.from(this.#own.text);
        // A full disk may refuse even that.
        await handle.write(bytes, 0, bytes.length, 0).catch(() => {
          const now = new Date();
          return handle.utimes(now, now);
        });
      } finally {
        await handle.close();
      }
    } catch {
      // The next check before a write finds out.
    } finally {
      this.#isBeating = false;
    }
  }
}

/** Where the lock of a file is. */
export function lockPathOf(path: string): string {
  return `${path}.lock`;
}

/** Who holds the lock of a file, for people; nothing is changed. */
export async function lockHolder(
  path: string,
): Promise<{ readonly owner: LockOwner | undefined; readonly isAlive: boolean } | undefined> {
  const lockPath = lockPathOf(path);
  const found = await readLock(lockPath).catch(() => undefined);
  if (found === undefined) return undefined;
  const vitality = await judgeOwner(lockPath, found, ownIdentity());
  const isHeard = Date.now() - found.mtimeMs <= DEFAULT_TIMINGS.grace;
  return { owner: found.owner, isAlive: vitality === 'unknown' ? isHeard : vitality === 'alive' };
}

/** @throws `reason` when nobody wants to wait any more */
async function pause(ms: number, signal: AbortSignal | undefined, reason: Error): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw reason;
  }
}
