/**
 * A value with its absolute instants, as it crosses a port: whoever keeps it needs no option of the
 * cache to know how long. All instants are milliseconds since the epoch.
 */
export interface Entry<V = unknown> {
  readonly value: V;
  /** When it was stored. */
  readonly createdAt: number;
  /** Until when it is fresh; `Infinity` never expires. */
  readonly freshUntil: number;
  /** Milliseconds after `freshUntil` in which it is served while a refresh runs. */
  readonly staleWhileRevalidate: number;
  /** Milliseconds after `freshUntil` in which it is served when the loader fails or is too slow. */
  readonly staleIfError: number;
  readonly tags: readonly string[];
}

/** When an entry was stored and how long it is good. */
export type EntryTimes = Omit<Entry, 'value' | 'tags'>;

/**
 * What an entry is good for at an instant: `fresh` is served; `stale` is served while a refresh
 * runs; `fallback` is served only when the loader fails or is too slow; `dead` is not served.
 */
export type Freshness = 'fresh' | 'stale' | 'fallback' | 'dead';

/** The freshness of an entry at `now`. An instant belongs to what begins there. */
export function freshnessAt(
  now: number,
  freshUntil: number,
  staleWhileRevalidate: number,
  staleIfError: number,
): Freshness {
  if (now < freshUntil) return 'fresh';
  if (now < freshUntil + staleWhileRevalidate) return 'stale';
  return now < freshUntil + staleIfError ? 'fallback' : 'dead';
}

/** When an entry is good for nothing any more. */
export function diesAt(times: EntryTimes): number {
  return times.freshUntil + Math.max(times.staleWhileRevalidate, times.staleIfError);
}
