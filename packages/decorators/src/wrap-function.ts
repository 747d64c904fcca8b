import type { AnyFunction, CachedFunction } from './cached-function.js';
import { callCacheOf } from './call-cache-of.js';
import { controlsOf } from './call-cache.js';
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
  const call = (self: unknown, args: readonly unknown[]): unknown =>
    checkResult(fn.apply(self, args as unknown[]), fn.name);
  const wrapper = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return calls.get(args, () => call(this, args));
  };
  const refresh = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    // As a property of the function it has no other `this`, unless it is called with one.
    const self = this === wrapper ? undefined : this;
    return calls.refresh(args, () => call(self, args));
  };
  const controls = { ...controlsOf(() => calls), refresh };
  return likeOriginal(wrapper, fn, controls) as unknown as CachedFunction<F>;
}
