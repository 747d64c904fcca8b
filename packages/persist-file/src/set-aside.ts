import { access, rename } from 'node:fs/promises';
import { CacheError } from '@acache/core';

/** What is found under a path and must not be written to. */
export type AlienReason =
  'a directory' | 'not a file of this cache' | `a file of version ${number}`;

/** Told when something was moved out of the way. */
export function setAsideError(path: string, aside: string, reason: AlienReason): CacheError {
  return new CacheError(
    'ERR_ACACHE_SET_ASIDE',
    `'${path}' is ${reason}; it was renamed to '${aside}', and the cache starts empty`,
  );
}

/** Told when something else is found in the place of the file that is in use. */
export function movedAwayError(path: string, aside: string): CacheError {
  return new CacheError(
    'ERR_ACACHE_SET_ASIDE',
    `what was found at '${path}' is not what this cache wrote there; it was renamed to '${aside}'`,
  );
}

/**
 * Gives what is not ours another name in the same folder; nothing that has the name is overwritten.
 *
 * @returns the new path
 * @throws what the system throws
 */
export async function setAside(path: string, now: number): Promise<string> {
  const stamp = new Date(now).toISOString().replace(/[:.]/g, '-');
  for (let attempt = 0; ; attempt++) {
    const aside = `${path}.bad-${stamp}${attempt === 0 ? '' : `-${attempt}`}`;
    const isFree = await access(aside).then(
      () => false,
      () => true,
    );
    if (!isFree) continue;
    await rename(path, aside);
    return aside;
  }
}
