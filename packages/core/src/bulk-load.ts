import { batchContext, type BatchContext, type BatchWaiter } from './batch-context.js';
import { alignBatch, callBatch, type BatchFunction } from './batch-function.js';
import { isError } from './is-error.js';

interface Waiting<V> {
  readonly waiter: BatchWaiter;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers the keys that one `getMany` must load into one call of its `loadMany`. */
export class BulkLoad<K, V> {
  readonly #loadMany: BatchFunction<K, V>;
  #keys: K[] = [];
  #waiting: Waiting<V>[] = [];
  #gathering = true;

  constructor(loadMany: BatchFunction<K, V>) {
    this.#loadMany = loadMany;
  }

  load(key: K, waiter: BatchWaiter): Promise<V> {
    return new Promise<V>((resolve, reject) => {
      this.#keys.push(key);
      this.#waiting.push({ waiter, resolve, reject });
      // Keys that a tier was asked for first come later, together.
      if (!this.#gathering && this.#keys.length === 1) {
        void Promise.resolve().then(() => this.dispatch());
      }
    });
  }

  /** Loads what was gathered. Never rejects: each key's promise tells. */
  async dispatch(): Promise<void> {
    this.#gathering = false;
    const keys = this.#keys;
    const waiting = this.#waiting;
    if (keys.length === 0) return;
    this.#keys = [];
    this.#waiting = [];
    try {
      const context = (): BatchContext => batchContext(waiting.map(({ waiter }) => waiter));
      const results = alignBatch(keys, await callBatch(this.#loadMany, keys, context));
      waiting.forEach(({ resolve, reject }, index) => {
        try {
          const result = results[index];
          if (isError(result)) reject(result);
          else resolve(result as V);
        } catch (error) {
          // What cannot be read of the results is its key's alone.
          reject(error);
        }
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
