import type { Entry } from './entry.js';

/** What a store is told to keep. */
export interface StoredEntry<K, V> extends Entry<V> {
  readonly key: K;
  readonly weight: number;
}

/**
 * What stands behind an entry in memory: nothing but this process; the tier, so that it is served
 * only while the tier vouches for memory; or an earlier process, while a tier has not confirmed it.
 */
export type Backing = 'local' | 'tier' | 'restored';
export const BACKINGS: readonly Backing[] = ['local', 'tier', 'restored'];

/** An entry that memory may keep for `ttl` milliseconds at most, since no tier stands behind it. */
export function brief<K, V>(
  entry: StoredEntry<K, V>,
  ttl: number,
  now = entry.createdAt,
): StoredEntry<K, V> {
  const end = now + ttl;
  const freshUntil = Math.min(entry.freshUntil, end);
  const withinEnd = (window: number): number => Math.max(0, Math.min(window, end - freshUntil));
  return {
    ...entry,
    freshUntil,
    staleWhileRevalidate: withinEnd(entry.staleWhileRevalidate),
    staleIfError: withinEnd(entry.staleIfError),
  };
}
