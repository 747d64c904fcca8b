import { diesAt, type EntryTimes } from '@acache/core';

/** What Redis takes as an expiry, with room to add the time of day. */
const LONGEST = 1e14;

/**
 * How long Redis keeps an entry, in whole milliseconds: until it is good for nothing any more; below
 * 1 for one that already is.
 *
 * @param maxTtl - for what never expires, so that what `clear` leaves behind is freed
 */
export function lifeOf(times: EntryTimes, now: number, maxTtl: number): number {
  const left = diesAt(times) - now;
  return Math.min(Math.ceil(left === Infinity ? maxTtl : left), LONGEST);
}
