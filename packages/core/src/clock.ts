/**
 * A pending call of a {@link Clock}, as the platform has it. `unref`, where there is one, lets the
 * process end while the call is pending.
 */
export type ClockTimer = number | { unref?(): unknown };

/** Where the cache takes its time from. Tests hand in `fakeClock()` of `@acache/core/testing`. */
export interface Clock {
  /** Milliseconds since the epoch. Must never go backwards. */
  now(): number;
  /** Calls `callback` once, `ms` milliseconds from now. */
  setTimeout(callback: () => void, ms: number): ClockTimer;
  clearTimeout(timer: ClockTimer): void;
}

/**
 * The platform's clock: wall time that does not go backwards. Where the system's clock is set back,
 * it goes on from where it was, so that no entry lives longer for it.
 */
export function systemClock(): Clock {
  let last = 0;
  let ahead = 0;
  return {
    now() {
      let now = Date.now() + ahead;
      if (now < last) {
        ahead += last - now;
        now = last;
      }
      last = now;
      return now;
    },
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => {
      clearTimeout(timer as number);
    },
  };
}

/** The longest delay that `setTimeout` of the platforms keeps to; anything above fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;
