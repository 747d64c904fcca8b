import { openTiered } from './layered-loader.mjs';

/**
 * With the timeout that it documents, and that of its client: its own does nothing in this version.
 *
 * @type {import('../lib/contestant.mjs').OpenTier}
 */
export const openTier = (options) =>
  openTiered(options, { commandTimeout: 100 }, { timeoutInMsecs: 100 });
