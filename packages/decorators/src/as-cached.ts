import { describeValue, InvalidOptionError } from '@acache/core';
import type { AnyFunction, CachedFunction } from './cached-function.js';
import { CACHED_METHOD } from './cached-method.js';
import type { MethodReplacement } from './method-place.js';

/**
 * Lets TypeScript see what a cached method has besides being called, since a decorator cannot change the
 * type of a method.
 *
 * ```ts
 * await asCached(service, 'find').refresh(42);
 * await asCached(this.#find, this).refresh(42); // a private method has to be told its instance
 * ```
 *
 * @throws InvalidOptionError when it is not cached
 */
export function asCached<T extends object, Name extends keyof T>(
  instance: T,
  method: Name,
): T[Name] extends AnyFunction ? CachedFunction<T[Name]> : never;
export function asCached<F extends AnyFunction>(method: F, instance?: object): CachedFunction<F>;
export function asCached(first: unknown, second?: unknown): unknown {
  const byName = typeof second === 'string' || typeof second === 'symbol';
  const holder = (first ?? {}) as Record<string | symbol, unknown>;
  const method: unknown = byName ? holder[second] : first;
  if (typeof method === 'function') {
    const { [CACHED_METHOD]: cached } = method as { [CACHED_METHOD]?: MethodReplacement };
    const instance = byName ? first : second;
    if (cached?.of !== undefined && instance !== undefined) return cached.of(instance as object);
    if ('invalidateCache' in method) return method;
  }
  throw new InvalidOptionError(`asCached takes a cached function, got ${describeValue(method)}`);
}
