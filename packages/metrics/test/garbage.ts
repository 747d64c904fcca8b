import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects what nothing refers to any more. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose_gc');
  const gc = runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round++) {
    // What a WeakRef was asked for stays until the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    gc();
  }
}
