import { checkTags, describeValue, idOf, InvalidOptionError, snapshotKey } from '@acache/core';

/** Tags or keys: as they are, or by the arguments of a call. */
export type CallList<T> = readonly T[] | ((...args: any[]) => readonly T[]);

/**
 * The tags of a call.
 *
 * @throws InvalidOptionError when they are not an array of texts
 */
export function tagsFor(tags: CallList<string> = [], args: readonly unknown[]): readonly string[] {
  return checkTags(listFor(tags, args, 'tags'));
}

/**
 * The keys of a call.
 *
 * @throws InvalidOptionError when they are not an array
 * @throws CacheError `ERR_ACACHE_UNKEYABLE` for one that is no key
 */
export function keysFor(
  keys: CallList<unknown> = [],
  args: readonly unknown[],
): readonly unknown[] {
  const list = listFor(keys, args, 'keys');
  for (const key of list) idOf(key);
  // What the caller does to a key that is an object must not reach what is invalidated afterwards.
  return list.map(snapshotKey);
}

/** @throws InvalidOptionError when it is neither an array nor a function */
export function checkList(list: unknown, name: string): void {
  if (list === undefined || Array.isArray(list) || typeof list === 'function') return;
  throw new InvalidOptionError(
    `${name} must be an array or a function that returns one, got ${describeValue(list)}`,
  );
}

function listFor<T>(list: CallList<T>, args: readonly unknown[], name: string): readonly T[] {
  const items: unknown = typeof list === 'function' ? list(...args) : list;
  // A text would be taken for its letters.
  if (Array.isArray(items)) return items as readonly T[];
  throw new InvalidOptionError(`${name} must be an array, got ${describeValue(items)}`);
}
