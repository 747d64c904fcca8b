import { Agent } from '@mastra/core/agent';
import { RequestContext } from '@mastra/core/request-context';
import { createTool, Tool } from '@mastra/core/tools';
import { MockLanguageModelV3 } from 'ai6/test';
import { z } from 'zod';
import { modelScript, type ModelStep } from '../../test/ai-model.js';
import { counted, rejection } from '../../test/counted.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { rethrow, wrapTool, wrapTools } from '../mastra.js';

let runtime: AgentCacheRuntime;

beforeEach(() => {
  runtime = createAgentCache();
});

function agentOf(tools: Record<string, object>, steps: readonly ModelStep[]) {
  const model = new MockLanguageModelV3(modelScript(steps));
  const agent = new Agent({
    id: 'a',
    name: 'a',
    instructions: 'i',
    model: model,
    tools: tools as never,
  });
  return { agent, model };
}

const calls = (model: MockLanguageModelV3) =>
  model.doGenerateCalls.length + model.doStreamCalls.length;

function searchTool() {
  const execute = counted(async ({ query }: { query: string }) => ({ found: query }));
  const inputSchema = z.object({ query: z.string() });
  return { execute, search: createTool({ id: 'search', description: 'd', inputSchema, execute }) };
}

const search = [{ tool: 'search', input: { query: 'cats' } }];
const policies = { search: { effect: 'read' } } as const;

