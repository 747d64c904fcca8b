import { open, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { FILE_MODE } from './log-file.js';
import { isUnchanged, type FoundLock } from './lock-record.js';

/** How an owner is judged of whom nothing but its signs of life can be known; in milliseconds. */
export interface LockTimings {
  /** Between two signs of life. */
  readonly heartbeat: number;
  /** Without one for so long, an owner loses its lock. */
  readonly grace: number;
}

export const DEFAULT_TIMINGS: LockTimings = { heartbeat: 2000, grace: 20_000 };

/** However old the last sign is, so many heartbeats are waited for: clocks may be set meanwhile. */
const LEAST_BEATS = 2;

/**
 * Watches one lock for a sign of life. What is compared are times that the file system gave; how long
 * it was watched is measured by a clock that nobody sets. This process's wall clock has no say.
 */
export class Silence {
  readonly #found: FoundLock;
  readonly #since: number;
  readonly #needed: number;

  private constructor(found: FoundLock, since: number, needed: number) {
    this.#found = found;
    this.#since = since;
    this.#needed = needed;
  }

  /** Begins with a lock that was just read. */
  static async begin(
    lockPath: string,
    found: FoundLock,
    { heartbeat, grace }: LockTimings,
  ): Promise<Silence> {
    const since = performance.now();
    const age = (await timeInFolderOf(lockPath)) - found.mtimeMs;
    const needed = grace - Math.max(0, age);
    return new Silence(found, since, Math.max(needed, LEAST_BEATS * heartbeat));
  }

  /**
   * @param lookedAt - `performance.now()` before the lock was read: a process may be frozen at any time
   */
  judge(found: FoundLock, lookedAt: number): 'alive' | 'silent' | 'too early' {
    if (!isUnchanged(this.#found, found)) return 'alive';
    return lookedAt - this.#since >= this.#needed ? 'silent' : 'too early';
  }
}

/** What time it is for the file system, which may be a server's; `-Infinity` where it does not tell. */
async function timeInFolderOf(lockPath: string): Promise<number> {
  const path = `${lockPath}.${randomUUID()}`;
  try {
    const handle = await open(path, 'wx', FILE_MODE);
    try {
      return (await handle.stat()).mtimeMs;
    } finally {
      await handle.close();
      await unlink(path);
    }
  } catch {
    return -Infinity;
  }
}
