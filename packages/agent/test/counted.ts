/** A function that counts how often it ran. */
export function counted<A extends unknown[], T>(fn: (...args: A) => T) {
  const run = (...args: A): T => {
    run.runs++;
    return fn(...args);
  };
  run.runs = 0;
  return run;
}

/** Calls one after the other. */
export async function times<T>(n: number, call: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < n; at++) results.push(await call());
  return results;
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was not rejected');
}
