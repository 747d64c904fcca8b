import type { EntryTimes } from './entry.js';

/**
 * How a read was answered: `hit`, fresh from memory or tier; `stale`, behind it a refresh; `miss`,
 * by a load of its own; `joined`, by the load of another caller; `error-stale`, by a stale value
 * because the loader failed or was too slow.
 */
export type ReadStatus = 'hit' | 'stale' | 'miss' | 'joined' | 'error-stale';

/** A value and where it came from. */
export interface ReadResult<V> {
  readonly value: V;
  readonly status: ReadStatus;
  /** `undefined` when there was nothing and no loader. */
  readonly source: 'memory' | 'tier' | 'loader' | undefined;
  /** Milliseconds since the value was stored. */
  readonly age: number;
  /** Milliseconds for which it stays fresh, 0 when it is not; `null` for one that never expires. */
  readonly ttlLeft: number | null;
}

/** A result whose value is as old as its times say; without times it was not stored. */
export function readResult<V>(
  value: V,
  status: ReadStatus,
  source: ReadResult<V>['source'],
  now: number,
  times: EntryTimes | undefined,
): ReadResult<V> {
  if (times === undefined) return { value, status, source, age: 0, ttlLeft: 0 };
  const { createdAt, freshUntil } = times;
  return {
    value,
    status,
    source,
    age: Math.max(0, now - createdAt),
    ttlLeft: freshUntil === Infinity ? null : Math.max(0, freshUntil - now),
  };
}
