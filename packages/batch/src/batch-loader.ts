import {
  describeValue,
  InvalidOptionError,
  type BatchFunction,
  type LoadContext,
} from '@acache/core';
import { BatchQueue } from './batch-queue.js';
import { resolveBatchOptions, type BatchOptions } from './batch-options.js';

/** A `Loader`, for every cache that may hold its values. Called without a context, it loads for good. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a context is bound to the type of a cache's values, which may be wider
export type BatchedLoader<K, V> = (key: K, context?: LoadContext<any>) => Promise<V>;

/**
 * Makes a loader of a function that loads many keys at once. Keys that are asked for within a window go
 * to it together, each once; what it answers for one key is told to all who asked for it.
 *
 * ```ts
 * const loadUser = batchLoader(async (ids: readonly number[]) => database.findUsers(ids));
 * await cache.get(42, loadUser);
 * ```
 *
 * A batch never waits for another one. A key whose callers have all left before its batch goes is left
 * out. An error of the function reaches every caller of that batch unchanged; an `Error` as a result
 * only those of its key.
 *
 * @throws InvalidOptionError when `load` is no function, or for an option that cannot be meant
 */
export function batchLoader<K, V>(
  load: BatchFunction<K, V>,
  options?: BatchOptions,
): BatchedLoader<K, V> {
  checkBatchFunction(load);
  const queue = new BatchQueue(load, resolveBatchOptions(options));
  return (key, context) => queue.load(key, context);
}

/** @throws InvalidOptionError when it is no function */
export function checkBatchFunction(load: unknown): void {
  if (typeof load === 'function') return;
  throw new InvalidOptionError(`a batch function must be a function, got ${describeValue(load)}`);
}
