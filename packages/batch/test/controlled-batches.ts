import { deferred, type Deferred } from './deferred.js';

/** A batch that was sent and that the test settles. */
export interface ControlledBatch<K, R> extends Deferred<R> {
  readonly keys: readonly K[];
}

export interface ControlledBatches<K, R> {
  /** In the order in which they were sent. */
  readonly sent: ControlledBatch<K, R>[];
  /** The keys of each batch that was sent. */
  readonly keys: readonly (readonly K[])[];
  /** The batch function. It names one parameter. */
  readonly load: (keys: readonly K[]) => Promise<R>;
}

/** A batch function that notes what it is asked for and leaves the outcome to the test. */
export function controlledBatches<K, R = readonly unknown[]>(): ControlledBatches<K, R> {
  const sent: ControlledBatch<K, R>[] = [];
  const keysSent: (readonly K[])[] = [];
  return {
    sent,
    keys: keysSent,
    load: (keys) => {
      const batch = { keys: [...keys], ...deferred<R>() };
      sent.push(batch);
      keysSent.push(batch.keys);
      return batch.promise;
    },
  };
}
