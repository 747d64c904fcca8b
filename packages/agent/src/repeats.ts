import type { CallHistory } from './new-information.js';
import { RecentMap } from './recent-map.js';
import { shortText } from './short-text.js';

/** Calls that are remembered by their arguments, at least; twice as many at most. */
const MAX_CALLS = 512;

/** Identical calls, and how often they were made. */
export class RepeatedCall implements CallHistory {
  readonly id: number;
  answer: number | undefined = undefined;
  hasFailed = false;
  hasSucceeded = false;
  /** Calls so far. */
  calls = 0;
  /** When the last one was made. */
  calledAt = 0;
  /** Of reads, the one that runs, or ran last: others join it. */
  flight: { readonly isRunning: boolean; readonly at: number } | undefined = undefined;
  /** Those that do not count any more. */
  #forgiven = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Calls since the count last started. */
  get count(): number {
    return this.calls - this.#forgiven;
  }

  /** The call with this number, and those after it, are the first ones. */
  restartAt(call: number): void {
    this.#forgiven = Math.max(this.#forgiven, call - 1);
  }
}

/** The calls of a session by their tokens. */
export class RepeatedCalls {
  readonly #calls = new RecentMap<string, RepeatedCall>(MAX_CALLS);

  get size(): number {
    return this.#calls.size;
  }

  get(token: string): RepeatedCall | undefined {
    return this.#calls.get(shortText(token));
  }

  /** @param id - its number, should it be the first of its kind */
  getOrAdd(token: string, id: number): RepeatedCall {
    const key = shortText(token);
    let call = this.#calls.get(key);
    if (call === undefined) this.#calls.set(key, (call = new RepeatedCall(id)));
    return call;
  }

  clear(): void {
    this.#calls.clear();
  }
}
