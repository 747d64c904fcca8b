import type { AnyFunction } from './cached-function.js';
import { instanceAccessor } from './instance-accessor.js';
import type { Decoration } from './method-decorator.js';
import { noMethod, type MethodPlace, type MethodReplacement } from './method-place.js';
import { copyMetadata, hasMetadata } from './reflect-metadata.js';

/** Decorates as `experimentalDecorators` has it: by the descriptor of the method. */
export function decorateLegacyMethod(
  { replace, who }: Decoration,
  target: object,
  key: string | symbol,
  descriptor: unknown,
): PropertyDescriptor {
  if (typeof descriptor !== 'object' || descriptor === null) throw noMethod(who, 'field', key);
  const given = descriptor as PropertyDescriptor;
  if (given.get !== undefined) throw noMethod(who, 'getter', key);
  if (given.set !== undefined) throw noMethod(who, 'setter', key);
  const original: unknown = given.value;
  if (typeof original !== 'function') throw noMethod(who, 'field', key);
  const isStatic = typeof target === 'function';
  const className = (isStatic ? target : target.constructor).name;
  const place: MethodPlace = { key, isStatic, isPrivate: false, className };
  const replacement = replace(original as AnyFunction, place);
  copyMetadata(original, replacement.method);
  const replaced = { ...given, value: replacement.method };
  // Nest's `applyDecorators` looks at what it gave, and not at what it is given back.
  if (Object.isExtensible(given)) given.value = replacement.method;
  if (replacement.of === undefined) return replaced;
  return becomingAccessor(replaced, place, replacement, () => {
    copyMetadata(original, replacement.method);
    return hasMetadata(replacement.method) || hasMetadata(target, key);
  });
}

/**
 * A descriptor of a method that defines an accessor: decorators above ours find the method in it, to put
 * metadata on it or to wrap it, and instances read a method of their own.
 *
 * A method with the metadata of a framework stays a plain method: Nest, say, finds its routes and
 * listeners by looking for methods, and skips accessors.
 */
function becomingAccessor(
  descriptor: PropertyDescriptor,
  place: MethodPlace,
  replacement: MethodReplacement,
  staysMethod: () => boolean,
): PropertyDescriptor {
  const accessor = instanceAccessor(place, replacement);
  let asAccessor = false;
  return new Proxy(descriptor, {
    has(target, name) {
      // `Object.defineProperty` asks for this first of all; nobody else has a reason to.
      if (name === 'enumerable') {
        const isOurs = target.value === replacement.method && Object.isExtensible(target);
        asAccessor = isOurs && !staysMethod();
      }
      if (!asAccessor) return name in target;
      return name === 'enumerable' || name === 'configurable' || name in accessor;
    },
    get(target, name) {
      if (asAccessor && name in accessor) return accessor[name as keyof typeof accessor];
      return Reflect.get(target, name) as unknown;
    },
  });
}
