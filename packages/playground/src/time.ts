import type { Clock } from '@acache/core';

/** Where the playground takes its time from, finer than a cache needs it. */
export interface Time {
  /** Milliseconds since some instant. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const wallTime: Time = {
  now: () => performance.now(),
  // What was being loaded when the playground closed must not keep the process.
  sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref()),
};

/** The time that a clock shows. */
export function timeOf(clock: Clock): Time {
  return {
    now: () => clock.now(),
    sleep: (ms) =>
      new Promise((resolve) => {
        clock.setTimeout(resolve, ms);
      }),
  };
}
