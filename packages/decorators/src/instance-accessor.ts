import type { MethodPlace, MethodReplacement } from './method-place.js';

/** The two halves of a property that each instance sees in its own way. */
export interface InstanceAccessor {
  readonly get: (this: unknown) => unknown;
  readonly set: (this: object, value: unknown) => void;
}

/** Reads a method from an instance as that instance's own. */
export function instanceAccessor(
  { key, isStatic }: MethodPlace,
  replacement: MethodReplacement,
): InstanceAccessor {
  return {
    get(this: unknown) {
      // Read from the prototype, or by a tool that calls the getter itself, it is the method of no instance.
      if (!isObject(this) || (!isStatic && Object.hasOwn(this, key))) return replacement.method;
      return replacement.of?.(this) ?? replacement.method;
    },
    // Whoever replaces a method on an instance, in a test say, replaces it there.
    set(this: object, value: unknown) {
      Object.defineProperty(this, key, {
        value,
        writable: true,
        configurable: true,
        enumerable: true,
      });
    },
  };
}

/** Puts the accessor in the place of the method, where that can be changed. */
export function defineAccessor(
  owner: object,
  place: MethodPlace,
  replacement: MethodReplacement,
): void {
  if (replacement.of === undefined) return;
  if (Object.getOwnPropertyDescriptor(owner, place.key)?.configurable !== true) return;
  const accessor = instanceAccessor(place, replacement);
  Object.defineProperty(owner, place.key, {
    ...accessor,
    configurable: true,
    enumerable: false,
  });
}

/** Whether something can have a method of its own. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
