/** What happened between a tier and its store so far, over all caches on it. */
export interface KeyvTierMetrics {
  /** True while the store does not answer and is not asked. */
  readonly down: boolean;
  /** Times that the store stopped answering. */
  readonly outages: number;
  /** Loads that were not stored, since something was invalidated meanwhile. */
  readonly refusals: number;
  /** Values found that are not ours, damaged or of a newer version. */
  readonly unreadable: number;
  /** Changes that the store has not taken yet. */
  readonly unsent: number;
}

/** The counting part of the metrics. */
export interface Counts {
  outages: number;
  refusals: number;
  unreadable: number;
}
