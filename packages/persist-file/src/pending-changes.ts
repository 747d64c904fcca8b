import type { Entry } from '@acache/core';

/** Changes that are written together. What was written is taken out of it. */
export interface Batch {
  /** All that the file holds goes first. */
  cleared: boolean;
  /** By key its entry; `undefined` for one that was deleted. */
  readonly changes: Map<string, Entry | undefined>;
}

/** What the file does not know yet: the newest state of each key, however often it changed. */
export class PendingChanges {
  #batch: Batch = { cleared: false, changes: new Map() };
  /** Taken, and not yet written as far as is known here. */
  #taken: Batch | undefined;
  readonly #mayHold: (key: string) => boolean;

  /**
   * @param mayHold - whether the file may hold a key: what it does not hold need not be deleted there, or
   *   a cache that cannot write would remember every key that it ever had
   */
  constructor(mayHold: (key: string) => boolean = () => true) {
    this.#mayHold = mayHold;
  }

  get isEmpty(): boolean {
    return !this.#batch.cleared && this.#batch.changes.size === 0;
  }

  /** Whether the file is no longer right about a key. */
  knows(key: string): boolean {
    return this.#batch.cleared || this.#batch.changes.has(key);
  }

  set(key: string, entry: Entry): void {
    this.#batch.changes.set(key, entry);
  }

  delete(key: string): void {
    const { changes } = this.#batch;
    if (this.#taken?.changes.has(key) === true || this.#mayHold(key)) changes.set(key, undefined);
    else changes.delete(key);
  }

  clear(): void {
    this.#batch = { cleared: true, changes: new Map() };
  }

  /** Takes everything out. */
  take(): Batch {
    const batch = this.#batch;
    this.#batch = { cleared: false, changes: new Map() };
    this.#taken = batch;
    return batch;
  }

  /** What was taken was written. */
  done(): void {
    this.#taken = undefined;
  }

  /** Puts back what could not be written; what has changed since is newer. */
  giveBack({ cleared, changes }: Batch): void {
    this.#taken = undefined;
    const newer = this.#batch;
    if (newer.cleared) return;
    // The older map goes on: it is the larger one, and its keys changed first.
    for (const [key, entry] of newer.changes) {
      changes.delete(key);
      changes.set(key, entry);
    }
    this.#batch = { cleared, changes };
  }
}
