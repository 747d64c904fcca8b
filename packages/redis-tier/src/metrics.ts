/** What happened between a tier and Redis so far, over all caches on it. */
export interface RedisTierMetrics {
  /** True while every change elsewhere would be heard of. */
  readonly coherent: boolean;
  /** True while some server does not answer and is not asked. */
  readonly down: boolean;
  /** Times that Redis stopped answering. */
  readonly outages: number;
  /** Times that the links lost track of changes, and memory was dropped. */
  readonly resets: number;
  /** Keys that others changed. */
  readonly invalidations: number;
  /** Values that changed while they were read, and were read again. */
  readonly rereads: number;
  /** Loads that this process was given the right to. */
  readonly leases: number;
  /** Loads of other processes that were waited for. */
  readonly waits: number;
  /** Loads that were not stored, since something was invalidated meanwhile. */
  readonly refusals: number;
  /** Bytes found that are not ours, damaged or of a newer version. */
  readonly unreadable: number;
  /** Removals that Redis has not heard of yet. */
  readonly unsent: number;
}

/** The counting part of the metrics. */
export interface Counts {
  outages: number;
  resets: number;
  invalidations: number;
  rereads: number;
  leases: number;
  waits: number;
  refusals: number;
  unreadable: number;
}

export function newCounts(): Counts {
  return {
    outages: 0,
    resets: 0,
    invalidations: 0,
    rereads: 0,
    leases: 0,
    waits: 0,
    refusals: 0,
    unreadable: 0,
  };
}
