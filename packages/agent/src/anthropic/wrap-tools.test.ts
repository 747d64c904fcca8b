import Anthropic, { APIUserAbortError } from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { ToolError } from '@anthropic-ai/sdk/lib/tools/ToolError';
import { z } from 'zod';
import { counted, rejection } from '../../test/counted.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { rethrow, runnerOptions, wrapTool, wrapTools } from '../anthropic.js';

let runtime: AgentCacheRuntime;

beforeEach(() => {
  runtime = createAgentCache();
});

interface Use {
  name: string;
  input: unknown;
}
type Step = readonly Use[] | string;

/** A client whose model answers step by step, and repeats the last one. */
function scripted(steps: readonly Step[]) {
  const requests: { messages: { role: string; content: any }[] }[] = [];
  const fetch = async (_: unknown, init: { body: string }): Promise<Response> => {
    requests.push(JSON.parse(init.body));
    const at = requests.length - 1;
    const step = steps[Math.min(at, steps.length - 1)]!;
    const content =
      typeof step === 'string'
        ? [{ type: 'text', text: step }]
        : step.map((use, index) => ({ type: 'tool_use', id: `use-${at}-${index}`, ...use }));
    return Response.json({
      id: `m${at}`,
      type: 'message',
      role: 'assistant',
      model: 'm',
      content,
      stop_reason: typeof step === 'string' ? 'end_turn' : 'tool_use',
      usage: { input_tokens: 1, output_tokens: 1 },
    });
  };
  const client = new Anthropic({ apiKey: 'none', fetch: fetch as never, maxRetries: 0 });
  const paramsOf = (tools: readonly object[]) => ({
    model: 'm',
    max_tokens: 10,
    max_iterations: 9,
    messages: [{ role: 'user' as const, content: 'go' }],
    tools: tools as Parameters<typeof client.beta.messages.toolRunner>[0]['tools'],
  });
  return { client, requests, paramsOf, results: () => resultsIn(requests) };
}

/** What the model was told, by call; a request may hold what is new only. */
function resultsIn(requests: readonly { messages: { content: any }[] }[]): any[] {
  const blocks = requests
    .flatMap(({ messages }) => messages)
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter(({ type }) => type === 'tool_result');
  return [...new Map(blocks.map((block) => [block.tool_use_id, block])).values()];
}

function searchTool() {
  const run = counted(async ({ query }: { query: string }) => `found ${query}`);
  const inputSchema = z.object({ query: z.string() });
  return { run, search: betaZodTool({ name: 'search', description: 'd', inputSchema, run }) };
}

const search = [{ name: 'search', input: { query: 'cats' } }];
const policies = { search: { effect: 'read' } } as const;

