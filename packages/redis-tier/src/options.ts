import { valueSerializer } from '@acache/core/values';
import {
  checkSerializer,
  describeValue,
  InvalidOptionError,
  toMilliseconds,
  type Duration,
  type Serializer,
} from '@acache/core';

/** How a process hears of what others change. */
export type Coherence = 'auto' | 'tracking' | 'pubsub' | 'none';

export interface RedisTierOptions {
  /**
   * What every key begins with, before a colon. Processes that share values share it. Braces are
   * allowed as the hash tag of a cluster only: `'{app}'`.
   * @defaultValue `'acache'`
   */
  prefix?: string;
  /**
   * How other processes' changes reach this memory.
   *
   * - `'tracking'`: Redis itself tells of every change, whoever made it, of expiry, eviction and flush
   * - `'pubsub'`: the processes tell each other; what other clients do is not seen
   * - `'none'`: nobody tells; memory serves what is at most `staleness` old
   * - `'auto'`: `'tracking'`, or `'pubsub'` where the server refuses that
   * @defaultValue `'auto'`
   */
  coherence?: Coherence;
  /**
   * How long memory goes on serving what came through the tier after the link fell silent, and how
   * long it keeps what was loaded while Redis was away. With `coherence: 'none'`, how long it keeps
   * anything. `0`: memory serves nothing that came through the tier, and there is no link.
   * @defaultValue `'2s'`
   */
  staleness?: Duration;
  /**
   * How long a call waits for Redis before it goes on without; 1 ms or more.
   * @defaultValue `100` milliseconds
   */
  commandTimeout?: Duration;
  /**
   * How long the load of a process that died or stopped keeps the others waiting; 10 ms or more.
   * Renewed while the loader runs.
   * @defaultValue `'5s'`
   */
  lockTtl?: Duration;
  /**
   * Values of more bytes than this are compressed; `false` compresses none.
   * @defaultValue `1024`
   */
  compressAbove?: number | false;
  /**
   * How long Redis keeps an entry that has no ttl, so that what `clear()` leaves behind is freed.
   * @defaultValue `'30d'`
   */
  maxTtl?: Duration;
  /**
   * Turns values into bytes and back.
   * @defaultValue `valueSerializer()` of `@acache/core/values`
   */
  serializer?: Serializer;
  /**
   * When to stop asking a Redis that does not answer: after so many failures in a row, until a probe
   * of the tier's own is answered, one every `openFor`.
   * @defaultValue `{ failures: 3, openFor: '1s' }`
   */
  breaker?: { failures?: number; openFor?: Duration };
}

/** The options with their defaults, in milliseconds. */
export interface Settings {
  readonly prefix: string;
  readonly coherence: Coherence;
  readonly staleness: number;
  readonly commandTimeout: number;
  readonly lockTtl: number;
  readonly compressAbove: number | false;
  readonly maxTtl: number;
  readonly serializer: Serializer;
  readonly failures: number;
  readonly openFor: number;
}

const COHERENCES: readonly unknown[] = ['auto', 'tracking', 'pubsub', 'none'];
/** The longest timer that platforms keep to. */
const LONGEST = 2 ** 31 - 1;

/** @throws InvalidOptionError for an option that cannot be meant */
export function resolveOptions(options: RedisTierOptions = {}): Settings {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(`options must be an object, got ${describeValue(options)}`);
  }
  const { prefix = 'acache', coherence = 'auto', compressAbove = 1024, breaker = {} } = options;
  const { staleness = '2s', commandTimeout = 100, lockTtl = '5s', maxTtl = '30d' } = options;
  const { serializer = valueSerializer() } = options;
  checkPrefix(prefix, 'prefix');
  if (!COHERENCES.includes(coherence)) {
    throw new InvalidOptionError(
      `coherence must be 'auto', 'tracking', 'pubsub' or 'none', got ${describeValue(coherence)}`,
    );
  }
  if (compressAbove !== false && !(Number.isInteger(compressAbove) && compressAbove >= 0)) {
    throw new InvalidOptionError(
      `compressAbove must be a number of bytes or false, got ${describeValue(compressAbove)}`,
    );
  }
  if (typeof breaker !== 'object' || (breaker as unknown) === null) {
    throw new InvalidOptionError(`breaker must be an object, got ${describeValue(breaker)}`);
  }
  const { failures = 3, openFor = '1s' } = breaker;
  if (!(Number.isInteger(failures) && failures > 0)) {
    throw new InvalidOptionError(
      `breaker.failures must be a whole number above 0, got ${describeValue(failures)}`,
    );
  }
  return {
    prefix,
    coherence,
    staleness: duration(staleness, 'staleness', 0),
    commandTimeout: duration(commandTimeout, 'commandTimeout', 1),
    lockTtl: duration(lockTtl, 'lockTtl', 10),
    compressAbove,
    maxTtl: toMaxTtl(maxTtl),
    serializer: checkSerializer(serializer),
    failures,
    openFor: duration(openFor, 'breaker.openFor', 0),
  };
}

/** @throws InvalidOptionError for a prefix that would let a key choose its slot */
export function checkPrefix(prefix: unknown, name: string): asserts prefix is string {
  const text = typeof prefix === 'string' ? prefix : '';
  if (text === '' || /\p{Surrogate}/u.test(text)) {
    throw new InvalidOptionError(`${name} must be a text, got ${describeValue(prefix)}`);
  }
  if (!/^(?:[^{}]|\{[^{}]+\})*$/.test(text)) {
    throw new InvalidOptionError(
      `${name} may hold braces as a hash tag such as '{app}' only, got ${describeValue(prefix)}`,
    );
  }
}

function duration(given: Duration, name: string, least: number): number {
  const ms = toMilliseconds(given, name);
  if (ms >= least && ms <= LONGEST) return ms;
  throw new InvalidOptionError(
    `${name} must be between ${least} ms and ${LONGEST} ms, got ${describeValue(given)}`,
  );
}

function toMaxTtl(given: Duration): number {
  const ms = toMilliseconds(given, 'maxTtl');
  if (ms >= 1 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  throw new InvalidOptionError(
    `maxTtl must be a finite duration above 0, got ${describeValue(given)}`,
  );
}
