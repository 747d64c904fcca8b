import { CacheError } from '../errors.js';

/**
 * The error of bytes that cannot be read.
 * @param found - what was expected and what is there: `expected 8 bytes of a number, and 3 are left`
 * @param at - how many bytes precede what is wrong
 */
export function damagedError(found: string, at: number, cause?: unknown): CacheError {
  return new CacheError(
    'ERR_ACACHE_DAMAGED',
    `Cannot read a value from these bytes: ${found} (at byte ${at})`,
    cause === undefined ? {} : { cause },
  );
}
