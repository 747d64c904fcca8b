import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './failure.js';
import { LockedError, LockFile } from './lock-file.js';
import type { LockTimings } from './silence.js';

/** What became of the claim since it was looked at last. */
export type ClaimState =
  /** It is ours, as before. */
  | 'held'
  /** It is ours, but others may have had it before; up to `confirm`. */
  | 'new'
  /** It was ours, and is another's now. */
  | 'lost';

/** This process's right to write a file. Without it nothing is written. */
export class Claim {
  readonly #path: string;
  readonly #timings: LockTimings | undefined;
  readonly #waiting = new AbortController();
  #lock: LockFile | undefined;
  #isLost = false;
  /** Whether the file is known to be as it was when it was ours before. */
  #isConfirmed = false;

  constructor(path: string, timings?: LockTimings) {
    this.#path = path;
    this.#timings = timings;
  }

  /** Whether the owner before may still be writing: it was silent, which does not prove it dead. */
  get isDisputed(): boolean {
    return this.#lock?.acquired === 'silent owner';
  }

  /**
   * Makes sure of the lock, and of the folder that it is in. It may have to wait for a sign of life of
   * another owner.
   *
   * @throws LockedError when another process has it; what the system throws when no lock can be made
   */
  async ensure(): Promise<ClaimState> {
    if (this.#isLost) return 'lost';
    if (this.#lock !== undefined) {
      const state = await this.#lock.check();
      if (state === 'held') return this.#isConfirmed ? state : 'new';
      await this.#lock.abandon();
      this.#lock = undefined;
      this.#isConfirmed = false;
      if (state === 'lost') {
        this.#isLost = true;
        return state;
      }
    }
    await mkdir(dirname(this.#path), { recursive: true });
    try {
      this.#lock = await LockFile.acquire(this.#path, {
        signal: this.#waiting.signal,
        ...(this.#timings === undefined ? {} : { timings: this.#timings }),
      });
    } catch (error) {
      if (error instanceof LockedError || codeOf(error) !== 'EACCES') throw error;
      // Somebody else's lock that may not be read must not look like a folder that may not be written.
      if (await stat(`${this.#path}.lock`).catch(() => undefined)) {
        throw new LockedError(this.#path, undefined);
      }
      throw error;
    }
    return 'new';
  }

  /** Nobody has written the file since it was read: from now on `ensure` says `held`. */
  confirm(): void {
    this.#isConfirmed = true;
  }

  /** From now on nobody waits for a sign of life: `ensure` throws a LockedError at once instead. */
  stopWaiting(): void {
    this.#waiting.abort();
  }

  /** Claims it no more: it is another's. */
  async giveUp(): Promise<void> {
    this.#isLost = true;
    await this.release();
  }

  async release(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }
}