describe('an agent', () => {
  it('is answered from the cache until a mutation', async () => {
    const cart: string[] = [];
    const read = counted(async () => ({ items: [...cart] }));
    const add = counted(async ({ item }: { item: string }) => ({ size: cart.push(item) }));
    const tools = wrapTools(
      {
        get_cart: createTool({
          id: 'get-cart',
          description: 'd',
          inputSchema: z.object({ user: z.string() }),
          execute: read,
        }),
        add_to_cart: createTool({
          id: 'add-to-cart',
          description: 'd',
          inputSchema: z.object({ user: z.string(), item: z.string() }),
          execute: add,
        }),
      },
      {
        runtime,
        policies: {
          get_cart: { effect: 'read', resource: 'cart:{user}' },
          // By its id.
          ['add-to-cart' as 'add_to_cart']: { effect: 'mutate', resource: 'cart:{user}' },
        },
      },
    );
    const get = [{ tool: 'get_cart', input: { user: 'u1' } }];
    const put = [{ tool: 'add_to_cart', input: { user: 'u1', item: 'apple' } }];
    const { agent, model } = agentOf(tools, [get, get, put, get, 'done']);
    const session = runtime.session();
    const result = await session.run(() => agent.generate('go', { maxSteps: 10 }));
    expect(result.text).toBe('done');
    expect([read.runs, add.runs, calls(model)]).toEqual([2, 1, 5]);
    expect(session.getMetrics()).toMatchObject({ calls: 4, hits: 1, misses: 2, invalidations: 1 });
  });

  it('is not ended by a throw alone', async () => {
    const { execute, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const tools = wrapTools({ search: tool }, { session, policies });
    const { agent, model } = agentOf(tools, [search]);
    await agent.generate('go', { maxSteps: 9 });
    expect([calls(model), execute.runs]).toEqual([9, 1]);
  });

  it('is ended by the signal of the session, and rethrow throws the loop', async () => {
    const { execute, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const tools = wrapTools({ search: tool }, { session, policies });
    const { agent, model } = agentOf(tools, [search]);
    const run = agent.generate('go', { maxSteps: 9, abortSignal: session.signal });
    const error = await rejection(rethrow(session, run));
    expect(error).toBe(session.halted);
    expect(error).toMatchObject({ kind: 'repeat', tool: 'search', count: 4 });
    expect([calls(model), execute.runs]).toEqual([4, 1]);
  });

  it('is ended in a stream, also by a tool without a policy', async () => {
    const { execute, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const { agent, model } = agentOf(wrapTools({ search: tool }, { session }), [search]);
    const stream = await agent.stream('go', { maxSteps: 9, abortSignal: session.signal });
    await stream.consumeStream();
    expect([calls(model), execute.runs]).toEqual([4, 3]);
    expect(session.halted).toMatchObject({ kind: 'repeat' });
  });

  it('is steered by an error result', async () => {
    const { execute, search: tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
    const tools = wrapTools({ search: tool }, { session, policies });
    const { agent, model } = agentOf(tools, [search, search, 'done']);
    const { text } = await agent.generate('go', { maxSteps: 9 });
    expect(text).toBe('done');
    expect(execute.runs).toBe(1);
    const prompt = JSON.stringify(
      [...model.doGenerateCalls, ...model.doStreamCalls].at(-1)!.prompt,
    );
    expect(prompt).toContain('error-text');
  });
});

describe('a tool', () => {
  it('is the same in all else', () => {
    const { search: tool } = searchTool();
    const wrapped = wrapTool(tool, { runtime, policy: { effect: 'read' } });
    expect(wrapped).toBeInstanceOf(Tool);
    expect(wrapped).toMatchObject({ id: 'search', description: 'd' });
    expect(wrapped.inputSchema).toBe(tool.inputSchema);
  });

  it('is validated no more often than without this', async () => {
    const resultOf = async (wrap: <T extends object>(tools: T) => T): Promise<unknown> => {
      const tool = createTool({
        id: 'search',
        description: 'd',
        inputSchema: z.object({ n: z.number().transform((n) => n + 1) }),
        execute: async ({ n }: { n: number }) => n,
      });
      const steps = [[{ tool: 'search', input: { n: 1 } }], 'done'];
      const { agent } = agentOf(wrap({ search: tool }), steps);
      const result = await agent.generate('go', { maxSteps: 9 });
      return result.steps[0]!.toolResults[0]!.payload.result;
    };
    const bare = await resultOf((tools) => tools);
    const session = runtime.session();
    expect(await resultOf((tools) => wrapTools(tools as never, { session }))).toBe(bare);
  });

  it('is not kept where its arguments do not fit, or it fails', async () => {
    const failing = createTool({
      id: 'pay',
      description: 'd',
      inputSchema: z.object({ n: z.number() }),
      execute: async (): Promise<string> => {
        throw new Error('no');
      },
    });
    const session = runtime.session();
    const [pay] = [wrapTool(failing, { session, policy: { effect: 'read' } })];
    const call = pay.execute as (input: unknown, context?: object) => Promise<unknown>;
    expect(await call({ n: 'one' }, {})).toMatchObject({ error: true });
    expect(await rejection(call({ n: 1 }))).toMatchObject({ message: 'no' });
    expect(session.getMetrics()).toMatchObject({ errors: 2, hits: 0, misses: 2 });
  });

  it('is not kept where it suspends, nor answered from the cache where it resumes', async () => {
    const execute = counted(async (_: unknown, context: any) => {
      if (context.agent.resumeData) return `got ${context.agent.resumeData.answer as string}`;
      return (await context.agent.suspend({ question: 'sure?' })) as undefined;
    });
    const tool = createTool({ id: 'ask', description: 'd', execute: execute as never });
    const session = runtime.session();
    const ask = wrapTool(tool, { session, policy: { effect: 'read' } });
    const call = ask.execute as (input: unknown, context?: object) => Promise<unknown>;
    const suspended: unknown[] = [];
    const agent = { agentId: 'a', suspend: (payload: unknown) => void suspended.push(payload) };
    const before = { agent };
    await Promise.all([call({}, before), call({}, { agent })]);
    expect(before).toEqual({ agent });
    expect(suspended).toHaveLength(2);
    await call({}, { agent });
    expect(suspended).toHaveLength(3);
    const resumeData = { answer: 'yes' };
    expect(await call({}, { agent: { ...agent, resumeData } })).toBe('got yes');
    expect(execute.runs).toBe(4);
  });

  it('gets the signal of the flight, which fires when its caller leaves', async () => {
    const seen: AbortSignal[] = [];
    const waiting = createTool({
      id: 'wait',
      description: 'd',
      execute: (_: unknown, context: any) => {
        seen.push(context.abortSignal);
        return new Promise<string>(() => undefined);
      },
    });
    const session = runtime.session();
    const wait = wrapTool(waiting, { session, policy: { effect: 'read' } });
    const call = wait.execute as (input: unknown, context?: object) => Promise<unknown>;
    const leave = new AbortController();
    const context = Object.freeze({ abortSignal: leave.signal });
    const calls = [call({}, context), call({}, context)];
    await new Promise((resolve) => setImmediate(resolve));
    leave.abort(new Error('enough'));
    expect(await rejection(calls[0]!)).toBe(leave.signal.reason);
    expect(await rejection(calls[1]!)).toBe(leave.signal.reason);
    expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('varies by its request context, which an answer for everybody may not leave out', async () => {
    const { execute, search: tool } = searchTool();
    const vary = (_: unknown, { requestContext }: any) => requestContext.get('tenant') as string;
    const policy = { effect: 'read', scope: 'global', vary } as const;
    const varying = wrapTool(tool, { runtime, policy });
    const contextOf = (tenant: string) => ({
      requestContext: new RequestContext([['tenant', tenant]] as never),
    });
    const call = varying.execute as (input: unknown, context?: object) => Promise<unknown>;
    for (const tenant of ['a', 'b', 'a']) await call({ query: 'cats' }, contextOf(tenant));
    expect(execute.runs).toBe(2);

    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const plain = wrapTool(tool, {
      runtime: createAgentCache(),
      policy: { effect: 'read', scope: 'global' },
    });
    const other = plain.execute as typeof call;
    for (const tenant of ['a', 'a']) await other({ query: 'cats' }, contextOf(tenant));
    expect(execute.runs).toBe(4);
    for (const context of [{ requestContext: new RequestContext() }, {}])
      await other({ query: 'cats' }, context);
    expect(execute.runs).toBe(5);
    warning.mockRestore();

    const reading = createTool({
      id: 'search',
      description: 'd',
      requestContextSchema: z.object({ tenant: z.string() }),
      execute: async () => 1,
    });
    const policies = { search: { effect: 'read', scope: 'global' } } as const;
    expect(() => wrapTools({ search: reading }, { policies })).toThrow(
      'search reads its requestContext, so that an answer for everybody needs vary',
    );
  });
});

describe('wrapTools', () => {
  it('refuses a policy that names no tool, what runs elsewhere, and what is wrapped', () => {
    const { search: tool } = searchTool();
    expect(() =>
      wrapTools({ search: tool }, { policies: { find: { effect: 'read' } } as never }),
    ).toThrow('policies name find, but the tools are search');
    const elsewhere = createTool({ id: 'search', description: 'd' });
    expect(wrapTools({ search: elsewhere }).search).toBe(elsewhere);
    expect(() => wrapTools({ search: elsewhere }, { policies })).toThrow('search has no execute');
    expect(() => wrapTools(wrapTools({ search: tool }))).toThrow('search is wrapped already');
    expect(() => wrapTools([] as never)).toThrow('takes a record of tools by name, got an array');
  });
});
