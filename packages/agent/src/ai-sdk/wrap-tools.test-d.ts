import { generateText, isStepCount, tool, type ToolSet } from 'ai';
import type { MockLanguageModelV4 } from 'ai/test';
import * as ai6 from 'ai6';
import type { MockLanguageModelV3 } from 'ai6/test';
import { z } from 'zod';
import type { AgentCacheSession } from '../index.js';
import { haltedBy, wrapTool, wrapTools, type AdapterPolicy } from '../ai-sdk.js';

declare const model: MockLanguageModelV4;
declare const session: AgentCacheSession;

const search = tool({
  inputSchema: z.object({ query: z.string() }),
  execute: async ({ query }) => ({ found: [query] }),
});
const clock = tool({ inputSchema: z.object({}), execute: async () => 12 });

const tools = wrapTools(
  { search, clock },
  { session, policies: { search: { effect: 'read', resource: 'docs' } } },
);
const exact: { search: typeof search; clock: typeof clock } = tools;
tools satisfies ToolSet;

void generateText({
  model,
  tools: exact,
  prompt: 'go',
  stopWhen: [isStepCount(5), haltedBy(session), haltedBy()],
}).then(({ toolResults }) => {
  for (const result of toolResults) {
    if (result.dynamic !== true && result.toolName === 'search') {
      result.output.found satisfies string[];
      // @ts-expect-error the output of search is known
      result.output.lost satisfies string[];
    }
  }
});

wrapTool(search, { policy: { name: 'search', effect: 'read' } }) satisfies typeof search;

declare const model6: MockLanguageModelV3;
const search6 = ai6.tool({
  inputSchema: z.object({ query: z.string() }),
  execute: ({ query }) => query,
});
void ai6.generateText({
  model: model6,
  tools: wrapTools({ search6 }, { policies: { search6: { effect: 'read' } } }),
  prompt: 'go',
  stopWhen: [ai6.stepCountIs(5), haltedBy(session)],
});

// Policies may be made elsewhere, and sets be of unknown names.
declare const policies: Record<string, AdapterPolicy>;
wrapTools({ search, clock }, { policies });
declare const set: ToolSet;
wrapTools(set, { policies }) satisfies ToolSet;
wrapTools(set, { policies: { any: { effect: 'mutate' } } });

// @ts-expect-error no tool has this name
wrapTools({ search, clock }, { policies: { serach: { effect: 'read' } } });
// @ts-expect-error a policy says what its tool does
wrapTools({ search, clock }, { policies: { search: { resource: 'docs' } } });
// @ts-expect-error a single tool has no name of its own
wrapTool(search, { policy: { effect: 'read' } });
