import type { AnyFunction } from './cached-function.js';

/** Gives a wrapper the name and length of what it wraps, and properties of its own. */
export function likeOriginal<W extends AnyFunction>(
  wrapper: W,
  original: AnyFunction,
  properties: object = {},
): W {
  const { name, length } = original;
  // What the original has besides is found on the wrapper, too.
  if (Object.getPrototypeOf(wrapper) === Function.prototype)
    Object.setPrototypeOf(wrapper, original);
  for (const [key, value] of Object.entries({ name, length, ...properties })) {
    const isOwn = key in properties;
    // Tests replace what they watch.
    Object.defineProperty(wrapper, key, { value, configurable: true, writable: isOwn });
  }
  return wrapper;
}
