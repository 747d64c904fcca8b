/** How long calls took, in milliseconds, since it was asked last. */
export interface LatencyStatistics {
  readonly calls: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

/** More samples than this tell nothing more. */
const MOST = 5000;

/** Gathers how long calls took. Past a bound it keeps a random choice of them. */
export class Latencies {
  #samples: number[] = [];
  #calls = 0;
  #max = 0;

  note(ms: number): void {
    this.#calls++;
    this.#max = Math.max(this.#max, ms);
    if (this.#samples.length < MOST) this.#samples.push(ms);
    else {
      const at = Math.floor(Math.random() * this.#calls);
      if (at < MOST) this.#samples[at] = ms;
    }
  }

  /** What was gathered, which begins anew. */
  take(): LatencyStatistics | null {
    if (this.#calls === 0) return null;
    const sorted = this.#samples.sort((one, other) => one - other);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
    const statistics = { calls: this.#calls, p50: at(0.5), p95: at(0.95), max: this.#max };
    this.#samples = [];
    this.#calls = 0;
    this.#max = 0;
    return statistics;
  }
}
