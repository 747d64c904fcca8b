import type { CacheControls, AnyFunction, CachedFunction } from './cached-function.js';
import { callCacheOf } from './call-cache-of.js';
import type { CallCache } from './call-cache.js';
import type { CachedOptions } from './cached-options.js';
import { checkFunctionKind, checkResult } from './function-kind.js';
import { likeOriginal } from './like-original.js';

/**
 * Wraps a function that is no method.
 *
 * @param who - the decorator, as errors name it
 */
export function wrapFunction<F extends AnyFunction>(
  fn: F,
  options: CachedOptions,
  who: string,
): CachedFunction<F> {
  checkFunctionKind(fn, who);
  const calls = callCacheOf(options, fn, who);
  const wrapper = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return calls.get(args, () => checkResult(fn.apply(this, args), fn.name));
  };
  const controls = controlsOf(calls, (args) => checkResult(fn(...args), fn.name));
  return likeOriginal(wrapper, fn, controls) as unknown as CachedFunction<F>;
}

/** The controls of one function's cache, or of one method's of one instance. */
export function controlsOf(
  calls: CallCache,
  call: (args: readonly unknown[]) => unknown,
): CacheControls<AnyFunction> {
  return {
    refresh: (...args: unknown[]) => calls.refresh(args, () => call(args)),
    invalidateCache: (...args: unknown[]) => calls.invalidate(args),
    clearCache: () => calls.clear(),
    getMetrics: () => calls.getMetrics(),
  };
}
