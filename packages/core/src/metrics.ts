/** What a cache counted since it was made or cleared. Every number but `size` counts per caller or event. */
export interface CacheMetrics {
  /** Callers served from memory or tier, stale values included. */
  readonly hits: number;
  /** Callers who were not. `hits + misses` is the number of gets. */
  readonly misses: number;
  /** Live entries in memory. */
  readonly size: number;
  /** `hits / (hits + misses)`; 0 when both are 0. */
  readonly hitRate: number;
  /** Hits that were served a stale value. */
  readonly staleHits: number;
  /** Misses that waited for a load which another caller had begun. */
  readonly joined: number;
  /** Loads begun. */
  readonly loads: number;
  /** Loads that failed. */
  readonly loadErrors: number;
  /** Entries removed by the policy for room. */
  readonly evictions: number;
  /** Entries removed because their ttl and stale windows had passed. */
  readonly expirations: number;
  /** Hits that the tier answered. */
  readonly tierHits: number;
  /** Calls of the tier that failed or did not answer. */
  readonly tierErrors: number;
  /** Milliseconds that all settled loads took together. */
  readonly loadTimeMs: number;
}

/** The counters of one cache. */
export class Counters {
  hits = 0;
  misses = 0;
  staleHits = 0;
  joined = 0;
  loads = 0;
  loadErrors = 0;
  evictions = 0;
  expirations = 0;
  tierHits = 0;
  tierErrors = 0;
  loadTimeMs = 0;
  /** Grows with every reset: what began before counts no more. */
  epoch = 0;

  /** A load has ended that began in an epoch. */
  loadEnded(epoch: number, ms: number, failed = false): void {
    if (epoch !== this.epoch) return;
    this.loadTimeMs += ms;
    if (failed) this.loadErrors++;
  }

  snapshot(size: number): CacheMetrics {
    const { hits, misses, staleHits, joined, loads, loadErrors } = this;
    const { evictions, expirations, tierHits, tierErrors, loadTimeMs } = this;
    const hitRate = hits === 0 ? 0 : hits / (hits + misses);
    const perCaller = { hits, misses, size, hitRate, staleHits, joined, loads, loadErrors };
    return { ...perCaller, evictions, expirations, tierHits, tierErrors, loadTimeMs };
  }

  reset(): void {
    const epoch = this.epoch + 1;
    Object.assign(this, new Counters(), { epoch });
  }
}
