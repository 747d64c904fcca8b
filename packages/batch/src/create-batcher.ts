import type { Batcher, BatchFunction } from '@acache/core';
import { checkBatchFunction } from './batch-loader.js';
import { BatchQueue } from './batch-queue.js';
import { resolveBatchOptions, type BatchOptions } from './batch-options.js';

/**
 * Makes what `AsyncCacheOptions.batcher` takes, so that `cache.get(key, { batchLoader })` loads in batches.
 *
 * Keys go together that are asked of the **same** function: define it once, outside of the call. One
 * batcher may serve several caches.
 *
 * ```ts
 * const cache = new AsyncCache({ batcher: createBatcher({ window: '2ms' }) });
 * await cache.get(42, { batchLoader: findUsers });
 * ```
 *
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function createBatcher(options?: BatchOptions): Batcher {
  const resolved = resolveBatchOptions(options);
  // Weak, so that functions made for one request go with it.
  const queues = new WeakMap<object, unknown>();
  return {
    load<K, V>(key: K, load: BatchFunction<K, V>, context: Parameters<Batcher['load']>[2]) {
      checkBatchFunction(load);
      let queue = queues.get(load) as BatchQueue<K, V> | undefined;
      if (queue === undefined) {
        queue = new BatchQueue<K, V>(load, resolved);
        queues.set(load, queue);
      }
      return queue.load(key, context);
    },
  };
}
