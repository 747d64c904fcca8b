import type { AnyCache } from './any-cache.js';
import { reachableCaches } from './reachable-caches.js';
import { keyTags } from './shared-cache.js';

/** What one call of a mutation makes invalid. */
export interface Invalidation {
  readonly tags: readonly string[];
  readonly keys: readonly unknown[];
  /** `undefined`: wherever a decorated function keeps its results in a cache of its own. */
  readonly cache: AnyCache | undefined;
}

/** Makes it invalid; memory has changed when this returns. */
export async function invalidate({ cache, keys, tags }: Invalidation): Promise<void> {
  const work: Promise<unknown>[] = [];
  if (cache !== undefined) {
    for (const key of keys) work.push(cache.delete(key));
    const allTags = [...tags, ...keys.flatMap(keyTags)];
    if (allTags.length > 0) work.push(cache.invalidateTags(...allTags));
  } else {
    if (tags.length > 0) {
      for (const tagged of reachableCaches('tagged')) work.push(tagged.invalidateTags(...tags));
    }
    if (keys.length > 0) {
      for (const keyed of reachableCaches('keyed')) {
        for (const key of keys) work.push(keyed.delete(key));
      }
    }
  }
  await Promise.all(work.map(unlessClosed));
}

/** Nothing is served from a closed cache, so there is nothing to make invalid. */
async function unlessClosed(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ERR_ACACHE_CLOSED') throw error;
  }
}
