import { InvalidOptionError } from '@acache/core';
import type { AnyFunction, AsyncFunction, CachedFunction } from './cached-function.js';
import { CachedMethod } from './cached-method.js';
import {
  applicable,
  checkCachedOptions,
  checkOptionsObject,
  type CachedOptions,
} from './cached-options.js';
import { checkFunctionKind } from './function-kind.js';
import type { IfTheyTake, IfTheyTakeValue } from './if-they-take.js';
import { decorator } from './method-decorator.js';
import type { MethodPlace } from './method-place.js';
import { wrapFunction } from './wrap-function.js';

/** Caches what it is put on: a function, or a method by a decorator of either kind. */
export interface CachedDecorator<O = any> {
  /** As a TC39 method decorator. */
  <This, F extends (this: This, ...args: any) => PromiseLike<any>>(
    method: F,
    context: ClassMethodDecoratorContext<This, F>,
  ): IfTheyTake<O, 'key' | 'tags', F, F>;
  /** As a legacy (`experimentalDecorators`) method decorator. */
  <F extends AsyncFunction>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<F>,
  ): IfTheyTake<O, 'key' | 'tags', F, TypedPropertyDescriptor<F>>;
  /** As a wrapper. */
  <F extends AnyFunction>(
    fn: F &
      IfTheyTake<O, 'key' | 'tags', F, unknown> &
      IfTheyTakeValue<O, 'ttl' | 'weigh' | 'clone', F, unknown>,
    context?: never,
  ): CachedFunction<F>;
}

/**
 * Makes a decorator that caches.
 *
 * @param who - its name, for errors
 * @param further - what it was given besides the options: nothing, unless it was put on a method without a call
 * @param defaults - for options that are not given
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function cachedDecorator(
  who: string,
  given: CachedOptions,
  further: readonly unknown[],
  defaults: CachedOptions = {},
): unknown {
  checkOptionsObject(given, who, further);
  const options = { ...applicable(defaults, given), ...withoutUndefined(given) };
  checkCachedOptions(options);
  return decorator({
    who,
    wrap: (fn) => wrapFunction(fn, options, who),
    replace: (method, place) => {
      checkFunctionKind(method, who);
      checkMethodOptions(options, place, who);
      return new CachedMethod(method, options, place, who);
    },
  });
}

/** What is fine for a function may not be for a method. */
function checkMethodOptions(options: CachedOptions, place: MethodPlace, who: string): void {
  const { cache, name, persistence, scope = 'instance', tier } = options;
  const outside = tier === undefined ? 'persistence' : 'tier';
  if (scope === 'instance') {
    if (tier === undefined && persistence === undefined) return;
    throw new InvalidOptionError(
      `${who} on a method with a ${outside} needs scope: 'class': what outlives the process knows no instances`,
    );
  }
  const { isPrivate, key } = place;
  if (name !== undefined || !(tier !== undefined || (cache !== undefined && isPrivate))) return;
  throw new InvalidOptionError(`${who} needs a name for ${String(key)} on a cache that is shared`);
}

/** An option that is `undefined` is not given. */
function withoutUndefined(options: CachedOptions): CachedOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
