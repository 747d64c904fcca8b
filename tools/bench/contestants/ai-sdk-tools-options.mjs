import { createCached } from '@ai-sdk-tools/cache';
import { Redis } from 'ioredis';
import { wrapReads } from './ai-sdk-tools.mjs';

/**
 * With what it has options for, written by hand: `cacheKey` with the user, as its manual shows for
 * several tenants, `keyGenerator` and `shouldCache`, which only its types show, and a write that clears
 * the cache once it has run.
 *
 * @type {import('../lib/contestant.mjs').OpenToolSet}
 */
export const openToolSet = async (tools, { effects, currentUser, port }) => {
  const client = port === undefined ? undefined : new Redis(port);
  const wrap = createCached({ cache: client, cacheKey: currentUser });
  const reads = wrapReads(tools, effects, (name, tool) =>
    wrap(tool, {
      keyGenerator: (input, user) => JSON.stringify([name, input, user]),
      shouldCache: (_input, result) => result.isError !== true,
    }),
  );
  const all = Object.entries(reads).map(([name, tool]) => [
    name,
    effects[name].effect === 'read' ? tool : clearing(tool, () => clearAll(reads)),
  ]);
  return {
    tools: Object.fromEntries(all),
    as: (_user, work) => work(),
    close: () => client?.quit(),
  };
};

/** @param {Record<string, any>} tools */
const clearAll = (tools) => Object.values(tools).forEach((tool) => tool.clearCache?.());

/** @param {any} tool @param {() => void} clear */
const clearing = (tool, clear) => ({
  ...tool,
  async execute(/** @type {unknown[]} */ ...args) {
    try {
      return await tool.execute(...args);
    } finally {
      clear();
    }
  },
});
