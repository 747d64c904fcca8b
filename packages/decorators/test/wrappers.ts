import { AsyncLRU, AsyncTTL, cached } from '../src/index.js';
import type { AnyFunction, CachedFunction, CachedOptions } from '../src/index.js';

export type Wrap = <F extends AnyFunction>(fn: F, options?: CachedOptions) => CachedFunction<F>;

/** Every way to wrap a function. */
export const WRAPPERS: readonly (readonly [name: string, wrap: Wrap])[] = [
  ['cached(fn, options)', (fn, options) => cached(fn, options)],
  ['cached(options)(fn)', (fn, options) => cached(options)(fn)],
  ['AsyncLRU(options)(fn)', (fn, options) => AsyncLRU(options)(fn)],
  ['AsyncTTL(options)(fn)', (fn, options) => AsyncTTL(options)(fn)],
];

/** Every decorator that caches. */
export const DECORATORS = [
  ['cached', cached],
  ['AsyncLRU', AsyncLRU],
  ['AsyncTTL', AsyncTTL],
] as const;
