export { batchLoader } from './batch-loader.js';
export type { BatchedLoader } from './batch-loader.js';
export { createBatcher } from './create-batcher.js';
export type { BatchOptions } from './batch-options.js';

export { DataLoader } from './data-loader.js';
export type { DataLoaderConstructor, LoadOptions } from './data-loader.js';
export type { BatchLoadFn, CacheMap, DataLoaderOptions } from './data-loader-options.js';
