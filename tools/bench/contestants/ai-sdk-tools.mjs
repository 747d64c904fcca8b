import { cached, createCached } from '@ai-sdk-tools/cache';
import { Redis } from 'ioredis';

/**
 * With the size and ttl that `cached` has by itself: 1000 answers, five minutes. It takes tools of an
 * SDK only, and has nothing for tools that it does not cache.
 *
 * @type {import('../lib/contestant.mjs').OpenCalls}
 */
export const openCalls = ({ load }) => {
  const options = { toolCallId: '1', messages: [], context: undefined };
  const tool = { execute: (/** @type {{ key: string }} */ { key }) => load(key) };
  const { execute } = /** @type {any} */ (cached(/** @type {any} */ (tool)));
  return { call: (key) => execute({ key }, options), within: (work) => work() };
};

/**
 * As the quick start of its manual has it: `createCached()`, or one with a client of Redis, put on each
 * tool that reads.
 *
 * @type {import('../lib/contestant.mjs').OpenToolSet}
 */
export const openToolSet = async (tools, { effects, port }) => {
  const client = port === undefined ? undefined : new Redis(port);
  const wrap = createCached({ cache: client });
  return {
    tools: wrapReads(tools, effects, (_name, tool) => wrap(tool)),
    as: (_user, work) => work(),
    close: () => client?.quit(),
  };
};

/**
 * @param {Record<string, any>} tools
 * @param {Record<string, { effect: string }>} effects
 * @param {(name: string, tool: any) => unknown} wrap
 * @returns {Record<string, any>}
 */
export const wrapReads = (tools, effects, wrap) =>
  Object.fromEntries(
    Object.entries(tools).map(([name, tool]) => [
      name,
      effects[name].effect === 'read' ? wrap(name, tool) : tool,
    ]),
  );
