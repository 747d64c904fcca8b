import { Agent, tool, type Tool } from '@openai/agents-core';
import { z } from 'zod';
import { unwrapLoopError, visibleErrors, wrapTool, wrapTools } from '../openai-agents.js';
import type { AgentLoopDetectedError } from '../index.js';

const search = visibleErrors(tool)({
  name: 'search',
  description: 'd',
  parameters: z.object({ query: z.string() }),
  execute: async ({ query }) => {
    query satisfies string;
    return query;
  },
});

const policies = { search: { effect: 'read' } } as const;
const [one] = wrapTools([search] as const, { policies });
one satisfies typeof search;
wrapTool(search, { policy: policies.search }) satisfies typeof search;

declare const mixed: Tool[];
new Agent({ name: 'a', tools: wrapTools(mixed, { policies }) });
new Agent({ name: 'a', tools: wrapTools([search], { policies }) });

unwrapLoopError(new Error()) satisfies AgentLoopDetectedError | undefined;
// @ts-expect-error a policy says what its tool does
wrapTools([search], { policies: { search: {} } });
