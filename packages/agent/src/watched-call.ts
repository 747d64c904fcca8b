/**
 * A call as loops are looked for in it. Each call is an object of its own: it is what the detector knows
 * it by until it has settled.
 */
export interface WatchedCall {
  /** The tool's name, as it is shown. */
  readonly tool: string;
  /**
   * The same for calls of one tool with equal arguments, and for no others. `undefined` where arguments
   * cannot be compared: such a call is no repeat and in no cycle.
   */
  readonly token: string | undefined;
  /** What the tool does. `unknown` may read or change anything. */
  readonly effect: 'read' | 'mutate' | 'unknown';
  /** What it reads or changes, as paths without placeholders: `cart:7`; `''` is everything. */
  readonly resources: readonly string[];
  /** Instead of `maxToolRepeats`. */
  readonly maxRepeats?: number;
  /** `loop: false` and polls: never a repeat, in a cycle or stagnant. */
  readonly exempt: boolean;
}

/** How a call ended. */
export interface CallOutcome {
  /**
   * `fresh`: the tool ran and succeeded; `cached`: it did not run; `failed`: it ran and failed; `left`: its
   * caller did not wait for it, so that nothing is learnt of the tool.
   */
  readonly status: 'fresh' | 'cached' | 'failed' | 'left';
  /** What it answered; looked at before `settle` returns, and not kept. */
  readonly value?: unknown;
}
