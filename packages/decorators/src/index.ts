export type { AnyCache } from './any-cache.js';
export { AsyncLRU } from './async-lru.js';
export { AsyncTTL } from './async-ttl.js';
export { cached } from './cached.js';
export type { FunctionOptions } from './cached.js';
export type { CachedDecorator } from './cached-decorator.js';
export type { CachedOptions } from './cached-options.js';
export type {
  AnyFunction,
  ArgumentsOf,
  Async,
  AsyncFunction,
  CacheControls,
  CachedFunction,
} from './cached-function.js';
export { asCached } from './as-cached.js';

export { invalidates } from './invalidates.js';
export type { InvalidatesDecorator, InvalidatesOptions } from './invalidates.js';
export type { CallList } from './call-list.js';
