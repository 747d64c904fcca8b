import type { EntryTimes } from './entry.js';

/**
 * Whether an entry is to be loaded anew behind its back.
 *
 * @param refreshAhead - the part of its ttl after which it is, from 0 to 1; 1 for not before its end
 */
export function refreshIsDue(times: EntryTimes, now: number, refreshAhead: number): boolean {
  const { createdAt, freshUntil } = times;
  if (now >= freshUntil) return true;
  if (refreshAhead === 1 || freshUntil === Infinity) return false;
  return now >= createdAt + (freshUntil - createdAt) * refreshAhead;
}
