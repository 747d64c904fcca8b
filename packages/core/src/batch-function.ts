import { describeValue } from './describe-value.js';
import { CacheError } from './errors.js';

/**
 * Loads many keys at once. Answers with an array of one result per key in the order of the keys, or
 * with a Map or a record by key, in which a key that is missing stands for `undefined`. An `Error`
 * as a result fails that key alone.
 */
export type BatchFunction<K, V> = (
  keys: readonly K[],
) => PromiseLike<BatchResults<K, V>> | BatchResults<K, V>;

export type BatchResults<K, V> =
  readonly (V | Error)[] | ReadonlyMap<K, V | Error> | Readonly<Record<string, V | Error>>;

/**
 * Puts the results of a batch in the order of its keys.
 *
 * @throws CacheError `ERR_ACACHE_BATCH_LENGTH` when an array has not one result per key
 * @throws CacheError `ERR_ACACHE_BATCH_RESULT` when it is neither array, Map nor record
 */
export function alignBatch<K, V>(
  keys: readonly K[],
  results: BatchResults<K, V>,
): readonly (V | Error | undefined)[] {
  if (Array.isArray(results)) {
    const list = results as readonly (V | Error)[];
    if (list.length === keys.length) return list;
    throw new CacheError(
      'ERR_ACACHE_BATCH_LENGTH',
      `a batch function must answer with one result per key: expected ${keys.length}, got ${list.length}`,
    );
  }
  if (typeof results !== 'object' || (results as unknown) === null) {
    throw new CacheError(
      'ERR_ACACHE_BATCH_RESULT',
      `a batch function must answer with an array, a Map or a record, got ${describeValue(results)}`,
    );
  }
  if (typeof (results as ReadonlyMap<K, V>).get === 'function') {
    const map = results as ReadonlyMap<K, V | Error>;
    return keys.map((key) => map.get(key));
  }
  const record = results as Readonly<Record<string, V | Error>>;
  return keys.map((key) => (Object.hasOwn(record, String(key)) ? record[String(key)] : undefined));
}
