import { CacheError } from '@acache/core';
import type { AnyCache } from './runtime-parts.js';

/** How long, in milliseconds, an invalidation is waited for before it counts as failed. */
export const INVALIDATION_TIMEOUT = 5_000;

/** Tags that are remembered as not invalidated; above it, everything that is cached is left behind. */
const REMEMBERED = 10_000;

/**
 * The invalidations of one cache, and what is left of those that failed: as long as one was not made good,
 * the cache may hold what was before a change.
 */
export class Invalidations {
  readonly #cache: AnyCache;
  /** Tags that could not be invalidated, by the number of the last attempt that failed. */
  readonly #failed = new Map<string, number>();
  readonly #beingRetried = new Set<string>();
  #attempts = 0;
  #generation = '';

  constructor(cache: AnyCache) {
    this.#cache = cache;
  }

  /** A part of every key: it changes when what is cached can be trusted no more. */
  get generation(): string {
    return this.#generation;
  }

  /**
   * Removes what carries one of these tags; memory has changed when this returns.
   *
   * @throws (rejects) what the cache failed with, and CacheError `ERR_ACACHE_INVALIDATION_TIMEOUT`
   */
  async invalidate(tags: readonly string[]): Promise<void> {
    const attempt = ++this.#attempts;
    try {
      await inTime(this.#call(tags, attempt));
    } catch (error) {
      this.#remember(tags, attempt);
      throw error;
    }
  }

  /** Those of the tags that an earlier invalidation failed to remove. */
  failedOf(tags: readonly string[]): readonly string[] {
    return this.#failed.size === 0 ? [] : tags.filter((tag) => this.#failed.has(tag));
  }

  /** Tries those again that failed, unless that runs already. @throws as `invalidate` */
  async retry(failed: readonly string[]): Promise<void> {
    const tags = failed.filter((tag) => !this.#beingRetried.has(tag));
    if (tags.length === 0) return;
    for (const tag of tags) this.#beingRetried.add(tag);
    try {
      await this.invalidate(tags);
    } finally {
      for (const tag of tags) this.#beingRetried.delete(tag);
    }
  }

  /** A success that comes late makes good what failed before this attempt began, and itself. */
  async #call(tags: readonly string[], attempt: number): Promise<void> {
    await this.#cache.invalidateTags(...tags);
    for (const tag of tags) {
      if ((this.#failed.get(tag) ?? Infinity) <= attempt) this.#failed.delete(tag);
    }
  }

  #remember(tags: readonly string[], attempt: number): void {
    for (const tag of tags) {
      this.#failed.set(tag, Math.max(attempt, this.#failed.get(tag) ?? 0));
    }
    if (this.#failed.size <= REMEMBERED) return;
    // Under other keys nothing is found that is there now; unlike those of any other process.
    this.#failed.clear();
    this.#generation = crypto.randomUUID();
  }
}

/** @throws (rejects) CacheError `ERR_ACACHE_INVALIDATION_TIMEOUT` */
function inTime(work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `the cache did not invalidate within ${INVALIDATION_TIMEOUT} ms`;
      reject(new CacheError('ERR_ACACHE_INVALIDATION_TIMEOUT', message));
    }, INVALIDATION_TIMEOUT);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
