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
  /** What the cache's `weigh` said of it, where it has one. */
  readonly weight?: number;
}

/** When an entry was stored and how long it is good. */
export type EntryTimes = Omit<Entry, 'value' | 'tags' | 'weight'>;

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

/** Whether something that came over a port is an entry whose instants memory can rely on. */
export function isEntry(given: unknown): given is Entry {
  if (typeof given !== 'object' || given === null) return false;
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } =
    given as Partial<Entry>;
  return (
    createdAt !== Infinity &&
    isMilliseconds(createdAt) &&
    isMilliseconds(freshUntil) &&
    isMilliseconds(staleWhileRevalidate) &&
    isMilliseconds(staleIfError) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === 'string')
  );
}

function isMilliseconds(given: unknown): boolean {
  return typeof given === 'number' && given >= 0;
}

/**
 * The instants of an entry that another process stored, or an earlier one. What seems to come from
 * the future was stored by a clock that was ahead, and must not live longer for it.
 */
export function timesFromElsewhere(entry: EntryTimes, now: number): EntryTimes {
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError } = entry;
  const ahead = Math.max(0, createdAt - now);
  return {
    createdAt: createdAt - ahead,
    freshUntil: freshUntil - ahead,
    staleWhileRevalidate,
    staleIfError,
  };
}

/** When an entry is good for nothing any more. */
export function diesAt(times: EntryTimes): number {
  return times.freshUntil + Math.max(times.staleWhileRevalidate, times.staleIfError);
}
