import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from './interleave.mjs';

const WARM_UPS = 10;

/** Bytes of what could be shared with other threads: `process.memoryUsage` leaves them out. */
let sharedBytes = 0;
const collected = new FinalizationRegistry((/** @type {number} */ bytes) => (sharedBytes -= bytes));
globalThis.SharedArrayBuffer = new Proxy(SharedArrayBuffer, {
  construct(Original, [length]) {
    const buffer = new Original(length);
    sharedBytes += length;
    collected.register(buffer, length);
    return buffer;
  },
});

/** Bytes in use after garbage collection: the heap, and what typed arrays hold outside it. */
export async function settledBytes() {
  for (let i = 0; i < 3; i++) {
    await sleep(20); // buffers found dead are freed behind the collection, not in it
    collectGarbage();
  }
  return usedBytes();
}

/** Bytes in use now, garbage included. */
export function usedBytes() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external + sharedBytes;
}

/** Node's flags for a young generation that no round of `allocatedBytes` fills. */
export const ROOMY = ['--min-semi-space-size=256', '--max-semi-space-size=256'];

/**
 * The bytes that `run` allocates, garbage and what stays, in every round after warming up.
 *
 * @template T
 * @param {object} side
 * @param {() => T} side.prepare not counted
 * @param {(prepared: T) => Promise<unknown>} side.run
 * @param {(prepared: T) => unknown} [side.dispose] not counted
 */
export async function allocatedBytes({ prepare, run, dispose }) {
  let collections = 0;
  new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({
    type: 'gc',
  });
  const samples = [];
  for (let round = 0; round < WARM_UPS + 5; round++) {
    const prepared = prepare();
    collectGarbage();
    await sleep(1);
    collections = 0;
    const before = usedBytes();
    await run(prepared);
    const after = usedBytes();
    await sleep(1);
    if (collections === 0 && round >= WARM_UPS) samples.push(after - before);
    dispose?.(prepared);
  }
  if (samples.length === 0) throw new Error('garbage was collected in every round');
  return samples;
}
