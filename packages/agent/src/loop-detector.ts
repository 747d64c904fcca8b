import { Cycles, type Step } from './cycles.js';
import {
  cycleFinding,
  repeatFinding,
  stagnationFinding,
  stormFinding,
  type LoopFinding,
} from './loop-findings.js';
import { informationOf } from './new-information.js';
import { RepeatedCalls, type RepeatedCall } from './repeats.js';
import { ResourceChanges } from './resource-changes.js';
import { RetryStorms } from './retry-storms.js';
import { SeenAnswers } from './seen-answers.js';
import type { CallOutcome, WatchedCall } from './watched-call.js';

export { depthFinding, type LoopFinding } from './loop-findings.js';
export type { CallOutcome, WatchedCall } from './watched-call.js';

/** Whole numbers, or `Infinity` for none. */
export interface LoopLimits {
  /** Identical calls that may run. */
  readonly maxToolRepeats: number;
  /** Failures of one tool in a row that may happen. */
  readonly maxToolFailures: number;
  /** Calls in a row that may bring nothing new. */
  readonly maxStagnantCalls: number;
  /** The longest round of a cycle. @defaultValue `16` */
  readonly maxPeriod?: number;
  /** The round of a cycle at whose last call it is found, at least 2. @defaultValue `2` */
  readonly cycleRepeats?: number;
}

/**
 * Finds loops among the calls of one session, each at the call that would be one too many, before it runs.
 *
 * - **repeat**: identical calls, more than `maxToolRepeats` of them; hits and failures count. The count
 *   starts anew with a mutation between them that conflicts with their resources and differs from those
 *   before, and with a read that answers otherwise than the last time.
 * - **cycle**: the same 2 to 16 calls in the same order twice, when the second round brought nothing new,
 *   or when one of them is a mutation.
 * - **retry-storm**: `maxToolFailures` failures of one tool in a row, with whatever arguments.
 * - **no-progress**: `maxStagnantCalls` calls in a row that brought nothing new.
 *
 * What is new is said in one place, `informationOf`. Exempt calls are looked at for a retry storm only, and
 * the others are looked at as if they were not there. Whoever runs it asks `isJoining` first, then `admit`,
 * both in the turn the call is made in, and tells by `settle` how it ended. `docs/loop-detection.md` has
 * the rules at length.
 *
 * Takes constant time per call, one or two microseconds beside what it takes to look at an answer, which is
 * bounded as well. Holds at most 1024 calls, 1024 answers, 512 paths, 256 tools and 16 steps: 500 KB with
 * names of ordinary length. Keeps no arguments, answers or calls: one that never settles leaves nothing.
 */
export class LoopDetector {
  readonly #limits: LoopLimits;
  readonly #calls = new RepeatedCalls();
  readonly #changes = new ResourceChanges();
  readonly #cycleRepeats: number;
  readonly #cycles: Cycles;
  readonly #storms: RetryStorms;
  readonly #seen = new SeenAnswers();
  /** Replaced by `reset`, so that what was admitted before it settles unheard. */
  #admissions = new WeakMap<WatchedCall, Admission>();
  /** Counts what happens, so that it tells before from after. */
  #now = 0;
  #stagnantCalls = 0;
  /** When a call last brought something new. */
  #learnedAt = 0;

  constructor(limits: LoopLimits) {
    this.#limits = limits;
    this.#cycleRepeats = Math.max(2, limits.cycleRepeats ?? 2);
    this.#cycles = new Cycles(limits.maxPeriod ?? 16, this.#cycleRepeats);
    this.#storms = new RetryStorms(limits.maxToolFailures);
  }

  /**
   * Whether the same read runs already, and nothing it depends on was changed since that began: this call
   * waits for that one, and is neither admitted nor settled.
   */
  isJoining(call: WatchedCall): boolean {
    if (call.effect !== 'read' || call.token === undefined) return false;
    const flight = this.#calls.get(call.token)?.flight;
    return flight?.isRunning === true && this.#changes.lastTouch(call) < flight.at;
  }

  /**
   * Counts a call that is about to run.
   *
   * @returns the loop it would go on with. Such a call is taken not to run, unless `allow` or `settle`
   *   say otherwise
   */
  admit(call: WatchedCall): LoopFinding | undefined {
    const now = ++this.#now;
    const known = call.token === undefined ? undefined : this.#calls.getOrAdd(call.token, now);
    const admission = new Admission(call, known, now);
    this.#admissions.set(call, admission);
    // Each of the first two counts the call, whichever of them finds it.
    const repeat = this.#repeat(call, admission);
    const cycle = this.#cycle(call, admission);
    const finding = repeat ?? cycle ?? this.#storm(call, now) ?? this.#stagnation(call);
    if (finding === undefined) this.#begin(call, admission);
    return finding;
  }

