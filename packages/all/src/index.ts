export { createCache } from './create-cache.js';
export type { CreateCacheOptions, FileOption, RedisOption } from './create-cache.js';

export * from '@acache/core';
export * from '@acache/batch';
export * from '@acache/decorators';
export * from '@acache/redis-tier';
export * from '@acache/persist-file';
export * from '@acache/agent';
