import { InvalidOptionError } from '@acache/core';
import type { AnyFunction } from '../any-function.js';

const WRAPPED = Symbol.for('@acache/agent: wrapped by an adapter');

/** Marks what an adapter has put in the place of a tool's function. */
export function markWrapped<F extends AnyFunction>(fn: F): F {
  return Object.defineProperty(fn, WRAPPED, { value: true });
}

/** Whether a function is one that an adapter has put there, in whichever copy of this package. */
export function isWrapped(fn: unknown): boolean {
  return typeof fn === 'function' && WRAPPED in fn;
}

/**
 * Checks that a tool is not wrapped yet: each of its calls would count twice.
 *
 * @throws InvalidOptionError when it is
 */
export function checkNotWrapped(fn: unknown, name: string): void {
  if (!isWrapped(fn)) return;
  throw new InvalidOptionError(
    `${name} is wrapped already, and each call would count twice: wrap a tool set once`,
  );
}
