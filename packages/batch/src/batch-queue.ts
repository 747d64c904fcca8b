import {
  alignBatch,
  callBatch,
  idOf,
  snapshotKey,
  type BatchFunction,
  type BatchWaiter,
  type ClockTimer,
  type KeyId,
} from '@acache/core';
import { afterPromises } from './after-promises.js';
import { Batch } from './batch.js';
import type { ResolvedBatchOptions } from './batch-options.js';

/** A batch that still takes keys. */
interface OpenBatch<K, V> {
  readonly batch: Batch<K, V>;
  timer: ClockTimer | undefined;
}

/** Gathers the keys that are asked of one batch function, and sends them when it is time. */
export class BatchQueue<K, V> {
  readonly #load: BatchFunction<K, V>;
  readonly #options: ResolvedBatchOptions;
  #open: OpenBatch<K, V> | undefined;

  constructor(load: BatchFunction<K, V>, options: ResolvedBatchOptions) {
    this.#load = load;
    this.#options = options;
  }

  /**
   * Loads a key with the next batch. Keys are one as in a cache: primitives by identity, objects by value.
   *
   * @param context - of the load, or whatever else a loader was called with
   */
  load(given: K, context: unknown): Promise<V> {
    let id: KeyId;
    try {
      id = idOf(given);
    } catch (error) {
      return Promise.reject(error);
    }
    const waiter = isWaiter(context) ? context : undefined;
    const open = (this.#open ??= this.#begin());
    const { batch } = open;
    const promise = batch.addOnce(id, () => snapshotKey(given), waiter);
    if (batch.keys.length >= this.#options.maxBatchSize) this.#dispatch(open);
    return promise;
  }

  #begin(): OpenBatch<K, V> {
    const { clock, window } = this.#options;
    const open: OpenBatch<K, V> = { batch: new Batch(), timer: undefined };
    const dispatch = (): void => {
      this.#dispatch(open);
    };
    if (window === 0) afterPromises(dispatch);
    else open.timer = clock.setTimeout(dispatch, window);
    return open;
  }

  #dispatch(open: OpenBatch<K, V>): void {
    if (open.batch.dispatched) return;
    if (open.timer !== undefined) this.#options.clock.clearTimeout(open.timer);
    this.#open = undefined;
    open.batch.dispatch({
      send: (keys) => callBatch(this.#load, keys, () => open.batch.context()),
      read: alignBatch,
    });
  }
}

/** Whether it tells when somebody has stopped to wait. It is not asked for a signal that would be made for it. */
function isWaiter(context: unknown): context is BatchWaiter {
  if (typeof context !== 'object' || context === null || !('signal' in context)) return false;
  const waiter = context as {
    abandoned?: unknown;
    signal: { aborted?: unknown } | null | undefined;
  };
  return typeof waiter.abandoned === 'boolean' || typeof waiter.signal?.aborted === 'boolean';
}
