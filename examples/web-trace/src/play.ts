import { setImmediate } from 'node:timers/promises';

/** How a run went, as those saw it who asked. */
export interface Played {
  /** How long each request waited, in milliseconds, in order of the trace. */
  readonly latencies: Float64Array;
  readonly wallMs: number;
}

export interface PlayOptions {
  /** How many requests are in flight at once. */
  concurrency: number;
  onProgress?: (done: number) => void;
}

/** After so many requests timers, signals and the progress bar get their turn: hits alone never leave the microtasks. */
const breath = 256;

/** Asks for every key in order, `concurrency` of them at a time. */
export async function play(
  requests: readonly string[],
  ask: (key: string) => Promise<unknown>,
  { concurrency, onProgress }: PlayOptions,
): Promise<Played> {
  const latencies = new Float64Array(requests.length);
  const queue = requests.entries();
  let done = 0;
  let failed = false;

  async function visitor(): Promise<void> {
    try {
      for (const [index, key] of queue) {
        if (failed) return;
        const asked = performance.now();
        await ask(key);
        latencies[index] = performance.now() - asked;
        if (++done % breath === 0) {
          onProgress?.(done);
          await setImmediate();
        }
      }
    } catch (error) {
      failed = true; // The others stop after the request they are in.
      throw error;
    }
  }

  const start = performance.now();
  const length = Math.min(concurrency, requests.length);
  const visitors = await Promise.allSettled(Array.from({ length }, visitor));
  const wallMs = performance.now() - start;

  for (const each of visitors) if (each.status === 'rejected') throw each.reason;
  onProgress?.(done);
  return { latencies, wallMs };
}

/** The latency that the given share of the requests stayed within. */
export function percentile(latencies: Float64Array, share: number): number {
  const sorted = latencies.toSorted();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}
