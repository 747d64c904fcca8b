import { InvalidOptionError } from '@acache/core';
import type { AnyFunction } from './cached-function.js';

/** Where a decorated method is. */
export interface MethodPlace {
  readonly key: string | symbol;
  readonly isStatic: boolean;
  readonly isPrivate: boolean;
  /** The name of its class; a TC39 decorator learns it with the first instance. */
  className?: string;
}

/** What a decorator makes of a method. */
export interface MethodReplacement {
  /** What becomes the method. */
  readonly method: AnyFunction;
  /** What is read from an instance instead. */
  of?(instance: object): AnyFunction;
  /** Is told of each new instance of a class whose private method this is. */
  constructed?(instance: object): void;
}

/** The name of a method with that of its class. */
export function labelOf({ className, key, isStatic }: MethodPlace, instance: unknown): string {
  const method = typeof key === 'symbol' ? (key.description ?? 'symbol') : key;
  const owner = className ?? classNameOf(instance, isStatic);
  return owner === '' ? method : `${owner}.${method}`;
}

function classNameOf(instance: unknown, isStatic: boolean): string {
  const constructor = isStatic ? instance : (instance as object | undefined)?.constructor;
  return typeof constructor === 'function' ? constructor.name : '';
}

/**
 * The error of a decorator on what is no method.
 *
 * @param who - the decorator
 * @param what - what it was put on
 */
export function noMethod(who: string, what: string, key: string | symbol | undefined): Error {
  const hint = what === 'class' ? '' : `: wrap the function itself, ${who}(…)(fn)`;
  return new InvalidOptionError(
    `${who} decorates methods and wraps functions, got the ${what} ${String(key ?? '')}${hint}`,
  );
}
