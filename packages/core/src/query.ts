import type { KeyId } from './cache-key.js';
import type { Loader } from './loader.js';
import type { Request } from './request.js';

/** One caller's question: which key, how to load it, under which options. */
export interface Query<K, V> {
  readonly id: KeyId;
  readonly key: K;
  /** `undefined` for a caller who only looks. */
  readonly loader: Loader<K, V> | undefined;
  readonly request: Request<K, V>;
  /** Whether it counts as a get. */
  readonly counted: boolean;
}
