import type Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { z } from 'zod';
import type { AgentCacheSession } from '../index.js';
import { rethrow, runnerOptions, wrapTool, wrapTools } from '../anthropic.js';

declare const client: Anthropic;
declare const session: AgentCacheSession;

const search = betaZodTool({
  name: 'search',
  description: 'd',
  inputSchema: z.object({ query: z.string() }),
  run: ({ query }) => `found ${query}`,
});

const policies = { search: { effect: 'read' } } as const;
const [one] = wrapTools([search] as const, { policies });
one satisfies typeof search;
wrapTool(search, { policy: policies.search }) satisfies typeof search;

const runner = client.beta.messages.toolRunner(
  {
    model: 'm',
    max_tokens: 1,
    messages: [],
    tools: wrapTools([search], { session, policies }),
  },
  runnerOptions(session, { timeout: 1000 }),
);
void rethrow(session, runner).then(({ content }) => content);
runnerOptions(session).signal satisfies AbortSignal;

// @ts-expect-error a policy says what its tool does
wrapTools([search], { policies: { search: {} } });
