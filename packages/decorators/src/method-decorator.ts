import type { AnyFunction } from './cached-function.js';
import { decorateLegacyMethod } from './legacy-method.js';
import type { MethodPlace, MethodReplacement } from './method-place.js';
import { decorateStandardMethod, isStandardContext } from './standard-method.js';

/** What a decorator does, however it is applied. */
export interface Decoration {
  /** Its name, for errors. */
  readonly who: string;
  readonly wrap: (fn: AnyFunction) => AnyFunction;
  readonly replace: (method: AnyFunction, place: MethodPlace) => MethodReplacement;
}

/** Applies a decoration: to a function as a wrapper, to a method as a TC39 or a legacy decorator. */
export function decorator(decoration: Decoration) {
  return (target: unknown, context?: unknown, descriptor?: unknown): unknown => {
    if (isStandardContext(context)) return decorateStandardMethod(decoration, target, context);
    if (typeof context === 'string' || typeof context === 'symbol') {
      return decorateLegacyMethod(decoration, target as object, context, descriptor);
    }
    return decoration.wrap(target as AnyFunction);
  };
}
