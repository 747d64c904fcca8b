import type { FakeBuiltModel } from '@langchain/core/testing';
import { tool } from '@langchain/core/tools';
import { createAgent, type AgentMiddleware } from 'langchain';
import { z } from 'zod';
import { acacheMiddleware, wrapTool, wrapTools } from '../langchain.js';

declare const model: FakeBuiltModel;

const search = tool(async ({ query }) => `found ${query}`, {
  name: 'search',
  description: 'd',
  schema: z.object({ query: z.string() }),
});
const policies = { search: { effect: 'read' } } as const;

const [one] = wrapTools([search] as const, { policies });
one satisfies typeof search;
wrapTool(search, { policy: policies.search }) satisfies typeof search;

acacheMiddleware({ policies, toolErrors: 'throw' }) satisfies AgentMiddleware;
createAgent({ model, tools: [search], middleware: [acacheMiddleware({ policies })] as const });

// @ts-expect-error a policy says what its tool does
acacheMiddleware({ policies: { search: {} } });
