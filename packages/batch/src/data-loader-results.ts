import { alignBatch, type BatchResults } from '@acache/core';
import type { Outcomes } from './batch.js';
import { noArray, wrongLength } from './data-loader-errors.js';

/**
 * Puts what a batch function promised in the order of the keys.
 *
 * @throws TypeError when it is no list of as many results as keys, and neither Map nor record
 */
export function readResults<K, V>(keys: readonly K[], results: unknown): Outcomes<V> {
  if (isArrayLike<V | Error>(results)) {
    if (results.length === keys.length) return results;
    throw wrongLength(keys, results);
  }
  if (typeof results !== 'object' || results === null || Array.isArray(results)) {
    throw noArray(results);
  }
  return alignBatch(keys, results as BatchResults<K, V>);
}

/** What has a length and its last item, as dataloader takes it: an array that is not filled up is none. */
export function isArrayLike<T>(value: unknown): value is ArrayLike<T> {
  if (typeof value !== 'object' || value === null) return false;
  const { length } = value as { length?: unknown };
  return (
    typeof length === 'number' && (length === 0 || (length > 0 && Object.hasOwn(value, length - 1)))
  );
}
