/**
 * What is wrong with a call: it was made too often (`repeat`), ends the second round of a `cycle`, follows
 * on calls that brought nothing new (`no-progress`) or on failures of the same tool (`retry-storm`), or is
 * one too many in all (`depth`).
 */
export type LoopKind = 'repeat' | 'cycle' | 'no-progress' | 'retry-storm' | 'depth';

/**
 * What is done about a loop: refuse the call and halt the session, run it all the same, answer with an
 * earlier outcome, or answer with a text that tells the model what it repeats.
 */
export type LoopAction = 'throw' | 'warn' | 'short-circuit' | 'steer';

/** A loop that was found at a call, before that runs. None of it holds arguments or results. */
export interface LoopInfo {
  readonly kind: LoopKind;
  /** The tool of the call it was found at. */
  readonly tool: string;
  /** Of a cycle, the tools of one round in order; else the tool alone. */
  readonly tools: readonly string[];
  /**
   * How far it went. Identical calls (`repeat`) or calls in all (`depth`), the one it was found at
   * included; rounds, that one's included (`cycle`); calls before it (`no-progress`); failures
   * (`retry-storm`).
   */
  readonly count: number;
  /** How far it may go: a `repeat` or `depth` is more than that, the others are found once they are there. */
  readonly limit: number;
  readonly sessionId: string;
  /** Of a cycle, how many calls a round has. */
  readonly period?: number;
  /** For people: `Cycle detected: check_stock -> update_stock`. */
  readonly message: string;
  /** For a model: what it repeats, that the call was not run, and to do otherwise. */
  readonly modelMessage: string;
}
