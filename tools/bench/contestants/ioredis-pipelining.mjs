import { openClient } from './ioredis.mjs';

/**
 * The client with its own way of sending what is asked for at once together.
 *
 * @type {import('../lib/contestant.mjs').OpenTier}
 */
export const openTier = (options) => {
  const client = openClient(options, { enableAutoPipelining: true });
  return { ...client, getMany: (keys) => Promise.all(keys.map(client.get)) };
};
