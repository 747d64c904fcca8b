import { HumanMessage, AIMessage, ToolMessage, type BaseMessage } from '@langchain/core/messages';
import { fakeModel } from '@langchain/core/testing';
import { Command, interrupt, MemorySaver } from '@langchain/langgraph';
import { createAgent, createMiddleware, tool } from 'langchain';
import { z } from 'zod';
import { counted, rejection } from '../../test/counted.js';
import { AgentLoopDetectedError, createAgentCache, type AgentCacheRuntime } from '../index.js';
import { acacheMiddleware, unwrapLoopError, type AcacheMiddlewareOptions } from '../langchain.js';

let runtime: AgentCacheRuntime;
let calls = 0;

beforeEach(() => {
  runtime = createAgentCache();
  calls = 0;
});

const call = (name: string, args: Record<string, unknown> = {}) => ({
  name,
  args,
  id: `call_${++calls}`,
});
const search = () => [call('search', { query: 'cats' })];

type Calls = ReturnType<typeof search>;

/** An agent, as far as it is used here: its own types depend on all that it was made of. */
interface Runnable {
  invoke(input: unknown, config?: object): Promise<any>;
}

function agentOf(
  tools: object[],
  steps: readonly Calls[],
  options: AcacheMiddlewareOptions,
  {
    ending = 'done',
    ...more
  }: { ending?: string; checkpointer?: MemorySaver; contextSchema?: any; others?: object[] } = {},
) {
  let model = fakeModel();
  for (const step of steps) model = model.respondWithTools(step);
  model = model.respond(new AIMessage(ending));
  const { others = [], ...agentOptions } = more;
  const agent = createAgent({
    model: model as never,
    tools: tools as never,
    middleware: [acacheMiddleware({ runtime, ...options }), ...others] as never,
    ...agentOptions,
  });
  return { agent, model };
}

async function run(...given: Parameters<typeof agentOf>) {
  const { agent, model } = agentOf(...given);
  const outcome = await (agent as unknown as Runnable)
    .invoke({ messages: [new HumanMessage('go')] }, { recursionLimit: 50 })
    .then(
      ({ messages }: { messages: BaseMessage[] }) => ({
        messages,
        answers: messages.filter((message) => ToolMessage.isInstance(message)),
        error: undefined,
      }),
      (error: unknown) => ({ messages: [], answers: [], error }),
    );
  return { ...outcome, model };
}

function searchTool() {
  const execute = counted(async ({ query }: { query: string }) => `found ${query}`);
  const schema = z.object({ query: z.string() });
  return { execute, search: tool(execute, { name: 'search', description: 'd', schema }) };
}

