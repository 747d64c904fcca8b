import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from './interleave.mjs';

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
  return heapUsed + external;
}
