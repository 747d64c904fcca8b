import type { CacheMetrics, ReadResult } from '@acache/core';

/** Counts the calls of one function in a cache that it shares with others. */
export class CallMetrics {
  #counts = zero();

  begin(): CountedCall {
    return new CountedCall(this.#counts);
  }

  reset(): void {
    this.#counts = zero();
  }

  /** @param cache - of the whole cache, for what cannot be told apart: size, evictions, expirations, tier errors */
  snapshot(cache: CacheMetrics): CacheMetrics {
    const { hits, misses } = this.#counts;
    return { ...cache, ...this.#counts, hitRate: hits === 0 ? 0 : hits / (hits + misses) };
  }
}

type Counts = ReturnType<typeof zero>;

function zero() {
  return {
    hits: 0,
    misses: 0,
    staleHits: 0,
    joined: 0,
    loads: 0,
    loadErrors: 0,
    loadTimeMs: 0,
    tierHits: 0,
  };
}

/** One call, counted as the cache counts it. */
class CountedCall {
  readonly #counts: Counts;
  #loaded = false;

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  async load(call: () => unknown): Promise<unknown> {
    this.#loaded = true;
    this.#counts.loads++;
    const startedAt = performance.now();
    try {
      return await call();
    } catch (error) {
      this.#counts.loadErrors++;
      throw error;
    } finally {
      this.#counts.loadTimeMs += performance.now() - startedAt;
    }
  }

  async outcome<V>(reading: Promise<ReadResult<V>>): Promise<V> {
    const counts = this.#counts;
    let result: ReadResult<V>;
    try {
      result = await reading;
    } catch (error) {
      counts.misses++;
      if (!this.#loaded) counts.joined++;
      throw error;
    }
    const { source, status } = result;
    if (status === 'hit' || status === 'stale') counts.hits++;
    else counts.misses++;
    if (status === 'stale') counts.staleHits++;
    if (status === 'joined') counts.joined++;
    if (source === 'tier') counts.tierHits++;
    return result.value;
  }
}
