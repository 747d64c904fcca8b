import { CacheError, describeValue, InvalidOptionError } from '@acache/core';

/**
 * Checks that a function has results that can be kept.
 *
 * @param who - the decorator, as errors name it
 * @throws InvalidOptionError for what is no function, for a class, and for a generator
 */
export function checkFunctionKind(fn: unknown, who: string): void {
  if (typeof fn !== 'function') {
    throw new InvalidOptionError(`${who} takes a function, got ${describeValue(fn)}`);
  }
  const tag = Object.prototype.toString.call(fn);
  if (tag === '[object AsyncGeneratorFunction]' || tag === '[object GeneratorFunction]') {
    throw new InvalidOptionError(
      `${who} takes a function that returns its result at once or promises it, got a generator${named(fn)}: ` +
        'what one caller has read of it is gone for the next',
    );
  }
  // That of a class alone cannot be written to.
  if (Object.getOwnPropertyDescriptor(fn, 'prototype')?.writable === false) {
    throw new InvalidOptionError(
      `${who} takes a function, got the class ${fn.name || 'expression'}`,
    );
  }
}

/**
 * The result of a call, if it can be kept. A generator that was compiled for an older platform shows
 * itself only when it is called.
 *
 * @throws CacheError `ERR_ACACHE_GENERATOR` for an iterator
 */
export function checkResult(result: unknown, name: string): unknown {
  if (typeof result !== 'object' || result === null) return result;
  if (typeof (result as { then?: unknown }).then === 'function') {
    return (result as PromiseLike<unknown>).then((value) => checkValue(value, name));
  }
  return checkValue(result, name);
}

function checkValue(value: unknown, name: string): unknown {
  if (typeof value === 'object' && value !== null && isGenerator(value)) {
    throw new CacheError(
      'ERR_ACACHE_GENERATOR',
      `${name || 'an anonymous function'} returned a generator, which cannot be cached: ` +
        'what one caller has read of it is gone for the next',
    );
  }
  return value;
}

function isGenerator(value: object): boolean {
  if (!(Symbol.asyncIterator in value || Symbol.iterator in value)) return false;
  const { next, return: end } = value as { next?: unknown; return?: unknown };
  return typeof next === 'function' && typeof end === 'function';
}

function named(fn: { readonly name: string }): string {
  return fn.name === '' ? '' : ` '${fn.name}'`;
}
