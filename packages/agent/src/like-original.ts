import type { AnyFunction } from './any-function.js';

/** Gives a wrapper the name and length of what it wraps, and whatever else that has. */
export function likeOriginal<W extends AnyFunction>(wrapper: W, original: AnyFunction): W {
  Object.setPrototypeOf(wrapper, original);
  for (const [key, value] of Object.entries({ name: original.name, length: original.length })) {
    Object.defineProperty(wrapper, key, { value, configurable: true });
  }
  return wrapper;
}
