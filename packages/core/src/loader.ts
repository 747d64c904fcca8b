import type { Ttl } from './duration.js';

/**
 * What a loader is told, and what it may decide about the value it loads until it has answered. It may
 * be taken apart, `(key, { signal, ttl }) => …`, but not spread.
 */
export interface LoadContext<V> {
  /**
   * Fires once the last waiting caller has left, by its own signal or at its hard timeout, and when
   * the cache is closed. Handing it on to what the loader calls stops work that nobody waits for.
   */
  readonly signal: AbortSignal;
  /**
   * True once nobody can be given what is loaded: all callers have left by their own signals, or the
   * cache is closed. Callers who ran out of time do not count, since the load goes on for those who
   * come later. To ask this costs nothing, while to ask for the signal makes one.
   */
  readonly abandoned?: boolean;
  /** The value that is being refreshed, for conditional requests; `undefined` where there is none. */
  readonly previous: V | undefined;
  /** True when the callers were already served and nobody waits for this load. */
  readonly background: boolean;
  /** Decides the ttl of what is being loaded, before every other setting. */
  readonly ttl: (ttl: Ttl) => void;
  /** Adds tags to what is being loaded. */
  readonly tag: (...tags: string[]) => void;
  /** Hands the value to the callers and stores it nowhere; what was stored is removed. */
  readonly skipStore: () => void;
}

/** Makes the value of a key on a miss. */
export type Loader<K, V> = (key: K, context: LoadContext<V>) => V | PromiseLike<V>;
