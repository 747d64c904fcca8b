import { randomUUID } from 'node:crypto';
import {
  link,
  lstat,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './failure.js';
import {
  createLock,
  isUnchanged,
  readLock,
  socketPathOf,
  type FoundLock,
  type LockOwner,
  type OwnLock,
} from './lock-record.js';
import { FILE_MODE } from './log-file.js';
import { UNBORN } from './presence.js';

/** Somebody who takes a lock over is done long before so many milliseconds. */
const TAKEOVER = 10_000;
/** What is used for a moment only and is so many milliseconds old was left behind. */
const LEFT_BEHIND = 60_000;
const UUID_LENGTH = 36;

/** Replaces locks that others left. */
export class Takeover {
  readonly #lockPath: string;
  readonly #guardPath: string;
  /** The guard of another who is at it, and since when it is seen. */
  #others: { readonly made: string; readonly since: number } | undefined;

  constructor(lockPath: string) {
    this.#lockPath = lockPath;
    this.#guardPath = `${lockPath}.takeover`;
  }

  /**
   * Puts an own lock in the place of one whose owner is dead. Of several who try, one at a time may; and
   * what is moved away is looked at once more, since another may have been faster.
   *
   * @returns `undefined` when it is to be looked at and tried again
   */
  async attempt(stale: FoundLock, own: LockOwner): Promise<OwnLock | undefined> {
    const guard = await this.#openGuard();
    if (guard === undefined) return undefined;
    try {
      return await this.#replace(stale, own);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    } finally {
      await guard.close();
      await unlink(this.#guardPath).catch(() => undefined);
    }
  }

  async #replace(stale: FoundLock, own: LockOwner): Promise<OwnLock | undefined> {
    const lockPath = this.#lockPath;
    const found = await readLock(lockPath);
    if (found === undefined || !isUnchanged(stale, found)) return undefined;
    const moved = `${lockPath}.${randomUUID()}`;
    await rename(lockPath, moved);
    const text = await readFile(moved, 'utf8');
    if (text !== stale.text) {
      // It was a living one's: back with it, unless there is a newer one.
      await link(moved, lockPath).catch(() => undefined);
      await unlink(moved);
      return undefined;
    }
    const created = await createLock(lockPath, own);
    await unlink(moved);
    const { owner } = stale;
    if (owner !== undefined && owner.socket !== null) {
      await unlink(socketPathOf(lockPath, owner.nonce)).catch(() => undefined);
    }
    return created;
  }

  async #openGuard(): Promise<FileHandle | undefined> {
    try {
      return await open(this.#guardPath, 'wx', FILE_MODE);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const now = performance.now();
    const info = await stat(this.#guardPath).catch(() => undefined);
    const made = `${info?.ino} ${info?.ctimeMs}`;
    if (this.#others?.made !== made) {
      this.#others = { made, since: now };
    } else if (now - this.#others.since > TAKEOVER) {
      // Whoever made it died on the way.
      await unlink(this.#guardPath).catch(() => undefined);
    }
    return undefined;
  }
}

/**
 * Removes what processes left behind that died while they took a lock. Never throws. Were anything of it
 * still needed, its owner would be proved alive by its heartbeat alone.
 *
 * @param nonce - of the lock that is held now
 */
export async function sweep(lockPath: string, nonce: string): Promise<void> {
  try {
    const folder = dirname(lockPath);
    const { mtimeMs: now } = await stat(lockPath);
    for (const name of await readdir(folder)) {
      if (!isMomentary(name, basename(lockPath)) || name.includes(nonce)) continue;
      const path = join(folder, name);
      const info = await lstat(path).catch(() => undefined);
      if (info === undefined || now - info.mtimeMs < LEFT_BEHIND) continue;
      await unlink(path).catch(() => undefined);
    }
  } catch {
    // The next who takes the lock tries again.
  }
}

function isMomentary(name: string, lockName: string): boolean {
  if (name.startsWith(UNBORN)) return name.length === UNBORN.length + UUID_LENGTH;
  if (!name.startsWith(`${lockName}.`)) return false;
  const [nonce = '', kind, ...rest] = name.slice(lockName.length + 1).split('.');
  return nonce.length === UUID_LENGTH && (kind ?? 'socket') === 'socket' && rest.length === 0;
}
