import {
  alignBatch,
  callBatch,
  idOf,
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
  /** Where a key is, and what its callers were given. */
  readonly members: Map<KeyId, { readonly place: number; readonly promise: Promise<V> }>;
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
   * @param waiter - who wants it, where that may stop to
   */
  load(key: K, waiter: BatchWaiter | undefined): Promise<V> {
    let id: KeyId;
    try {
      id = idOf(key);
    } catch (error) {
      return Promise.reject(error);
    }
    const open = (this.#open ??= this.#begin());
    const member = open.members.get(id);
    if (member !== undefined) {
      open.batch.join(member.place, waiter);
      return member.promise;
    }
    const promise = open.batch.add(key, waiter);
    open.members.set(id, { place: open.members.size, promise });
    if (open.members.size >= this.#options.maxBatchSize) this.#dispatch(open);
    return promise;
  }

  #begin(): OpenBatch<K, V> {
    const { clock, window } = this.#options;
    const open: OpenBatch<K, V> = { batch: new Batch(), members: new Map(), timer: undefined };
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
