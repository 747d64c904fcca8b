import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { fakeModel } from '@langchain/core/testing';
import { DynamicTool, StructuredTool, tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { counted, rejection, times } from '../../test/counted.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { acacheMiddleware, rethrow, wrapTool, wrapTools } from '../langchain.js';

let runtime: AgentCacheRuntime;

beforeEach(() => {
  runtime = createAgentCache();
});

function searchTool() {
  const execute = counted(async ({ query }: { query: string; limit: number }) => `found ${query}`);
  const schema = z.object({ query: z.string(), limit: z.number().default(10) });
  return { execute, search: tool(execute, { name: 'search', description: 'd', schema }) };
}

const policies = { search: { effect: 'read' } } as const;
const toolCall = (id: string, query = 'cats') =>
  ({ type: 'tool_call', id, name: 'search', args: { query } }) as const;

describe('a tool', () => {
  it('is answered from the cache, each call by a message under its own id', async () => {
    const { execute, search } = searchTool();
    const session = runtime.session();
    const [wrapped] = wrapTools([search] as const, { session, policies });
    const one = await wrapped.invoke(toolCall('call_1'));
    const other = await wrapped.invoke(toolCall('call_2'));
    expect(execute.runs).toBe(1);
    expect([one, other]).toMatchObject([
      { content: 'found cats', tool_call_id: 'call_1' },
      { content: 'found cats', tool_call_id: 'call_2' },
    ]);
    expect(ToolMessage.isInstance(other)).toBe(true);
    // What the schema adds is part of the arguments, however they were given.
    expect(await wrapped.invoke({ query: 'cats', limit: 10 })).toBe('found cats');
    expect(execute.runs).toBe(1);
  });

  it('is the same in all else', () => {
    const { search } = searchTool();
    const wrapped = wrapTool(search, { runtime, policy: { effect: 'read' } });
    expect(wrapped).toBeInstanceOf(StructuredTool);
    expect(wrapped).toMatchObject({ name: 'search', description: 'd', schema: search.schema });
  });

  it('of a class keeps its state, and is cached by whichever way it is called', async () => {
    let runs = 0;
    class Lookup extends StructuredTool {
      override name = 'lookup';
      override description = 'd';
      override schema = z.object({ id: z.string() });
      user = 'ann';
      readonly #rows = new Map([['1', 'tea']]);
      override async _call({ id }: { id: string }) {
        runs++;
        return `${this.user}: ${this.#rows.get(id)}`;
      }
      rows() {
        return this.#rows.size;
      }
    }
    const options = {
      session: runtime.session(),
      policies: { lookup: { effect: 'read' } },
    } as const;
    const [lookup] = wrapTools([new Lookup()] as const, options);
    lookup.user = 'bob';
    expect(lookup.rows()).toBe(1);
    const input = { id: '1' };
    expect(await lookup.invoke(input)).toBe('bob: tea');
    const piped = lookup.pipe((text: string) => `${text}!`);
    expect(await piped.invoke(input)).toBe('bob: tea!');
    expect(await lookup.batch([input, input])).toEqual(['bob: tea', 'bob: tea']);
    expect(await lookup.withConfig({ runName: 'named' }).invoke(input)).toBe('bob: tea');
    expect(runs).toBe(1);
  });

  it('of a text, of a class, and of a generator is cached as well', async () => {
    const runs = [0, 0, 0];
    class Mine extends StructuredTool {
      override name = 'mine';
      override description = 'd';
      override schema = z.object({ n: z.number() });
      readonly #secret = 'secret';
      override async _call({ n }: { n: number }) {
        runs[0]!++;
        return `${this.#secret} ${n}`;
      }
    }
    const text = new DynamicTool({
      name: 'text',
      description: 'd',
      func: async (input) => `${input} ${++runs[1]!}`,
    });
    const events: unknown[] = [];
    const generator = tool(
      async function* ({ n }: { n: number }) {
        runs[2]!++;
        yield `part of ${n}`;
        return `all of ${n}`;
      },
      { name: 'generator', description: 'd', schema: z.object({ n: z.number() }) },
    );
    const session = runtime.session();
    const [mine, dynamic, generated] = wrapTools([new Mine(), text, generator] as const, {
      session,
      policies: {
        mine: { effect: 'read' },
        text: { effect: 'read' },
        generator: { effect: 'read' },
      },
    });
    const callbacks = [{ handleToolEvent: (event: unknown) => void events.push(event) }];
    expect(await times(2, () => mine.invoke({ n: 1 }))).toEqual(['secret 1', 'secret 1']);
    expect(await times(2, () => dynamic.invoke('a'))).toEqual(['a 1', 'a 1']);
    expect(
      await times(2, () => generated.invoke({ n: 1 }, { callbacks: callbacks as never })),
    ).toEqual(['all of 1', 'all of 1']);
    expect(runs).toEqual([1, 1, 1]);
    expect(events).toEqual(['part of 1']);
  });

  it('is not kept where it makes the message itself', async () => {
    const execute = counted(
      async (_: unknown, { toolCall }: any) =>
        new ToolMessage({ content: 'x', tool_call_id: toolCall.id }),
    );
    const direct = tool(execute as never, {
      name: 'search',
      description: 'd',
      schema: z.object({}),
    });
    const session = runtime.session();
    const [wrapped] = wrapTools([direct] as const, { session, policies });
    const invoke = wrapped.invoke.bind(wrapped) as (call: object) => Promise<ToolMessage>;
    const answers = [await invoke(toolCall('call_1')), await invoke(toolCall('call_2'))];
    expect(answers.map(({ tool_call_id }) => tool_call_id)).toEqual(['call_1', 'call_2']);
    expect(execute.runs).toBe(2);
  });

  it('varies by its config, and is not cached for everybody where nothing is said of that', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const configOf = (tenant: string) => ({ configurable: { tenant, thread_id: tenant } });
    const { execute, search } = searchTool();
    const vary = (_: unknown, { configurable }: any) => configurable.tenant as string;
    const varying = wrapTool(search, {
      runtime,
      policy: { effect: 'read', scope: 'global', vary },
    });
    for (const tenant of ['a', 'b', 'a']) await varying.invoke(toolCall('1'), configOf(tenant));
    expect(execute.runs).toBe(2);
    const other = createAgentCache();
    const plain = wrapTool(search, { runtime: other, policy: { effect: 'read', scope: 'global' } });
    for (const tenant of ['a', 'a']) await plain.invoke(toolCall('1'), configOf(tenant));
    expect(execute.runs).toBe(4);
    for (const thread_id of ['a', 'b']) {
      await plain.invoke(toolCall('1'), { configurable: { thread_id } });
    }
    expect(execute.runs).toBe(5);
    expect(warning).toHaveBeenCalledTimes(1);
    warning.mockRestore();
  });

  it('is refused in a loop, and steered by a text', async () => {
    const { execute, search } = searchTool();
    const session = runtime.session({ maxToolRepeats: 2 });
    const [wrapped] = wrapTools([search] as const, { session });
    await times(2, () => wrapped.invoke({ query: 'cats' }));
    const error = await rejection(wrapped.invoke({ query: 'cats' }));
    expect(error).toBe(session.halted);
    expect(await rejection(rethrow(session, Promise.reject(new Error('Aborted'))))).toBe(error);
    expect(await rejection(rethrow(session, 1))).toBe(error);
    expect(execute.runs).toBe(2);
    const other = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
    const [steered] = wrapTools([search] as const, { session: other });
    await steered.invoke({ query: 'dogs' });
    expect(await steered.invoke({ query: 'dogs' })).toContain('search');
    expect(await rethrow(other, 1)).toBe(1);
  });

  it('takes the signal of its config', async () => {
    const seen: AbortSignal[] = [];
    const waiting = tool(
      (_, { signal }) => {
        seen.push(signal);
        return new Promise<string>(() => undefined);
      },
      { name: 'search', description: 'd', schema: z.object({}) },
    );
    const session = runtime.session();
    const [wrapped] = wrapTools([waiting] as const, { session, policies });
    const leave = new AbortController();
    const call = wrapped.invoke({}, { signal: leave.signal });
    await new Promise((resolve) => setImmediate(resolve));
    leave.abort(new Error('enough'));
    expect(await rejection(call)).toBeDefined();
    expect(seen[0]!.aborted).toBe(true);
    expect(session.getMetrics()).toMatchObject({ errors: 0 });
  });
});

