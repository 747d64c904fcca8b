import { settle } from '../../../tools/testing/deferred.js';

export { deferred, nextTurn, settle } from '../../../tools/testing/deferred.js';
export type { Deferred } from '../../../tools/testing/deferred.js';

/** What a promise has come to, without waiting for it. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'done' | 'failed'> {
  let state: 'pending' | 'done' | 'failed' = 'pending';
  promise.then(
    () => (state = 'done'),
    () => (state = 'failed'),
  );
  await settle();
  return state;
}
