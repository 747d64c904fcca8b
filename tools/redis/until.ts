import { performance } from 'node:perf_hooks';
// Not the globals: a test that fakes time must not stop the harness.
import { setTimeout as sleep } from 'node:timers/promises';

/** How long anything here may take before it counts as failed. Far beyond what it takes: the machine may be busy. */
export const patienceMs = 15_000;

/**
 * Asks again and again until the answer is something other than `undefined` and `false`.
 * @param what is missing meanwhile, for the error: `'the replica to follow'`
 * @throws when it takes longer than `withinMs`, with what `ask` threw last as the cause
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  withinMs = patienceMs,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(5);
  } while (performance.now() < end);
  throw new Error(`waited ${withinMs} ms for ${what}`, { cause });
}

/** Waits for a promise that is settled by somebody else, and keeps the process alive meanwhile. */
export async function within<T>(what: string, promise: Promise<T>, ms = patienceMs): Promise<T> {
  const timer = new AbortController();
  const late = async (): Promise<never> => {
    await sleep(ms, undefined, { signal: timer.signal });
    throw new Error(`waited ${ms} ms for ${what}`);
  };
  try {
    return await Promise.race([promise, late()]);
  } finally {
    timer.abort();
  }
}
