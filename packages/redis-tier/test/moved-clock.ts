import { systemClock, type Clock } from '@acache/core';

/** The clock of a machine that is ahead, by as many milliseconds as a test says at any time. */
export interface MovedClock extends Clock {
  ahead: number;
}

/** The system's clock, moved. Its timers are the system's: what waits for one waits on. */
export function movedClock(ahead = 0): MovedClock {
  const clock: MovedClock = { ...systemClock(), ahead, now: () => Date.now() + clock.ahead };
  return clock;
}
