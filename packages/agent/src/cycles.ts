/** A call as a step of what may be a cycle. */
export interface Step {
  /** The same for identical calls. */
  readonly id: number;
  readonly tool: string;
  readonly mutates: boolean;
  /** Whether the call runs still, so that what it will bring is not known. */
  readonly isRunning: boolean;
  /** Whether it brought something new. */
  readonly sustainsCycle: boolean;
}

export interface Cycle {
  /** Tools of one round, beginning where the cycle began. */
  readonly tools: readonly string[];
  /** Rounds so far; the one that this call is in counts. */
  readonly rounds: number;
}

/**
 * Finds rounds of the same calls, of any period from 2 to `maxPeriod`, at the call that completes the last
 * round it needs, and from then on at every call that goes on with them.
 *
 * A call is compared with the one `p` steps before it, for each period p: so many comparisons per call, and
 * the last `maxPeriod` steps are all that is remembered. `matches[p]` says how many calls in a row were
 * equal to the one p steps before; r rounds are complete exactly when that is `(r - 1) * p`.
 */
export class Cycles {
  readonly #maxPeriod: number;
  readonly #minRounds: number;
  readonly #steps: (Step | undefined)[];
  readonly #matches: number[];
  #length = 0;

  constructor(maxPeriod: number, minRounds: number) {
    this.#maxPeriod = maxPeriod;
    this.#minRounds = minRounds;
    // The step itself, and as many before it.
    this.#steps = new Array<Step | undefined>(maxPeriod + 1).fill(undefined);
    this.#matches = new Array<number>(maxPeriod + 1).fill(0);
  }

  /** Adds a call that is about to run. */
  add(step: Step): Cycle | undefined {
    this.#steps[this.#length % this.#steps.length] = step;
    this.#length++;
    let found: Cycle | undefined;
    for (let period = 1; period <= this.#maxPeriod; period++) {
      const isMatch = this.#back(period)?.id === step.id;
      const matches = isMatch ? (this.#matches[period] as number) + 1 : 0;
      this.#matches[period] = matches;
      if (found === undefined && matches > 0) found = this.#cycleOf(period, matches);
    }
    return found;
  }

  clear(): void {
    this.#steps.fill(undefined);
    this.#matches.fill(0);
    this.#length = 0;
  }

  #cycleOf(period: number, matches: number): Cycle | undefined {
    const needed = (this.#minRounds - 1) * period;
    if (matches < needed) return undefined;
    // The same call over and over is a repeat, which has a limit of its own.
    if ((this.#matches[1] as number) + 1 >= period) return undefined;
    if (!this.#repeatsMutation(period)) {
      // The first time only the calls of this round count; then as many as a round has.
      const completed = matches === needed ? period - 1 : period;
      if (this.#mayBringSomething(completed)) return undefined;
    }
    return { tools: this.#toolsOf(period, matches), rounds: Math.floor(matches / period) + 1 };
  }

  /** Both rounds are equal: a mutation in this one was in the one before. */
  #repeatsMutation(period: number): boolean {
    for (let back = 0; back < period; back++) if (this.#back(back)?.mutates === true) return true;
    return false;
  }

  #mayBringSomething(calls: number): boolean {
    for (let back = 1; back <= calls; back++) {
      const step = this.#back(back);
      if (step?.sustainsCycle === true || step?.isRunning === true) return true;
    }
    return false;
  }

  #toolsOf(period: number, matches: number): string[] {
    const tools: string[] = [];
    const intoRound = matches % period;
    for (let at = 0; at < period; at++) {
      const back = (intoRound - at - 1 + 2 * period) % period;
      tools.push(this.#back(back)?.tool ?? '');
    }
    return tools;
  }

  /** The step so many calls ago; 0 is the last one. */
  #back(calls: number): Step | undefined {
    if (calls >= this.#length) return undefined;
    return this.#steps[(this.#length - 1 - calls) % this.#steps.length];
  }
}
