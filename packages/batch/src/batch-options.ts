import {
  describeValue,
  InvalidOptionError,
  systemClock,
  toMilliseconds,
  type Clock,
  type Duration,
} from '@acache/core';

/** When a batch goes: at the end of its window or when it is full, whichever is first. */
export interface BatchOptions {
  /**
   * How long a batch waits for more keys, from its first key on. `0`: until the promise callbacks of
   * this turn of the event loop are through, as `DataLoader` does it.
   * @defaultValue `5`, in milliseconds
   */
  window?: Duration;
  /**
   * How many keys a batch holds at most; with the last one it goes at once. `Infinity`: no bound.
   * @defaultValue `100`
   */
  maxBatchSize?: number;
  /** Where time comes from; tests hand in `fakeClock()`. */
  clock?: Clock;
}

/** Options of batches, checked and in milliseconds. */
export interface ResolvedBatchOptions {
  readonly window: number;
  readonly maxBatchSize: number;
  readonly clock: Clock;
}

/** The longest delay that the timers of the platforms keep to. */
const LONGEST_WINDOW = 2 ** 31 - 1;

/**
 * Checks the options of batches.
 *
 * @throws InvalidOptionError for one that cannot be meant
 */
export function resolveBatchOptions(options: BatchOptions = {}): ResolvedBatchOptions {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of batches must be an object, got ${describeValue(options)}`,
    );
  }
  const { window = 5, maxBatchSize = 100, clock = systemClock() } = options;
  if (typeof (clock as Partial<Clock> | null)?.setTimeout !== 'function') {
    throw new InvalidOptionError(`clock must be a Clock, got ${describeValue(clock)}`);
  }
  return { window: resolveWindow(window), maxBatchSize: resolveSize(maxBatchSize), clock };
}

/**
 * The milliseconds of a window.
 *
 * @throws InvalidOptionError for one that is no duration, or longer than a timer can be
 */
export function resolveWindow(window: Duration): number {
  const ms = toMilliseconds(window, 'window');
  if (ms <= LONGEST_WINDOW) return ms;
  throw new InvalidOptionError(`window must be at most ${LONGEST_WINDOW} ms, got ${window}`);
}

function resolveSize(maxBatchSize: number): number {
  if (maxBatchSize === Infinity) return maxBatchSize;
  if (Number.isInteger(maxBatchSize) && maxBatchSize >= 1) return maxBatchSize;
  throw new InvalidOptionError(
    `maxBatchSize must be a whole number of at least 1, or Infinity, got ${describeValue(maxBatchSize)}`,
  );
}
