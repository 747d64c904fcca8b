import type { LoopInfo } from './loop-info.js';
import type { ToolEffect } from './tool-policy.js';

/** A call of a tool, as observers see it. */
export interface ObservedCall {
  readonly tool: string;
  readonly effect: ToolEffect;
  readonly scope: 'session' | 'global';
  /** `undefined` for a call without a session. */
  readonly sessionId: string | undefined;
  /** What the SDK calls this call, where it does. */
  readonly callId: string | undefined;
  /** What the tool was given. Not to be shown unless the user asked for it. */
  readonly args: readonly unknown[];
}

/**
 * How a call was answered: a read from the cache (`hit`, or `stale` while a refresh runs), by its tool
 * (`miss`) or by that of another caller (`joined`); anything that is not cached by its tool (`bypass`);
 * a loop by an earlier outcome (`short-circuit`), a text (`steer`), or not at all (`refused`).
 */
export type CallStatus =
  'hit' | 'stale' | 'miss' | 'joined' | 'bypass' | 'short-circuit' | 'steer' | 'refused';

/** How a call ended. */
export interface CallOutcome {
  readonly status: CallStatus;
  /** What was answered; `undefined` where it failed. */
  readonly value?: unknown;
  /** What it failed with; it may be anything that was thrown, so look at `failed`. */
  readonly error?: unknown;
  /** True when it threw, or when `isError` said so of its result. */
  readonly failed: boolean;
  /** Set when a loop was found at this call. */
  readonly loop: LoopInfo | undefined;
  /** Milliseconds since it began. */
  readonly duration: number;
}

/** Watches the calls of a runtime. What it throws is reported, and has no part in a call. */
export interface AgentObserver {
  /** Is told of a call that begins, within the context of its caller. */
  began?(call: ObservedCall): CallObservation | undefined;
  /** Is told that a mutation or `invalidate` made resources invalid. */
  invalidated?(resources: readonly string[], tool: string | undefined): void;
}

/** What an observer has to do with one call. */
export interface CallObservation {
  /** Runs the tool, each step of a stream, in a context of its own: calls `work` once, at once. */
  run?<T>(work: () => T): T;
  ended?(outcome: CallOutcome): void;
}

/** One call and all who observe it. */
export class ObservedRun {
  readonly #observations: readonly CallObservation[];
  readonly #began = performance.now();
  readonly #report: (error: unknown) => void;

  constructor(
    observers: readonly AgentObserver[],
    call: ObservedCall,
    report: (error: unknown) => void,
  ) {
    this.#report = report;
    this.#observations = observers.flatMap(
      (observer) => this.#unlessItThrows(() => observer.began?.(call)) ?? [],
    );
  }

  run<T>(work: () => T): T {
    return this.#observations.reduceRight<() => T>(
      (inner, observation) => () => this.#runIn(observation, inner),
      work,
    )();
  }

  ended(outcome: Omit<CallOutcome, 'duration'>): void {
    const duration = performance.now() - this.#began;
    for (const observation of this.#observations) {
      this.#unlessItThrows(() => observation.ended?.({ ...outcome, duration }));
    }
  }

  #runIn<T>(observation: CallObservation, work: () => T): T {
    if (observation.run === undefined) return work();
    const tool = { hasBegun: false };
    try {
      return observation.run(() => {
        tool.hasBegun = true;
        return work();
      });
    } catch (error) {
      // What the tool throws passes through.
      if (tool.hasBegun) throw error;
      this.#report(error);
      return work();
    }
  }

  #unlessItThrows<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }
}
