import { idOf, type CacheMetrics, type KeyId, type ReadResult } from '@acache/core';

/** Counts the calls of one function in a cache that it shares with others. */
export class CallMetrics {
  #counts = zero();
  readonly #running = new Map<KeyId, number>();

  begin(key: unknown): CountedCall {
    return new CountedCall(this.#counts, this.#running, idOf(key));
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
  /** How many loads of a key run. */
  readonly #running: Map<KeyId, number>;
  readonly #id: KeyId;
  readonly #mayJoin: boolean;
  #loaded = false;

  constructor(counts: Counts, running: Map<KeyId, number>, id: KeyId) {
    this.#counts = counts;
    this.#running = running;
    this.#id = id;
    this.#mayJoin = running.has(id);
  }

  async load(call: () => unknown): Promise<unknown> {
    const counts = this.#counts;
    this.#loaded = true;
    counts.loads++;
    const startedAt = performance.now();
    this.#run(1);
    try {
      return await call();
    } catch (error) {
      counts.loadErrors++;
      throw error;
    } finally {
      this.#run(-1);
      counts.loadTimeMs += performance.now() - startedAt;
    }
  }

  async outcome<V>(reading: Promise<ReadResult<V>>): Promise<V> {
    const counts = this.#counts;
    let result: ReadResult<V>;
    try {
      result = await reading;
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code === 'ERR_ACACHE_CLOSED') throw error;
      counts.misses++;
      if (this.#mayJoin && !this.#loaded) counts.joined++;
      throw error;
    }
    const { source, status } = result;
    const isStale = status === 'stale' || status === 'error-stale';
    if (status === 'hit' || isStale) counts.hits++;
    else counts.misses++;
    if (isStale) counts.staleHits++;
    if (status === 'joined') counts.joined++;
    if (source === 'tier') counts.tierHits++;
    return result.value;
  }

  #run(change: number): void {
    const running = (this.#running.get(this.#id) ?? 0) + change;
    if (running > 0) this.#running.set(this.#id, running);
    else this.#running.delete(this.#id);
  }
}
