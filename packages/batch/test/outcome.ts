import { nextTurn } from '../../../tools/testing/deferred.js';

export { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';

/** What a promise has come to at the end of this turn: its value, `{ error }`, or `'pending'`. */
export async function outcomeOf(promise: PromiseLike<unknown>): Promise<unknown> {
  let outcome: unknown = 'pending';
  promise.then(
    (value) => (outcome = value),
    (error: unknown) => (outcome = { error }),
  );
  await nextTurn();
  return outcome;
}

/** What a promise rejects with. */
export async function errorOf(promise: PromiseLike<unknown>): Promise<Error & { code?: unknown }> {
  return promise.then(
    (value) => {
      throw new Error(`it resolved with ${String(value)}`);
    },
    (error: unknown) => error as Error & { code?: unknown },
  );
}

/** What a call throws at once. */
export function thrownBy(call: () => unknown): Error & { code?: unknown } {
  try {
    call();
  } catch (error) {
    return error as Error & { code?: unknown };
  }
  throw new Error('it threw nothing');
}
