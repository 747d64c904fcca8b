import { encodeKey } from './make-key.js';

/**
 * A key as it is now, for a load that begins later: what its owner does to an object meanwhile must not
 * reach what is stored under the key it was. An object that cannot be copied whole is the key itself.
 */
export function snapshotKey<K>(key: K): K {
  if (typeof key !== 'object' || key === null) return key;
  try {
    const copy = structuredClone(key);
    // A class is not copied along, and then its instances have another key.
    if (encodeKey(copy) === encodeKey(key)) return copy;
  } catch {
    // It holds a function, say. Its class says itself what it is by, and then that may not change.
  }
  return key;
}
