import type { Entry, TierLease } from '@acache/core';
import type { Space } from './space.js';
import type { StateBefore } from './stamps.js';

/** A load that runs, or may begin: what changes in this process is noted here. */
export class Claim {
  #revoked = false;
  readonly #invalidated = new Set<string>();

  constructor(readonly key: string) {}

  revoke(): void {
    this.#revoked = true;
  }

  invalidate(tags: readonly string[]): void {
    for (const tag of tags) this.#invalidated.add(tag);
  }

  /** Whether an entry with these tags may still be stored. */
  holds(tags: readonly string[]): boolean {
    return !this.#revoked && !tags.some((tag) => this.#invalidated.has(tag));
  }
}

/** Who is told what becomes of a lease. */
interface LeaseListeners {
  stored(): void;
  ended(): void;
}

/** The right to store what is loaded, unless something in this process takes it away. */
export class Lease implements TierLease {
  readonly #space: Space;
  readonly #claim: Claim;
  readonly #before: StateBefore;
  readonly #listeners: LeaseListeners;

  constructor(space: Space, claim: Claim, before: StateBefore, listeners: LeaseListeners) {
    this.#space = space;
    this.#claim = claim;
    this.#before = before;
    this.#listeners = listeners;
  }

  async commit(entry: Entry): Promise<'stored' | 'refused' | 'unavailable'> {
    try {
      const outcome = await this.#space.commit(this.#claim, this.#before, entry);
      if (outcome === 'stored') this.#listeners.stored();
      return outcome;
    } finally {
      this.#end();
    }
  }

  release(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  #end(): void {
    this.#claim.revoke();
    this.#space.giveBack(this.#claim);
    this.#listeners.ended();
  }
}
