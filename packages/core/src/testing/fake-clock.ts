import type { Clock } from '../clock.js';

/** Turns of the promise queue that `advance` lets pass, so that what follows a timer has happened. */
const TURNS = 64;

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms` milliseconds, and calls what falls due on the way, in order. Time has moved
   * when it returns; the promise resolves once what follows from it has happened too.
   */
  advance(ms: number): Promise<void>;
  /** How many timers are pending. */
  readonly pending: number;
}

interface FakeTimer {
  unref(): FakeTimer;
  readonly at: number;
  readonly callback: () => void;
}

/**
 * Makes a clock for tests: `new AsyncCache({ clock: fakeClock() })`.
 *
 * @param start - what it shows at first, in milliseconds since the epoch
 */
export function fakeClock(start = 1_700_000_000_000): FakeClock {
  let now = start;

  const timers = new Set<FakeTimer>();

  const runUntil = (end: number): void => {
    for (let next = earliest(timers, end); next !== undefined; next = earliest(timers, end)) {
      timers.delete(next);
      now = Math.max(now, next.at);
      next.callback();
    }
    now = Math.max(now, end);
  };

  return {
    now: () => now,
    setTimeout(callback, ms) {
      const timer: FakeTimer = {
        at: now + Math.max(0, ms),
        callback,
        unref: () => timer,
      };
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers.delete(timer as FakeTimer);
    },
    async advance(ms) {
      const end = now + ms;
      runUntil(end);
      for (let turn = 0; turn < TURNS; turn++) {
        await Promise.resolve();
        runUntil(Math.max(now, end));
      }
    },
    get pending() {
      return timers.size;
    },
  };
}

/** The timer that is due first, up to `end`; of two at one instant the one that was set first. */
function earliest(timers: ReadonlySet<FakeTimer>, end: number): FakeTimer | undefined {
  let first: FakeTimer | undefined;
  for (const timer of timers) {
    if (timer.at > end) continue;
    if (first === undefined || timer.at < first.at) first = timer;
  }
  return first;
}