describe('an agent with the middleware', () => {
  it('is answered from the cache until a mutation', async () => {
    const cart: string[] = [];
    const read = counted(async () => cart.join());
    const add = counted(async ({ item }: { item: string }) => `${cart.push(item)}`);
    const schema = z.object({ user: z.string() });
    const getCart = tool(read, { name: 'get_cart', description: 'd', schema });
    const addToCart = tool(add, {
      name: 'add_to_cart',
      description: 'd',
      schema: schema.extend({ item: z.string() }),
    });
    const get = () => [call('get_cart', { user: 'u1' })];
    const session = runtime.session();
    const put = [call('add_to_cart', { user: 'u1', item: 'apple' })];
    const { answers } = await run([getCart, addToCart], [get(), get(), put, get()], {
      session,
      policies: {
        get_cart: { effect: 'read', resource: 'cart:{user}' },
        add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
      },
    });
    expect([read.runs, add.runs]).toEqual([2, 1]);
    expect(answers.map(({ content }) => content)).toEqual(['', '', '1', 'apple']);
    expect(session.getMetrics()).toMatchObject({ calls: 4, hits: 1, misses: 2, invalidations: 1 });
  });

  it('answers each call under its own id, and keeps content, artifact and name', async () => {
    const execute = counted(async () => ['the text', { rows: [1] }] as [string, object]);
    const rows = tool(execute, {
      name: 'rows',
      description: 'd',
      schema: z.object({}),
      responseFormat: 'content_and_artifact',
    });
    const { answers } = await run([rows], [[call('rows'), call('rows')], [call('rows')]], {
      session: runtime.session(),
      policies: { rows: { effect: 'read' } },
    });
    expect(execute.runs).toBe(1);
    expect(answers.map(({ tool_call_id }) => tool_call_id)).toEqual(['call_1', 'call_2', 'call_3']);
    for (const answer of answers) {
      expect(answer).toMatchObject({ content: 'the text', artifact: { rows: [1] }, name: 'rows' });
    }
    expect(new Set(answers.map(({ artifact }) => artifact as unknown)).size).toBe(3);
  });

  it('finds the session around the run', async () => {
    const { execute, search: tool1 } = searchTool();
    await runtime
      .session()
      .run(() => run([tool1], [search(), search()], { policies: { search: { effect: 'read' } } }));
    expect(execute.runs).toBe(1);
  });

  describe('and a loop', () => {
    it('is ended', async () => {
      const { execute, search: tool1 } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const steps = Array.from({ length: 10 }, search);
      const { error, model } = await run([tool1], steps, { session });
      expect(unwrapLoopError(error)).toBe(session.halted);
      expect(session.halted).toBeInstanceOf(AgentLoopDetectedError);
      expect([model.callCount, execute.runs]).toEqual([4, 3]);
    });

    it('is ended also when that is found inside a tool', async () => {
      const inner = runtime.read({ name: 'inner' }, async (_: string) => 'x');
      const outer = tool(async ({ n: _ }) => inner('same').catch(() => 'swallowed'), {
        name: 'outer',
        description: 'd',
        schema: z.object({ n: z.number() }),
      });
      const session = runtime.session({ maxToolRepeats: 3 });
      const steps = Array.from({ length: 10 }, (_, n) => [call('outer', { n })]);
      const { error, model } = await session.run(() => run([outer], steps, {}));
      expect(unwrapLoopError(error)).toBe(session.halted);
      expect(model.callCount).toBe(4);
    });

    it('is steered by an error message', async () => {
      const { execute, search: tool1 } = searchTool();
      const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
      const { answers } = await run([tool1], [search(), search()], { session });
      expect(execute.runs).toBe(1);
      expect(answers[1]).toMatchObject({ status: 'error', tool_call_id: 'call_2', name: 'search' });
      expect(answers[1]!.content).toContain('search');
    });

    it('is short-circuited to a message of its own', async () => {
      const { execute, search: tool1 } = searchTool();
      const session = runtime.session({ maxToolRepeats: 1, onLoop: 'short-circuit' });
      const { answers } = await run([tool1], [search(), search()], {
        session,
        policies: { search: { effect: 'mutate' } },
      });
      expect(execute.runs).toBe(1);
      expect(answers[1]).toMatchObject({ content: 'found cats', tool_call_id: 'call_2' });
    });
  });

  describe('and errors of tools', () => {
    const failing = () => {
      const execute = counted(async (_: { n: number }): Promise<string> => {
        throw new Error('no');
      });
      const schema = z.object({ n: z.number() });
      return { execute, pay: tool(execute, { name: 'pay', description: 'd', schema }) };
    };

    it('tells the model, and keeps none', async () => {
      const { execute, pay } = failing();
      const session = runtime.session();
      const steps = [[call('pay', { n: 1 })], [call('pay', { n: 1 })]];
      const { answers } = await run([pay], steps, {
        session,
        policies: { pay: { effect: 'read' } },
      });
      expect(execute.runs).toBe(2);
      expect(answers).toMatchObject([
        { status: 'error', content: 'Error: no\n Please fix your mistakes.' },
        { status: 'error', tool_call_id: 'call_2' },
      ]);
      expect(session.getMetrics()).toMatchObject({ errors: 2, hits: 0 });
    });

    it('lets them end the run where that is asked for', async () => {
      const { pay } = failing();
      const options = { session: runtime.session(), toolErrors: 'throw' } as const;
      const { error } = await run([pay], [[call('pay', { n: 1 })]], options);
      expect(error).toMatchObject({ message: 'no' });
    });

    it('tells the model of wrong arguments as ever', async () => {
      const { execute, pay } = failing();
      const options = {
        session: runtime.session(),
        policies: { pay: { effect: 'read' } },
      } as const;
      const { answers } = await run([pay], [[call('pay', { n: 'one' })]], options);
      expect(execute.runs).toBe(0);
      expect(answers[0]).toMatchObject({ status: 'error' });
      expect(answers[0]!.content).toContain('did not match expected schema');
    });

    it('counts those that a tool returns as a message', async () => {
      const execute = counted(
        async (_: unknown, { toolCall }: { toolCall: { id: string } }) =>
          new ToolMessage({ content: 'no', status: 'error', tool_call_id: toolCall.id }),
      );
      const pay = tool(execute as never, { name: 'pay', description: 'd', schema: z.object({}) });
      const session = runtime.session();
      await run([pay], [[call('pay')], [call('pay')]], {
        session,
        policies: { pay: { effect: 'read' } },
      });
      expect(execute.runs).toBe(2);
      expect(session.getMetrics()).toMatchObject({ errors: 2, hits: 0 });
    });
  });

  it.each(['ended', 'aborted'])('ends the run where its session has %s', async (how) => {
    const { search: tool1 } = searchTool();
    const leave = new AbortController();
    const session = runtime.session({ signal: leave.signal });
    if (how === 'ended') await session.end();
    else leave.abort(new Error('enough'));
    const { error, model } = await run([tool1], [search(), search()], { session });
    expect(String(error)).toContain(how === 'ended' ? 'ended' : 'enough');
    expect(model.callCount).toBe(1);
  });

  it('leaves interrupts to the graph', async () => {
    const ask = tool(() => `${interrupt<string, string>('sure?')}!`, {
      name: 'ask',
      description: 'd',
      schema: z.object({}),
    });
    const session = runtime.session();
    const { agent } = agentOf(
      [ask],
      [[call('ask')]],
      { session },
      { checkpointer: new MemorySaver() },
    );
    const config = { configurable: { thread_id: '1' } };
    const runnable = agent as unknown as Runnable;
    const first = await runnable.invoke({ messages: [new HumanMessage('go')] }, config);
    expect(first.__interrupt__).toMatchObject([{ value: 'sure?' }]);
    const second = await runnable.invoke(new Command({ resume: 'yes' }), config);
    expect(second.messages.at(-2)).toMatchObject({ content: 'yes!', tool_call_id: 'call_1' });
  });

  it('never keeps a command', async () => {
    const execute = counted(
      async (_: unknown, { toolCall }: { toolCall: { id: string } }) =>
        new Command({
          update: { messages: [new ToolMessage({ content: 'set', tool_call_id: toolCall.id })] },
        }),
    );
    const set = tool(execute as never, { name: 'set', description: 'd', schema: z.object({}) });
    const { answers, error } = await run([set], [[call('set'), call('set')], [call('set')]], {
      session: runtime.session(),
      policies: { set: { effect: 'read' } },
    });
    expect(error).toBeUndefined();
    expect(answers.map(({ tool_call_id }) => tool_call_id)).toEqual(['call_1', 'call_2', 'call_3']);
    expect(execute.runs).toBe(3);
  });

  it('answers the repeat of a command by a message, where it short-circuits', async () => {
    const execute = counted(
      async (_: unknown, { toolCall }: { toolCall: { id: string } }) =>
        new Command({
          update: { messages: [new ToolMessage({ content: 'set', tool_call_id: toolCall.id })] },
        }),
    );
    const set = tool(execute as never, { name: 'set', description: 'd', schema: z.object({}) });
    const { answers } = await run([set], [[call('set')], [call('set')]], {
      session: runtime.session({ maxToolRepeats: 1, onLoop: 'short-circuit' }),
      policies: { set: { effect: 'mutate' } },
    });
    expect(execute.runs).toBe(1);
    expect(answers[1]).toMatchObject({ tool_call_id: 'call_2' });
  });

  it('comes before middleware that retries, which is one call to it', async () => {
    let attempts = 0;
    const flaky = tool(
      async () => {
        if (++attempts < 3) throw new Error('no');
        return 'yes';
      },
      { name: 'flaky', description: 'd', schema: z.object({}) },
    );
    const retry = createMiddleware({
      name: 'retry',
      wrapToolCall: async (request, handler) => {
        for (;;) {
          try {
            return await handler(request);
          } catch (error) {
            if (attempts >= 3) throw error;
          }
        }
      },
    });
    const session = runtime.session();
    const { answers } = await run([flaky], [[call('flaky')]], { session }, { others: [retry] });
    expect(answers[0]).toMatchObject({ content: 'yes' });
    expect(session.getMetrics()).toMatchObject({ calls: 1, errors: 0 });
  });

  it('warns of a policy that names no tool, with those that there are', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { search: tool1 } = searchTool();
    const policies = { serach: { effect: 'read' } } as const;
    await run([tool1], [search()], { session: runtime.session(), policies });
    expect(warning.mock.calls.map(([message]) => message)).toContainEqual(
      expect.stringContaining('policies name serach, but the tools are search'),
    );
    warning.mockRestore();
  });

  it('refuses a policy that cannot be meant', () => {
    expect(() => acacheMiddleware({ policies: { search: {} } as never })).toThrow(
      "the policy of search must say its effect, 'read' or 'mutate', got undefined",
    );
  });
});

it('a run is halted by the signal of its session, too', async () => {
  const { search: tool1 } = searchTool();
  const session = runtime.session({ maxToolRepeats: 3 });
  const { agent, model } = agentOf([tool1], Array.from({ length: 10 }, search), { session });
  const runnable = agent as unknown as Runnable;
  const input = { messages: [new HumanMessage('go')] };
  await rejection(runnable.invoke(input, { signal: session.signal }));
  expect(model.callCount).toBe(4);
});
