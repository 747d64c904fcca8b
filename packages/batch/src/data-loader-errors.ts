import type { CacheErrorCode } from '@acache/core';

const EXPECTED =
  'DataLoader must be constructed with a function that takes an array of keys and returns a promise of an array of values';

/**
 * The error of a `DataLoader` that is used wrongly: a `TypeError`, as dataloader raises it, with a `code`
 * as every error of acache has one.
 */
function misuse(code: CacheErrorCode, message: string): TypeError {
  return Object.assign(new TypeError(message), { code });
}

export function invalidOption(message: string): TypeError {
  return misuse('ERR_ACACHE_INVALID_OPTION', message);
}

export function noBatchFunction(got: unknown): TypeError {
  return invalidOption(`${EXPECTED}, but got: ${show(got)}`);
}

export function noKey(got: unknown): TypeError {
  return invalidOption(`loader.load() must be called with a value, but got: ${show(got)}`);
}

export function noKeys(got: unknown): TypeError {
  return invalidOption(
    `loader.loadMany() must be called with an array of keys, but got: ${show(got)}`,
  );
}

export function noSignal(got: unknown): TypeError {
  return invalidOption(`signal must be an AbortSignal, but got: ${show(got)}`);
}

export function threwAtOnce(error: unknown): TypeError {
  const message = `${EXPECTED}, but the function errored synchronously: ${show(error)}`;
  return Object.assign(misuse('ERR_ACACHE_BATCH_RESULT', message), { cause: error });
}

export function noPromise(got: unknown): TypeError {
  const message = `${EXPECTED}, but the function did not return a promise: ${show(got)}`;
  return misuse('ERR_ACACHE_BATCH_RESULT', message);
}

export function noArray(got: unknown): TypeError {
  const message = `${EXPECTED}, but the function did not return a promise of an array: ${show(got)}`;
  return misuse('ERR_ACACHE_BATCH_RESULT', message);
}

export function wrongLength(keys: readonly unknown[], values: ArrayLike<unknown>): TypeError {
  return misuse(
    'ERR_ACACHE_BATCH_LENGTH',
    `${EXPECTED}, but the function did not return a promise of an array of the same length as the ` +
      `array of keys: expected ${keys.length}, but got ${values.length}` +
      `\n\nKeys:\n${show(keys)}\n\nValues:\n${show(Array.from(values))}`,
  );
}

/** The text of anything, whatever its own idea of a text does. */
function show(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