it('a tool that is wrapped counts once in an agent that has the middleware, too', async () => {
  const { execute, search } = searchTool();
  const session = runtime.session({ maxToolRepeats: 3 });
  let model = fakeModel();
  for (let n = 1; n <= 9; n++) model = model.respondWithTools([toolCall(`call_${n}`)]);
  const agent = createAgent({
    model: model as never,
    tools: wrapTools([search], { session, policies }),
    middleware: [acacheMiddleware({ session })],
  });
  const run = agent.invoke({ messages: [new HumanMessage('go')] });
  expect(await rejection(run)).toMatchObject({ message: session.halted!.message });
  expect([model.callCount, execute.runs]).toEqual([4, 1]);
});

describe('wrapTools', () => {
  it('refuses a policy that names no tool, what runs elsewhere, and what is wrapped', () => {
    const { search } = searchTool();
    expect(() => wrapTools([search], { policies: { find: { effect: 'read' } } })).toThrow(
      'policies name find, but the tools are search',
    );
    const server = { type: 'web_search', name: 'search' };
    expect(wrapTools([server])[0]).toBe(server);
    expect(() => wrapTools([server], { policies })).toThrow('search is no StructuredTool');
    expect(() => wrapTools(wrapTools([search]))).toThrow('search is wrapped already');
    expect(() => wrapTools(1 as never)).toThrow('takes an array or a record of tools, got');
  });
});
