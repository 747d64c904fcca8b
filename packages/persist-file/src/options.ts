import { valueSerializer } from '@acache/core/values';
import {
  checkSerializer,
  describeValue,
  InvalidOptionError,
  toMilliseconds,
  type Duration,
  type Serializer,
} from '@acache/core';
import { DEFAULT_TIMINGS, type LockTimings } from './silence.js';

export interface FilePersistenceOptions {
  /**
   * How long a change may wait in memory before it is written; what a crash costs at most.
   * @defaultValue `200` milliseconds
   */
  flushInterval?: Duration;
  /**
   * How long what was written may wait before the system is told to bring it to the disk; what a
   * power cut costs at most, beyond `flushInterval`. `0`: with every write. `false`: the system
   * decides, and `flush()` does not wait for the disk either.
   * @defaultValue `'1s'`
   */
  fsyncInterval?: Duration | false;
  /**
   * Turns values into bytes and back.
   * @defaultValue `valueSerializer()` of `@acache/core/values`
   */
  serializer?: Serializer;
  /**
   * The file is never larger than so many bytes; when it would be, what was used least recently is no
   * longer kept in it. 16,384 or more. While the file is rewritten, a second one of at most this size
   * stands beside it.
   * @defaultValue `Infinity` - as large as what memory holds makes it
   */
  maxBytes?: number;
  /**
   * Told everything that goes wrong, as the cache's `error` event is; what it throws is ignored.
   */
  onError?: (error: Error) => void;
}

/** The options with their defaults, in milliseconds. */
export interface Settings {
  readonly flushInterval: number;
  readonly fsyncInterval: number | false;
  readonly serializer: Serializer;
  readonly maxBytes: number;
  readonly onError: ((error: Error) => void) | undefined;
  /** A smaller file is not rewritten for the garbage in it, in bytes. Tests make it small. */
  readonly leastToCompact: number;
  /** How an owner is judged that cannot be seen from here. Tests make it short. */
  readonly lockTimings: LockTimings;
}

/** Below it, the fixed part of the file would leave no room for entries. */
const LEAST_BYTES = 16_384;
const LEAST_TO_COMPACT = 4 * 1024 * 1024;
/** The longest timer that platforms keep to. */
const LONGEST = 2 ** 31 - 1;

/** @throws InvalidOptionError for an option that cannot be meant */
export function resolveOptions(options: FilePersistenceOptions = {}): Settings {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(`options must be an object, got ${describeValue(options)}`);
  }
  const { flushInterval = 200, fsyncInterval = '1s', maxBytes = Infinity, onError } = options;
  const { serializer = valueSerializer() } = options;
  if (maxBytes !== Infinity && !(Number.isInteger(maxBytes) && maxBytes >= LEAST_BYTES)) {
    throw new InvalidOptionError(
      `maxBytes must be a whole number of ${LEAST_BYTES} or more, got ${describeValue(maxBytes)}`,
    );
  }
  if (onError !== undefined && typeof onError !== 'function') {
    throw new InvalidOptionError(`onError must be a function, got ${describeValue(onError)}`);
  }
  return {
    flushInterval: interval(flushInterval, 'flushInterval'),
    fsyncInterval: fsyncInterval === false ? false : interval(fsyncInterval, 'fsyncInterval'),
    serializer: checkSerializer(serializer),
    maxBytes,
    onError,
    leastToCompact: LEAST_TO_COMPACT,
    lockTimings: DEFAULT_TIMINGS,
  };
}

/** @throws InvalidOptionError for what no file can be called */
export function checkPath(path: unknown): asserts path is string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw new InvalidOptionError(`path must be the name of a file, got ${describeValue(path)}`);
}

function interval(given: Duration, name: string): number {
  const ms = toMilliseconds(given, name);
  if (ms <= LONGEST) return ms;
  throw new InvalidOptionError(
    `${name} must be at most ${LONGEST} ms, got ${describeValue(given)}`,
  );
}
