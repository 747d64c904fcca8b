import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';

/** A span of time: a number of **milliseconds**, or a string with its unit. */
export type Duration =
  number | `${number}ms` | `${number}s` | `${number}m` | `${number}h` | `${number}d`;

/** How long a value is fresh; `null` never expires, `0` is not stored. */
export type Ttl = Duration | null;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const WITH_UNIT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * The milliseconds of a duration.
 *
 * @param name - what the duration is for, as the error names it
 * @throws InvalidOptionError when it is no duration, negative or NaN
 */
export function toMilliseconds(duration: Duration, name: string): number {
  if (typeof duration === 'number' && duration >= 0) return duration;
  const match = typeof duration === 'string' ? WITH_UNIT.exec(duration) : null;
  if (match === null) {
    throw new InvalidOptionError(
      `${name} must be a duration such as 5000 or '5s', got ${describeValue(duration)}`,
    );
  }
  return Number(match[1]) * (UNITS[match[2] as string] as number);
}

/**
 * The milliseconds of a ttl; `Infinity` for one that never ends.
 *
 * @throws InvalidOptionError when it is neither `null` nor a duration
 */
export function ttlToMilliseconds(ttl: Ttl, name = 'ttl'): number {
  return ttl === null ? Infinity : toMilliseconds(ttl, name);
}
