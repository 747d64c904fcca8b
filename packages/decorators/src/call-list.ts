import { describeValue, InvalidOptionError } from '@acache/core';

/** Tags or keys: as they are, or by the arguments of a call. */
export type CallList<T> = readonly T[] | ((...args: any[]) => readonly T[]);

/**
 * The tags or keys of a call.
 *
 * @throws InvalidOptionError when the function does not return an array
 */
export function listFor<T>(
  list: CallList<T>,
  args: readonly unknown[],
  name: string,
): readonly T[] {
  const items = typeof list === 'function' ? list(...args) : list;
  // A text would be taken for its letters.
  if (Array.isArray(items)) return items as readonly T[];
  throw new InvalidOptionError(`${name} must be an array, got ${describeValue(items)}`);
}

/** @throws InvalidOptionError when it is neither an array nor a function */
export function checkList(list: unknown, name: string): void {
  if (list === undefined || Array.isArray(list) || typeof list === 'function') return;
  throw new InvalidOptionError(
    `${name} must be an array or a function that returns one, got ${describeValue(list)}`,
  );
}
