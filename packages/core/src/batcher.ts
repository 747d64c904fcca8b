import type { BatchFunction } from './batch-function.js';
import type { LoadContext } from './loader.js';

/** Gathers single loads into batches; `createBatcher()` of `@acache/batch` makes one. */
export interface Batcher {
  /** Loads one key together with others that were asked of the same function at about this time. */
  load<K, V>(key: K, batchFunction: BatchFunction<K, V>, context: LoadContext<V>): PromiseLike<V>;
}
