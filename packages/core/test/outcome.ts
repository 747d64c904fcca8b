import { settle } from '../../../tools/testing/deferred.js';

export { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';

/** What a promise came to, without waiting for it. */
export async function outcomeOf<T>(promise: Promise<T>): Promise<unknown> {
  let outcome: unknown = 'pending';
  promise.then(
    (value) => (outcome = value),
    (error: unknown) => (outcome = { error }),
  );
  await settle();
  return outcome;
}
