import { CacheError } from '../errors.js';
import { isError } from '../is-error.js';

/** Says why a value has no form in bytes; where it is, the encoder adds. */
export class Unserializable extends Error {}

/**
 * The error of a value that could not be written.
 * @param reason - an `Unserializable`, or whatever a getter, a Proxy or a custom type threw
 * @param steps - the path to it from the value that was to be written: `.user`, `[0]`
 */
export function unserializableError(reason: unknown, steps: readonly string[]): CacheError {
  const path = `value${shorten(steps).join('')}`;
  if (reason instanceof Unserializable) {
    return new CacheError('ERR_ACACHE_UNSERIALIZABLE', `${path} is ${reason.message}`);
  }
  const told = isError(reason) ? `: ${reason.message}` : '';
  return new CacheError('ERR_ACACHE_UNSERIALIZABLE', `${path} cannot be read${told}`, {
    cause: reason,
  });
}

function shorten(steps: readonly string[]): readonly string[] {
  return steps.length > 12 ? [...steps.slice(0, 6), '…', ...steps.slice(-3)] : steps;
}
