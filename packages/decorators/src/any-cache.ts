import type { CacheMetrics, ReadResult } from '@acache/core';

/** A `Cache` of whatever keys and values, such as `new AsyncCache<string, User>()`: what is asked of it here. */
export interface AnyCache {
  getWithMeta(key: any, options?: any): Promise<ReadResult<any>>;
  delete(key: any): Promise<boolean>;
  invalidateTags(...tags: string[]): Promise<void>;
  getMetrics(): CacheMetrics;
}
