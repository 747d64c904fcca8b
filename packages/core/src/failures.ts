import type { KeyId } from './cache-key.js';

/** First pause of a refresh that failed, in milliseconds; each further failure doubles it. */
const FIRST_PAUSE = 1000;
/** Rest between two looks at what another process refreshes, in milliseconds. */
const HOLD = 200;
const LONGEST_PAUSE = 60_000;
/** Failures remembered at most, also by a cache without a bound. */
const MOST = 100_000;

interface Failure {
  error: unknown;
  /** Until then callers get the error without a load. */
  rememberedUntil: number;
  /** Tags that were known before the load: who invalidates them wants it tried again. */
  tags: readonly string[];
  /** Failures of refreshes in a row. */
  refreshes: number;
  /** Before then no refresh begins behind a stale value. */
  refreshAfter: number;
}

const NO_FAILURE = { error: undefined, rememberedUntil: 0, tags: [], refreshes: 0 };

/** What failed lately: errors to hand out again, and refreshes to hold back. Bounded like the memory. */
export class Failures {
  readonly #byId = new Map<KeyId, Failure>();
  readonly #limit: number;
  /** Nothing can be forgotten before this instant. */
  #forgetFirst = Infinity;
  readonly #random: () => number;

  constructor(limit: number, random: () => number = Math.random) {
    this.#limit = Math.min(limit, MOST);
    this.#random = random;
  }

  /** A load failed: its error is remembered for `errorTtl` milliseconds, and a refresh pauses. */
  note(
    id: KeyId,
    error: unknown,
    now: number,
    errorTtl: number,
    background: boolean,
    tags: readonly string[],
  ): void {
    const before = this.#byId.get(id);
    if (!background && errorTtl <= 0) {
      if (before !== undefined) before.error = error;
      return;
    }
    const refreshes = (before?.refreshes ?? 0) + (background ? 1 : 0);
    const failure: Failure = {
      error,
      rememberedUntil: now + errorTtl,
      tags,
      refreshes,
      refreshAfter: background ? now + this.#pause(refreshes) : (before?.refreshAfter ?? 0),
    };
    this.#keep(id, failure);
  }

  /** The failure that callers are given instead of a load. */
  remembered(id: KeyId, now: number): { readonly error: unknown } | undefined {
    if (this.#byId.size === 0) return undefined;
    const failure = this.#byId.get(id);
    return failure !== undefined && now < failure.rememberedUntil ? failure : undefined;
  }

  /** Whether anything is known to have failed. */
  knows(id: KeyId): boolean {
    return this.#byId.size > 0 && this.#byId.has(id);
  }

  mayRefresh(id: KeyId, now: number): boolean {
    if (this.#byId.size === 0) return true;
    const failure = this.#byId.get(id);
    return failure === undefined || (now >= failure.refreshAfter && now >= failure.rememberedUntil);
  }

  /** Another process refreshes: it is not asked again at every hit. */
  hold(id: KeyId, now: number): void {
    const before = this.#byId.get(id);
    if (before !== undefined && now < before.refreshAfter) return;
    this.#keep(id, { ...(before ?? NO_FAILURE), refreshAfter: now + HOLD });
  }

  forget(id: KeyId): void {
    if (this.#byId.size > 0) this.#byId.delete(id);
  }

  /** Forgets the failures of loads that were known to carry one of the tags. */
  forgetTagged(tags: readonly string[]): void {
    for (const [id, failure] of this.#byId) {
      if (failure.tags.some((tag) => tags.includes(tag))) this.#byId.delete(id);
    }
  }

  clear(): void {
    this.#byId.clear();
    this.#forgetFirst = Infinity;
  }

  /** Nothing can be forgotten before this instant. */
  get forgetFirst(): number {
    return this.#forgetFirst;
  }

  /** Forgets what no longer matters. */
  sweep(now: number): void {
    if (now < this.#forgetFirst) return;
    this.#forgetFirst = Infinity;
    for (const [id, failure] of this.#byId) {
      const until = forgetAt(failure);
      if (now >= until) this.#byId.delete(id);
      else if (until < this.#forgetFirst) this.#forgetFirst = until;
    }
  }

  #keep(id: KeyId, failure: Failure): void {
    this.#byId.delete(id);
    this.#byId.set(id, failure);
    if (this.#byId.size > this.#limit) this.#byId.delete(this.#byId.keys().next().value);
    this.#forgetFirst = Math.min(this.#forgetFirst, forgetAt(failure));
  }

  #pause(failures: number): number {
    const pause = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE);
    return pause * (0.5 + 0.5 * this.#random());
  }
}

/** Failures of a refresh still count for a while after the pause, so that the next one is longer. */
function forgetAt({ rememberedUntil, refreshAfter, refreshes }: Failure): number {
  return Math.max(rememberedUntil, refreshAfter + (refreshes > 0 ? LONGEST_PAUSE : 0));
}
