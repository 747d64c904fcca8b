import { randomUUID } from 'node:crypto';
import {
  link,
  open,
  readFile,
  rename,
  stat,
  unlink,
  utimes,
  type FileHandle,
} from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheError } from '@acache/core';
import { codeOf } from './failure.js';
import { FILE_MODE } from './log-file.js';
import { ownIdentity, vitalityOf, type ProcessIdentity } from './process-identity.js';

/** Milliseconds between two signs of life of an owner. */
const HEARTBEAT = 5000;
/** An owner of whom nothing else can be known is dead after so many milliseconds without one. */
const SILENCE = 60_000;
/** Somebody who takes a lock over is done long before so many milliseconds. */
const TAKEOVER = 10_000;
const TRIES = 50;
const TRY_AGAIN = 20;

/** What a lock file says of its owner. */
export interface LockOwner extends ProcessIdentity {
  readonly nonce: string;
}

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

interface FoundLock {
  readonly owner: LockOwner | undefined;
  readonly text: string;
  readonly ino: number;
  readonly mtimeMs: number;
}

/** How a lock was come by. */
export type Acquired =
  | 'free'
  | 'dead owner'
  /** Nothing was heard of the owner for long, which does not prove that it is dead: it may still write. */
  | 'silent owner';

/** The lock of a file, held by this process: a file beside it that only one can create. */
export class LockFile {
  readonly acquired: Acquired;
  readonly #path: string;
  readonly #text: string;
  readonly #ino: number;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, text: string, ino: number, acquired: Acquired) {
    this.#path = path;
    this.#text = text;
    this.#ino = ino;
    this.acquired = acquired;
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, HEARTBEAT);
    this.#heartbeat.unref();
  }

  /**
   * Takes the lock of the file at `path`, from a dead owner too.
   *
   * @throws LockedError when somebody who may be alive has it; what the system throws when no lock can
   * be made
   */
  static async acquire(path: string): Promise<LockFile> {
    const lockPath = lockPathOf(path);
    const own = ownIdentity();
    for (let attempt = 0; ; attempt++) {
      const created = await create(lockPath, own);
      if (created !== undefined) return new LockFile(lockPath, ...created, 'free');
      const found = await readLock(lockPath);
      if (found === undefined) continue;
      const state = judge(found, own);
      if (state === undefined || attempt >= TRIES) throw new LockedError(path, found.owner);
      const taken = await takeOver(lockPath, found, own);
      if (taken !== undefined) return new LockFile(lockPath, ...taken, state);
      await sleep(TRY_AGAIN);
    }
  }

  /** Whether it is still this process's: `missing` when somebody removed it. */
  async check(): Promise<'held' | 'lost' | 'missing'> {
    try {
      const { ino } = await stat(this.#path);
      if (ino !== this.#ino) return 'lost';
      return 'held';
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'missing';
      throw error;
    }
  }

  /** Gives the lock back. Never throws. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    try {
      if ((await readFile(this.#path, 'utf8')) === this.#text) await unlink(this.#path);
    } catch {
      // It is gone already, or the next who wants it finds that its owner is dead.
    }
  }

  /** Ends the heartbeat and leaves the file alone: it is somebody else's. */
  abandon(): void {
    clearInterval(this.#heartbeat);
  }

  #beat(): void {
    const now = new Date();
    stat(this.#path)
      .then(({ ino }) => (ino === this.#ino ? utimes(this.#path, now, now) : undefined))
      // The next check before a write finds out.
      .catch(() => undefined);
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
  const found = await readLock(lockPathOf(path)).catch(() => undefined);
  if (found === undefined) return undefined;
  return { owner: found.owner, isAlive: judge(found, ownIdentity()) === undefined };
}

/** How the lock may be taken over; `undefined` when its owner may be alive. */
function judge(found: FoundLock, own: ProcessIdentity): Exclude<Acquired, 'free'> | undefined {
  const vitality = found.owner === undefined ? 'unknown' : vitalityOf(found.owner, own);
  if (vitality === 'dead') return 'dead owner';
  if (vitality === 'alive') return undefined;
  return Date.now() - found.mtimeMs > SILENCE ? 'silent owner' : undefined;
}

/** @returns what was written and the file's number; `undefined` when there is a lock already */
async function create(
  lockPath: string,
  own: ProcessIdentity,
): Promise<[text: string, ino: number] | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(lockPath, 'wx', FILE_MODE);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  try {
    const text = `${JSON.stringify({ ...own, nonce: randomUUID() })}\n`;
    await handle.writeFile(text);
    const { ino } = await handle.stat();
    return [text, ino];
  } catch (error) {
    // A lock that names nobody would keep everybody out.
    await unlink(lockPath).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

async function readLock(lockPath: string): Promise<FoundLock | undefined> {
  try {
    const handle = await open(lockPath, 'r');
    try {
      const { ino, mtimeMs } = await handle.stat();
      const text = await handle.readFile('utf8');
      return { owner: parseOwner(text), text, ino, mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    const isOwner =
      Number.isInteger(owner?.pid) &&
      (owner?.pid ?? 0) > 0 &&
      typeof owner?.host === 'string' &&
      typeof owner.nonce === 'string';
    return isOwner ? (owner as LockOwner) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Puts an own lock in the place of one whose owner is dead. Of several who try, one at a time may; and
 * what is moved away is looked at once more, since another may have been faster.
 */
async function takeOver(
  lockPath: string,
  stale: FoundLock,
  own: ProcessIdentity,
): Promise<[text: string, ino: number] | undefined> {
  const guardPath = `${lockPath}.takeover`;
  const guard = await openGuard(guardPath);
  if (guard === undefined) return undefined;
  try {
    const found = await readLock(lockPath);
    if (found?.text !== stale.text || found.ino !== stale.ino) return undefined;
    const moved = `${lockPath}.${randomUUID()}`;
    await rename(lockPath, moved);
    const text = await readFile(moved, 'utf8');
    if (text !== stale.text) {
      // It was a living one's: back with it, unless there is a newer one.
      await link(moved, lockPath).catch(() => undefined);
      await unlink(moved);
      return undefined;
    }
    const created = await create(lockPath, own);
    await unlink(moved);
    return created;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    await guard.close();
    await unlink(guardPath).catch(() => undefined);
  }
}

async function openGuard(guardPath: string): Promise<FileHandle | undefined> {
  try {
    return await open(guardPath, 'wx', FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const info = await stat(guardPath).catch(() => undefined);
    // Whoever made it died on the way.
    if (info !== undefined && Date.now() - info.mtimeMs > TAKEOVER) {
      await unlink(guardPath).catch(() => undefined);
    }
    return undefined;
  }
}
