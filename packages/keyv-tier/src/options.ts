import {
  checkSerializer,
  describeValue,
  InvalidOptionError,
  toMilliseconds,
  type Duration,
  type Serializer,
} from '@acache/core';
import { valueSerializer } from '@acache/core/values';

export interface KeyvTierOptions {
  /**
   * What every key begins with, before a colon. Processes that share values share it.
   * @defaultValue `'acache'`
   */
  prefix?: string;
  /**
   * How long memory serves what came through the tier before it asks the store again, since nobody
   * tells of changes in other processes. Also how long it keeps what was loaded while the store was
   * away. `0`: memory serves nothing that came through the tier. Where one process alone uses the
   * store, there is nothing to hear of, and it may be as long as you like.
   * @defaultValue `'2s'`
   */
  staleness?: Duration;
  /**
   * How long a call waits for the store before it goes on without; 1 ms or more.
   * @defaultValue `100` milliseconds
   */
  commandTimeout?: Duration;
  /**
   * How long the store keeps an entry that has no ttl, and the stamp of a tag.
   * @defaultValue `'30d'`
   */
  maxTtl?: Duration;
  /**
   * Turns values into bytes and back.
   * @defaultValue `valueSerializer()` of `@acache/core/values`
   */
  serializer?: Serializer;
  /**
   * When to stop asking a store that does not answer: after so many failures in a row, until it
   * answers a probe, one every `openFor` at most, for which no caller waits.
   * @defaultValue `{ failures: 3, openFor: '1s' }`
   */
  breaker?: { failures?: number; openFor?: Duration };
}

/** The options with their defaults, in milliseconds. */
export interface Settings {
  readonly prefix: string;
  readonly staleness: number;
  readonly commandTimeout: number;
  readonly maxTtl: number;
  readonly serializer: Serializer;
  readonly failures: number;
  readonly openFor: number;
}

/** The longest timer that platforms keep to. */
const LONGEST = 2 ** 31 - 1;
/** Leaves room for a name, a key and what a store puts before them, in the 250 bytes of Memcached. */
const LONGEST_PREFIX = 48;

/** @throws InvalidOptionError for an option that cannot be meant */
export function resolveOptions(options: KeyvTierOptions = {}): Settings {
  checkObject(options, 'options');
  const { prefix = 'acache', serializer = valueSerializer(), breaker = {} } = options;
  const { staleness = '2s', commandTimeout = 100, maxTtl = '30d' } = options;
  checkObject(breaker, 'breaker');
  const { failures = 3, openFor = '1s' } = breaker;
  if (typeof prefix !== 'string' || !/^[!-~]+$/.test(prefix) || prefix.length > LONGEST_PREFIX) {
    throw new InvalidOptionError(
      `prefix must be 1 to ${LONGEST_PREFIX} letters, digits or signs of ASCII, got ${describeValue(prefix)}`,
    );
  }
  if (!(Number.isInteger(failures) && failures > 0)) {
    throw new InvalidOptionError(
      `breaker.failures must be a whole number above 0, got ${describeValue(failures)}`,
    );
  }
  return {
    prefix,
    staleness: duration(staleness, 'staleness', 0, LONGEST),
    commandTimeout: duration(commandTimeout, 'commandTimeout', 1, LONGEST),
    maxTtl: duration(maxTtl, 'maxTtl', 1, Number.MAX_SAFE_INTEGER),
    serializer: checkSerializer(serializer),
    failures,
    openFor: duration(openFor, 'breaker.openFor', 0, LONGEST),
  };
}

function checkObject(given: unknown, name: string): void {
  if (typeof given === 'object' && given !== null) return;
  throw new InvalidOptionError(`${name} must be an object, got ${describeValue(given)}`);
}

function duration(given: Duration, name: string, least: number, most: number): number {
  const ms = toMilliseconds(given, name);
  if (ms >= least && ms <= most) return ms;
  throw new InvalidOptionError(
    `${name} must be between ${least} ms and ${most} ms, got ${describeValue(given)}`,
  );
}
