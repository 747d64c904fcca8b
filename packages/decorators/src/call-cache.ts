import type { CacheMetrics } from '@acache/core';
import type { AnyFunction, CacheControls } from './cached-function.js';

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

/** The controls of one function's cache, or of one method's of one instance; all but `refresh`. */
export function controlsOf(calls: () => CallCache): Omit<CacheControls<AnyFunction>, 'refresh'> {
  return {
    invalidateCache: async (...args: unknown[]) => calls().invalidate(args),
    clearCache: async () => calls().clear(),
    getMetrics: () => calls().getMetrics(),
  };
}
