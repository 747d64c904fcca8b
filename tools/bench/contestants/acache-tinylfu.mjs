import { openCache } from './acache.mjs';

/**
 * With the other policy.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = (options) => openCache(options, 'tinylfu');
