import type { AnyFunction } from './cached-function.js';
import { defineAccessor } from './instance-accessor.js';
import type { Decoration } from './method-decorator.js';
import { noMethod, type MethodPlace, type MethodReplacement } from './method-place.js';

/** What a TC39 decorator is told of what it decorates. */
export type StandardContext = Pick<DecoratorContext, 'kind' | 'name' | 'addInitializer'> & {
  readonly static?: boolean;
  readonly private?: boolean;
};

export function isStandardContext(context: unknown): context is StandardContext {
  return typeof context === 'object' && context !== null && 'kind' in context;
}

/** Decorates as TC39 has it: the method is replaced, and instances are met as they are made. */
export function decorateStandardMethod(
  { replace, who }: Decoration,
  method: unknown,
  context: StandardContext,
): AnyFunction {
  const { kind, name: key, static: isStatic = false, private: isPrivate = false } = context;
  if (kind !== 'method') throw noMethod(who, kind, key);
  const place: MethodPlace = { key: key as string | symbol, isStatic, isPrivate };
  const replacement = replace(method as AnyFunction, place);
  if (isPrivate) {
    if (replacement.constructed !== undefined) {
      context.addInitializer(function (this: unknown) {
        replacement.constructed?.(this as object);
      });
    }
  } else {
    context.addInitializer(function (this: unknown) {
      introduce(this as object, place, replacement);
    });
  }
  return replacement.method;
}

/** Learns the class from its first instance, and lets its instances have the method as their own. */
function introduce(instance: object, place: MethodPlace, replacement: MethodReplacement): void {
  if (place.className !== undefined) return;
  const owner = ownerOf(instance, place.key, replacement.method);
  // Another decorator may have put a wrapper around ours.
  if (owner === undefined) return;
  const constructor = place.isStatic ? owner : owner.constructor;
  place.className = typeof constructor === 'function' ? constructor.name : '';
  defineAccessor(owner, place, replacement);
}

/** The object that holds the method: a class may override it further down. */
function ownerOf(instance: object, key: string | symbol, method: unknown): object | undefined {
  let owner: object | null = instance;
  while (owner !== null && Object.getOwnPropertyDescriptor(owner, key)?.value !== method) {
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return owner ?? undefined;
}
