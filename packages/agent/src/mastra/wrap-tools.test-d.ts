import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { rethrow, wrapTool, wrapTools } from '../mastra.js';
import type { AgentCacheSession } from '../index.js';

declare const session: AgentCacheSession;

const search = createTool({
  id: 'search',
  description: 'd',
  inputSchema: z.object({ query: z.string() }),
  execute: async ({ query }) => ({ found: query }),
});

const tools = wrapTools({ search }, { policies: { search: { effect: 'read' } } });
tools satisfies { search: typeof search };
wrapTool(search, { policy: { effect: 'read' } }) satisfies typeof search;

const agent = new Agent({ id: 'a', name: 'a', instructions: 'i', model: 'none/none', tools });
const run = agent.generate('go', { abortSignal: session.signal });
void (rethrow(session, run) satisfies typeof run);

// @ts-expect-error a policy says what its tool does
wrapTools({ search }, { policies: { search: {} } });
