import { RecentMap } from './recent-map.js';
import { shortText } from './short-text.js';

const MAX_TOOLS = 128;

interface Streak {
  failures: number;
  /** When the last one of them failed. */
  failedAt: number;
  /** When a call of the tool was last stopped, or tried again after that; 0 is never. */
  stoppedAt: number;
}

/**
 * Counts the failures of each tool in a row, whatever its arguments.
 *
 * What ran at the same time failed once: a model that asks for ten pages while the network is down did not
 * try ten times. A success of the tool ends the row, and so does a change, with success, of what the
 * failing call depends on: then a test that fails is work. A hit says nothing about the tool.
 */
export class RetryStorms {
  readonly #limit: number;
  readonly #streaks = new RecentMap<string, Streak>(MAX_TOOLS);

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#streaks.size;
  }

  /**
   * Judges a call that is about to run.
   *
   * @param changedAt - when what the call depends on was last changed
   * @param learnedAt - when any call last brought something new. After a tool was stopped, each such time
   *   lets one call of it through, so that it can come back
   * @returns how many failures in a row there were, if it must not run
   */
  find(tool: string, now: number, changedAt: () => number, learnedAt: number): number | undefined {
    const streak = this.#streaks.get(shortText(tool));
    if (streak === undefined || streak.failures < this.#limit) return undefined;
    if (changedAt() > streak.failedAt) {
      restart(streak);
      return undefined;
    }
    const isTrial = streak.stoppedAt > 0 && learnedAt > streak.stoppedAt;
    if (isTrial || streak.stoppedAt === 0) streak.stoppedAt = now;
    return isTrial ? undefined : streak.failures;
  }

  /** @param admittedAt - when the call began */
  fail(tool: string, admittedAt: number, now: number, changedAt: () => number): void {
    const key = shortText(tool);
    let streak = this.#streaks.get(key);
    if (streak === undefined) {
      this.#streaks.set(key, (streak = { failures: 0, failedAt: 0, stoppedAt: 0 }));
    }
    if (admittedAt < streak.failedAt) return;
    if (changedAt() > streak.failedAt) restart(streak);
    streak.failures++;
    streak.failedAt = now;
  }

  succeed(tool: string): void {
    const streak = this.#streaks.get(shortText(tool));
    if (streak !== undefined) restart(streak);
  }

  clear(): void {
    this.#streaks.clear();
  }
}

function restart(streak: Streak): void {
  streak.failures = 0;
  streak.stoppedAt = 0;
}
