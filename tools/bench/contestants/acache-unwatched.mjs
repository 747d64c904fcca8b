import { openAgentCalls } from './acache.mjs';

/**
 * In a session that looks for no loops.
 *
 * @type {import('../lib/contestant.mjs').OpenCalls}
 */
export const openCalls = (options) => openAgentCalls(options, { loopDetection: false });