describe('a run', () => {
  it('is answered from the cache until a mutation', async () => {
    const cart: string[] = [];
    const read = counted(async () => cart.join() || 'empty');
    const add = counted(async ({ item }: { item: string }) => `${cart.push(item)}`);
    const inputSchema = { type: 'object', properties: { user: { type: 'string' } } } as const;
    const tools = wrapTools(
      [
        betaTool({ name: 'get_cart', description: 'd', inputSchema, run: read }),
        betaTool({ name: 'add_to_cart', description: 'd', inputSchema, run: add as never }),
      ],
      {
        runtime,
        policies: {
          get_cart: { effect: 'read', resource: 'cart:{user}' },
          add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
        },
      },
    );
    const get = [{ name: 'get_cart', input: { user: 'u1' } }];
    const put = [{ name: 'add_to_cart', input: { user: 'u1', item: 'apple' } }];
    const { client, paramsOf, requests, results } = scripted([[...get, ...get], put, get, 'done']);
    const session = runtime.session();
    await session.run(() => client.beta.messages.toolRunner(paramsOf(tools)).runUntilDone());
    expect([read.runs, add.runs, requests.length]).toEqual([2, 1, 4]);
    expect(
      results().map(({ tool_use_id, content }) => [tool_use_id, content] as [string, unknown]),
    ).toEqual([
      ['use-0-0', 'empty'],
      ['use-0-1', 'empty'],
      ['use-1-0', '1'],
      ['use-2-0', 'apple'],
    ]);
    expect(session.getMetrics()).toMatchObject({
      calls: 4,
      joined: 1,
      misses: 3,
      invalidations: 1,
    });
  });

  it('is not ended by a throw alone', async () => {
    const { run, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const tools = wrapTools([tool], { session, policies });
    const { client, paramsOf, requests } = scripted([search]);
    await client.beta.messages.toolRunner(paramsOf(tools)).runUntilDone();
    expect([requests.length, run.runs]).toEqual([9, 1]);
  });

  it('is ended by the signal of the session, and rethrow throws the loop', async () => {
    const { run, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const tools = wrapTools([tool], { session });
    const { client, paramsOf, requests } = scripted([search]);
    const runner = client.beta.messages.toolRunner(paramsOf(tools), runnerOptions(session));
    const error = await rejection(rethrow(session, runner));
    expect(error).toBe(session.halted);
    expect(error).toMatchObject({ kind: 'repeat', tool: 'search', count: 4 });
    expect([requests.length, run.runs]).toEqual([4, 3]);
  });

  it('is ended by another signal as ever', async () => {
    const { search: tool } = searchTool();
    const session = runtime.session();
    const leave = new AbortController();
    leave.abort();
    const { client, paramsOf } = scripted([search]);
    const options = runnerOptions(session, { signal: leave.signal, timeout: 1000 });
    expect(options.timeout).toBe(1000);
    const runner = client.beta.messages.toolRunner(paramsOf([tool]), options);
    expect(await rejection(rethrow(session, runner))).toBeInstanceOf(APIUserAbortError);
  });

  it('is steered by an error result', async () => {
    const { run, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
    const { client, paramsOf, results } = scripted([search, search, 'done']);
    const tools = wrapTools([tool], { session, policies });
    await client.beta.messages.toolRunner(paramsOf(tools)).runUntilDone();
    expect(run.runs).toBe(1);
    expect(results()[1]).toMatchObject({ tool_use_id: 'use-1-0', is_error: true });
    expect(results()[1].content).toContain('search');
  });
});

describe('a tool', () => {
  it('that fails is not kept, and its error reaches the model', async () => {
    const run = counted(async (): Promise<string> => {
      throw new ToolError([{ type: 'text', text: 'no' }]);
    });
    const inputSchema = { type: 'object', properties: {} } as const;
    const pay = betaTool({ name: 'pay', description: 'd', inputSchema, run });
    const session = runtime.session();
    const use = [{ name: 'pay', input: {} }];
    const { client, paramsOf, results } = scripted([use, use, 'done']);
    const tools = wrapTools([pay], { session, policies: { pay: { effect: 'read' } } });
    await client.beta.messages.toolRunner(paramsOf(tools)).runUntilDone();
    expect(run.runs).toBe(2);
    expect(results()[1]).toMatchObject({ is_error: true, content: [{ type: 'text', text: 'no' }] });
    expect(session.getMetrics()).toMatchObject({ errors: 2, hits: 0 });
  });

  it('gets the signal of the flight', async () => {
    const seen: AbortSignal[] = [];
    const inputSchema = { type: 'object', properties: {} } as const;
    const waiting = betaTool({
      name: 'wait',
      description: 'd',
      inputSchema,
      run: (_, context) => {
        seen.push(context!.signal!);
        return new Promise<string>(() => undefined);
      },
    });
    const session = runtime.session();
    const wait = wrapTool(waiting, { session, policy: { effect: 'read' } });
    const leave = new AbortController();
    const toolUse = { type: 'tool_use', id: '1', name: 'wait', input: {} } as never;
    const call = wait.run({}, { toolUse, toolUseBlock: toolUse, signal: leave.signal });
    await new Promise((resolve) => setImmediate(resolve));
    leave.abort(new Error('enough'));
    expect(await rejection(Promise.resolve(call))).toBe(leave.signal.reason);
    expect(seen[0]!.aborted).toBe(true);
  });
});

describe('wrapTools', () => {
  it('keeps all else of a tool, tools that run elsewhere, and toolsets', () => {
    const { search: tool } = searchTool();
    const elsewhere = { type: 'web_search_20250305', name: 'web_search' };
    const toolset = { type: 'computer_toolset_20260801', run: () => [] };
    const [one, other, third] = wrapTools([tool, elsewhere, toolset] as const, { runtime });
    expect(one).toMatchObject({ name: 'search', description: 'd' });
    expect(one.parse).toBe(tool.parse);
    expect(other).toBe(elsewhere);
    expect(third).toBe(toolset);
  });

  it('refuses a policy that names no tool, what runs elsewhere, and what is wrapped', () => {
    const { search: tool } = searchTool();
    expect(() => wrapTools([tool], { policies: { find: { effect: 'read' } } })).toThrow(
      'policies name find, but the tools are search',
    );
    const elsewhere = { type: 'web_search_20250305', name: 'search' };
    expect(() => wrapTools([elsewhere], { policies })).toThrow('search has no run');
    expect(() => wrapTools(wrapTools([tool]))).toThrow('search is wrapped already');
    expect(() => wrapTools(1 as never)).toThrow('takes an array or a record of tools, got');
  });
});
