import type { CacheMetrics } from '@acache/core';

/** Makes the result of one call. */
export type Call = () => unknown;

/** Where the results of one function are kept, or those of one method of one instance. Never throws, but rejects. */
export interface CallCache {
  /** The result for these arguments: what is kept, else what `call` brings. */
  get(args: readonly unknown[], call: Call): Promise<unknown>;
  /** What `call` brings, whatever is kept. */
  refresh(args: readonly unknown[], call: Call): Promise<unknown>;
  invalidate(args: readonly unknown[]): Promise<boolean>;
  clear(): Promise<void>;
  getMetrics(): CacheMetrics;
}
