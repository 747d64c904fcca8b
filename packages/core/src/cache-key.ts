import { decodePrimitiveKey, encodeKey } from './make-key.js';

/**
 * What the memory is indexed by: a primitive is its own id; a string that begins with NUL and an
 * object have an id that begins with NUL, so that no string of the user's can be the id of an object.
 */
export type KeyId = string | number | bigint | boolean | symbol | null | undefined;

const MARK = '\0';

/** The id of a key: equal for equal keys (objects by value), different for different ones. */
export function idOf(key: unknown): KeyId {
  if (typeof key === 'string') return key.charCodeAt(0) === 0 ? MARK + encodeKey(key) : key;
  if ((typeof key === 'object' && key !== null) || typeof key === 'function') {
    return MARK + encodeKey(key);
  }
  return key as KeyId;
}

/**
 * The text by which a tier or a persistence knows a key: the same in every process.
 *
 * @throws CacheError `ERR_ACACHE_UNKEYABLE` for a symbol
 */
export function wireKeyOf(id: KeyId): string {
  if (typeof id === 'string' && id.charCodeAt(0) === 0) return id.slice(1);
  // As in a Map, -0 and 0 are one key.
  return encodeKey(id === 0 ? 0 : id);
}

/**
 * The id of a key of a cache, which must have a text where the cache has a tier.
 *
 * @throws CacheError `ERR_ACACHE_UNKEYABLE` for a key that has none
 */
export function checkedIdOf(key: unknown, tier: object | undefined): KeyId {
  const id = idOf(key);
  if (tier !== undefined && typeof id === 'symbol') wireKeyOf(id);
  return id;
}

/** The id that `wireKeyOf` made this text from. */
export function idOfWireKey(wireKey: string): KeyId {
  const primitive = decodePrimitiveKey(wireKey);
  return primitive === undefined ? MARK + wireKey : idOf(primitive.value);
}

/** The key of an id: itself for a primitive; for an object, whose original is gone, its text. */
export function keyOfId(id: KeyId): unknown {
  if (typeof id !== 'string' || id.charCodeAt(0) !== 0) return id;
  const wireKey = id.slice(1);
  const primitive = decodePrimitiveKey(wireKey);
  return primitive === undefined ? wireKey : primitive.value;
}
