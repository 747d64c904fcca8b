import type { BatchContext } from './batch-context.js';
import { idOf } from './cache-key.js';
import { describeValue } from './describe-value.js';
import { CacheError } from './errors.js';

/**
 * Loads many keys at once. Answers with an array of one result per key in the order of the keys, or
 * with a Map or a record by key, in which a key that is missing stands for `undefined`. An `Error`
 * as a result fails that key alone.
 *
 * The keys are frozen: sorting them in place would hand each key another one's value. The context is
 * given to a function that names a second parameter, and to no other.
 */
export type BatchFunction<K, V> = (
  keys: readonly K[],
  context: BatchContext,
) => PromiseLike<BatchResults<K, V>> | BatchResults<K, V>;

export type BatchResults<K, V> =
  readonly (V | Error)[] | ReadonlyMap<K, V | Error> | Readonly<Record<string, V | Error>>;

/**
 * Calls a batch function with frozen keys.
 *
 * @param context - makes the context, for a function that names it
 * @param self - its `this`
 */
export function callBatch<K, R>(
  load: (keys: readonly K[], context: BatchContext) => R,
  keys: readonly K[],
  context: () => BatchContext,
  self?: unknown,
): R {
  Object.freeze(keys);
  // Whoever hands in a method with an optional second parameter of its own, or a spy, expects one argument.
  return load.length > 1
    ? load.call(self, keys, context())
    : (load as (keys: readonly K[]) => R).call(self, keys);
}

/**
 * Puts the results of a batch in the order of its keys.
 *
 * @throws CacheError `ERR_ACACHE_BATCH_LENGTH` when an array has not one result per key
 * @throws CacheError `ERR_ACACHE_BATCH_RESULT` when it is neither array, Map nor record, or a record
 *   although a key is an object that has no text of its own
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
  if (isMap(results)) return fromMap(keys, results as ReadonlyMap<K, V | Error>);
  if (isRecord(results)) return fromRecord(keys, results as Readonly<Record<string, V | Error>>);
  throw new CacheError(
    'ERR_ACACHE_BATCH_RESULT',
    `a batch function must answer with an array, a Map or a record, got ${describeValue(results)}`,
  );
}

/** Finds an object that is a key by value where it is not there by identity, as the cache itself does. */
function fromMap<K, V>(
  keys: readonly K[],
  map: ReadonlyMap<K, V | Error>,
): readonly (V | Error | undefined)[] {
  let byValue: Map<unknown, V | Error> | undefined;
  return keys.map((key) => {
    const result = map.get(key);
    if (result !== undefined || typeof key !== 'object' || key === null || map.has(key)) {
      return result;
    }
    byValue ??= new Map(Array.from(map, ([of, value]) => [valueOf(of), value]));
    return byValue.get(valueOf(key));
  });
}

/** What a key is compared by: its id, or itself where it has none. */
function valueOf(key: unknown): unknown {
  try {
    return idOf(key);
  } catch {
    return key;
  }
}

function fromRecord<K, V>(
  keys: readonly K[],
  record: Readonly<Record<string, V | Error>>,
): readonly (V | Error | undefined)[] {
  const names = keys.map(nameOf);
  // Objects of one text would be given each other's results.
  if (keys.some(isObject) && new Set(names).size < new Set(keys.map(valueOf)).size)
    throw noRecord();
  return names.map((name) => (Object.hasOwn(record, name) ? record[name] : undefined));
}

/** The property of a record that stands for a key: its text, if it has one of its own. */
function nameOf(key: unknown): string {
  if (!isObject(key)) return String(key);
  let name: string;
  try {
    name = String(key);
  } catch {
    throw noRecord();
  }
  if (name.includes('[object ')) throw noRecord();
  return name;
}

function isObject(key: unknown): boolean {
  return typeof key === 'object' && key !== null;
}

function noRecord(): CacheError {
  return new CacheError(
    'ERR_ACACHE_BATCH_RESULT',
    'a batch function cannot answer with a record when its keys are objects: answer with an array or a Map',
  );
}

function isMap(results: unknown): boolean {
  const { get, has } = (results ?? {}) as { get?: unknown; has?: unknown };
  return typeof get === 'function' && typeof has === 'function';
}

/** A plain object, of whichever realm; what merely has properties may mean them otherwise. */
function isRecord(results: unknown): boolean {
  if (typeof results !== 'object' || results === null) return false;
  const prototype = Object.getPrototypeOf(results) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
