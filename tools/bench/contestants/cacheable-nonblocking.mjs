import { createKeyvNonBlocking } from '@keyv/redis';
import { openTiered } from './cacheable.mjs';

/**
 * As its manual says for a Redis that may be away. Reads of what memory does not have wait for Redis all
 * the same in this version.
 *
 * @type {import('../lib/contestant.mjs').OpenTier}
 */
export const openTier = (options) =>
  openTiered(options, createKeyvNonBlocking(`redis://127.0.0.1:${options.port}`), {
    nonBlocking: true,
  });
