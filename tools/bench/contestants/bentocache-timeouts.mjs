import { openTiered } from './bentocache.mjs';

/**
 * With the breaker that it documents, and the timeout of its client: its own timeouts are for loaders
 * alone.
 *
 * @type {import('../lib/contestant.mjs').OpenTier}
 */
export const openTier = (options) =>
  openTiered(options, { commandTimeout: 100 }, { l2CircuitBreakerDuration: '1s' });