  /** A call at which a loop was found runs all the same, so that others may join it. */
  allow(call: WatchedCall): void {
    const admission = this.#admissions.get(call);
    if (admission?.state === 'refused') this.#begin(call, admission);
  }

  /**
   * Learns how a call ended. Heard once for each call that was admitted, and not after a `reset`.
   *
   * @param outcome - its value is looked at now, by value and at bounded cost, and not kept
   */
  settle(call: WatchedCall, outcome: CallOutcome): void {
    const admission = this.#admissions.get(call);
    if (admission === undefined) return;
    this.#admissions.delete(call);
    const { known } = admission;
    const { changes, endsStagnation, restartsRepeats, sustainsCycle } = informationOf(
      call,
      outcome,
      known,
      this.#seen,
    );
    const now = ++this.#now;
    admission.state = 'settled';
    admission.sustainsCycle = sustainsCycle;
    if (restartsRepeats) known?.restartAt(admission.nth);
    if (call.effect === 'mutate') this.#changes.touch(call, now);
    const { status } = outcome;
    const succeeded = status === 'fresh' || status === 'cached';
    if (changes) this.#changes.change(call, admission.id, now, succeeded);
    if (status === 'failed') {
      this.#storms.fail(call.tool, admission.at, now, () => this.#changes.lastSuccess(call));
    } else if (status === 'fresh') {
      this.#storms.succeed(call.tool);
    }
    if (endsStagnation) {
      this.#stagnantCalls = 0;
      this.#learnedAt = now;
    } else if (!call.exempt && status !== 'left') {
      this.#stagnantCalls++;
    }
  }

  /** Forgets everything; calls that run settle unheard. */
  reset(): void {
    this.#admissions = new WeakMap();
    this.#calls.clear();
    this.#changes.clear();
    this.#cycles.clear();
    this.#storms.clear();
    this.#seen.clear();
    this.#stagnantCalls = 0;
    this.#learnedAt = 0;
  }

  #repeat(call: WatchedCall, admission: Admission): LoopFinding | undefined {
    const { known } = admission;
    if (known === undefined) return undefined;
    if (this.#changes.lastChange(call, known.id) > known.calledAt) known.restartAt(known.calls + 1);
    known.calls++;
    known.calledAt = admission.at;
    admission.nth = known.calls;
    const limit = call.maxRepeats ?? this.#limits.maxToolRepeats;
    if (call.exempt || known.count <= limit) return undefined;
    return repeatFinding(call.tool, known.count, limit);
  }

  #cycle(call: WatchedCall, admission: Admission): LoopFinding | undefined {
    const cycle = call.exempt ? undefined : this.#cycles.add(admission);
    return cycle && cycleFinding(call.tool, cycle.tools, cycle.rounds, this.#cycleRepeats);
  }

  #storm(call: WatchedCall, now: number): LoopFinding | undefined {
    const changedAt = (): number => this.#changes.lastSuccess(call);
    const failures = this.#storms.find(call.tool, now, changedAt, this.#learnedAt);
    if (failures === undefined) return undefined;
    return stormFinding(call.tool, failures, this.#limits.maxToolFailures);
  }

  #stagnation(call: WatchedCall): LoopFinding | undefined {
    const limit = this.#limits.maxStagnantCalls;
    const count = this.#stagnantCalls;
    if (call.exempt || count < limit) return undefined;
    // Only a call that runs can bring something new: the next ones may try.
    this.#stagnantCalls = 0;
    return stagnationFinding(call.tool, count, limit);
  }

  #begin(call: WatchedCall, admission: Admission): void {
    admission.state = 'running';
    if (call.effect === 'mutate') this.#changes.touch(call, admission.at);
    else if (call.effect === 'read' && admission.known) admission.known.flight = admission;
  }
}

/** One call, from when it was admitted; and what is left of it as a step of what may be a cycle. */
class Admission implements Step {
  readonly id: number;
  readonly tool: string;
  readonly mutates: boolean;
  readonly at: number;
  readonly known: RepeatedCall | undefined;
  /** Which of the identical calls it is. */
  nth = 0;
  state: 'refused' | 'running' | 'settled' = 'refused';
  sustainsCycle = false;

  constructor(call: WatchedCall, known: RepeatedCall | undefined, at: number) {
    // A call that cannot be compared is like no other.
    this.id = known?.id ?? at;
    this.tool = call.tool;
    this.mutates = call.effect === 'mutate';
    this.at = at;
    this.known = known;
  }

  get isRunning(): boolean {
    return this.state === 'running';
  }
}
