import { Agent, Runner, setTracingDisabled, tool, type Tool } from '@openai/agents-core';
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents-core/testing';
import { z } from 'zod';
import { counted, rejection } from '../../test/counted.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { unwrapLoopError, visibleErrors, wrapTool, wrapTools } from '../openai-agents.js';

setTracingDisabled(true);

let runtime: AgentCacheRuntime;
let calls = 0;

beforeEach(() => {
  runtime = createAgentCache();
  calls = 0;
});

const call = (name: string, args: Record<string, unknown> = {}) =>
  functionCall(name, args, { callId: `call_${++calls}` });

/** Runs an agent on a script; what the script does not have is an error of the model. */
async function run(
  tools: readonly Tool[],
  steps: ConstructorParameters<typeof ScriptedModel>[0],
  options: { context?: unknown; signal?: AbortSignal; maxTurns?: number } = {},
) {
  const model = new ScriptedModel(steps);
  const agent = new Agent({ name: 'a', model, tools: [...tools] });
  const outcome = await new Runner().run(agent, 'go', options).then(
    (result) => ({
      error: undefined,
      output: result.finalOutput,
      answers: result.newItems.flatMap((item) =>
        item.type === 'tool_call_output_item' ? [[item.rawItem, item.output]] : [],
      ),
    }),
    (error: unknown) => ({ error, output: undefined, answers: [] }),
  );
  return { ...outcome, model };
}

function searchTool() {
  const execute = counted(async ({ query }: { query: string }) => `found ${query}`);
  const parameters = z.object({ query: z.string() });
  return { execute, tool: tool({ name: 'search', description: 'd', parameters, execute }) };
}

const search = () => [call('search', { query: 'cats' })];

describe('an agent', () => {
  it('is answered from the cache until a mutation', async () => {
    const cart: string[] = [];
    const read = counted(async () => cart.join());
    const add = counted(async ({ item }: { item: string }) => `${cart.push(item)}`);
    const tools = wrapTools(
      [
        tool({
          name: 'get_cart',
          description: 'd',
          parameters: z.object({ user: z.string() }),
          execute: read,
        }),
        tool({
          name: 'add_to_cart',
          description: 'd',
          parameters: z.object({ user: z.string(), item: z.string() }),
          execute: add,
        }),
      ],
      {
        runtime,
        policies: {
          get_cart: { effect: 'read', resource: 'cart:{user}' },
          add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
        },
      },
    );
    const session = runtime.session();
    const get = () => [call('get_cart', { user: 'u1' })];
    const { answers, output } = await session.run(() =>
      run(tools, [
        get(),
        get(),
        [call('add_to_cart', { user: 'u1', item: 'apple' })],
        get(),
        [assistantMessage('done')],
      ]),
    );
    expect(output).toBe('done');
    expect([read.runs, add.runs]).toEqual([2, 1]);
    expect(answers.map(([item, value]) => [(item as { callId: string }).callId, value])).toEqual([
      ['call_1', ''],
      ['call_2', ''],
      ['call_3', '1'],
      ['call_4', 'apple'],
    ]);
  });

  it('has its identical parallel calls joined, each answered under its own id', async () => {
    const { execute, tool } = searchTool();
    const session = runtime.session();
    const tools = wrapTools([tool], { session, policies: { search: { effect: 'read' } } });
    const { answers } = await run(tools, [[...search(), ...search()], [assistantMessage('done')]]);
    expect(execute.runs).toBe(1);
    expect(answers.map(([item]) => (item as { callId: string }).callId)).toEqual([
      'call_1',
      'call_2',
    ]);
    expect(session.getMetrics()).toMatchObject({ joined: 1 });
  });

  it('is ended by a loop, with an error that holds ours', async () => {
    const { execute, tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const tools = wrapTools([tool], { session, policies: { search: { effect: 'read' } } });
    const steps = Array.from({ length: 10 }, search);
    const { error, model } = await run(tools, steps);
    expect(error).toMatchObject({ name: 'ToolCallError' });
    expect(unwrapLoopError(error)).toBe(session.halted);
    expect(session.halted).toMatchObject({ kind: 'repeat', tool: 'search' });
    expect([model.calls.length, execute.runs]).toEqual([4, 1]);
  });

  it('is ended by a loop of a tool without a policy, and of one that is found inside a tool', async () => {
    const { execute, tool: search1 } = searchTool();
    const session = runtime.session({ maxToolRepeats: 3 });
    const steps = () => Array.from({ length: 10 }, search);
    const first = await run(wrapTools([search1], { session }), steps());
    expect([first.model.calls.length, execute.runs]).toEqual([4, 3]);

    const inner = runtime.read({ name: 'inner' }, async (_: string) => 'x');
    const other = runtime.session({ maxToolRepeats: 2 });
    const outer = tool({
      name: 'search',
      description: 'd',
      parameters: z.object({ query: z.string() }),
      execute: () => inner('same'),
    });
    const tools = wrapTools([outer], {
      runtime,
      policies: { search: { effect: 'unknown', loop: false } },
    });
    const second = await other.run(() => run(tools, steps()));
    expect(unwrapLoopError(second.error)).toBe(other.halted);
    expect(second.model.calls.length).toBe(3);
  });

  it('is steered by a text', async () => {
    const { execute, tool } = searchTool();
    const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
    const tools = wrapTools([tool], { session, policies: { search: { effect: 'read' } } });
    const { answers, output } = await run(tools, [search(), search(), [assistantMessage('done')]]);
    expect(output).toBe('done');
    expect(execute.runs).toBe(1);
    expect(answers[1]![1]).toContain('search');
  });
});

describe('failures', () => {
  const failing = (options: object) => {
    const execute = counted(async ({ n }: { n: number }): Promise<string> => {
      throw new Error(`no ${n}`);
    });
    return {
      execute,
      options: {
        name: 'pay',
        description: 'd',
        parameters: z.object({ n: z.number() }),
        execute,
        ...options,
      },
    };
  };
  const pay = (n: number) => [call('pay', { n })];

  it('are known by the default text', async () => {
    const { execute, options } = failing({});
    const session = runtime.session();
    const tools = wrapTools([tool(options)], { session, policies: { pay: { effect: 'read' } } });
    await run(tools, [pay(1), pay(1), [assistantMessage('done')]]);
    expect(execute.runs).toBe(2);
    expect(session.getMetrics()).toMatchObject({ errors: 2, hits: 0 });
  });

  it('are known whatever the text, where they are made visible', async () => {
    const errorFunction = () => 'try later';
    const { execute, options } = failing({ errorFunction });
    const session = runtime.session({ maxToolFailures: 3 });
    const tools = wrapTools([visibleErrors(tool)(options)], {
      session,
      policies: { pay: { effect: 'read' } },
    });
    const { error } = await run(tools, [
      pay(1),
      pay(1),
      pay(2),
      pay(3),
      [assistantMessage('done')],
    ]);
    expect(unwrapLoopError(error)).toMatchObject({ kind: 'retry-storm' });
    expect(execute.runs).toBe(3);
    const { answers } = await run(
      wrapTools([visibleErrors(tool)(options)], { runtime, session: runtime.session() }),
      [pay(1), [assistantMessage('done')]],
    );
    expect(answers[0]![1]).toBe('try later');
  });

  it('are known where the SDK hands them on', async () => {
    const { execute, options } = failing({ errorFunction: null });
    const session = runtime.session();
    const tools = wrapTools([tool(options)], { session, policies: { pay: { effect: 'read' } } });
    const { error } = await run(tools, [pay(1)]);
    expect(error).toMatchObject({ error: expect.objectContaining({ message: 'no 1' }) });
    expect([execute.runs, session.getMetrics().errors]).toEqual([1, 1]);
    expect(unwrapLoopError(error)).toBeUndefined();
  });
});

describe('the run context', () => {
  it('is given to vary, and keeps answers for everybody apart', async () => {
    const { execute, tool } = searchTool();
    const vary = (_: unknown, { context }: { context: { tenant: string } }) => context.tenant;
    const policies = { search: { effect: 'read', scope: 'global', vary } } as const;
    const tools = wrapTools([tool], { runtime, policies });
    for (const tenant of ['a', 'b', 'a']) {
      await run(tools, [search(), [assistantMessage('done')]], { context: { tenant } });
    }
    expect(execute.runs).toBe(2);
  });

  it('keeps a tool from being cached for everybody where nothing is said of it', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { execute, tool } = searchTool();
    const policies = { search: { effect: 'read', scope: 'global' } } as const;
    const tools = wrapTools([tool], { runtime, policies });
    for (const context of [{ tenant: 'a' }, { tenant: 'b' }, undefined, undefined]) {
      await run(tools, [search(), [assistantMessage('done')]], { context });
    }
    expect(execute.runs).toBe(3);
    expect(warning).toHaveBeenCalledTimes(1);
    warning.mockRestore();
  });
});

describe('signals', () => {
  it('let a run go on without a tool that is aborted, and reach the tool', async () => {
    const seen: AbortSignal[] = [];
    const leave = new AbortController();
    const slow = tool({
      name: 'slow',
      description: 'd',
      parameters: z.object({}),
      execute: (_, __, details) => {
        seen.push(details!.signal!);
        return new Promise<string>(() => queueMicrotask(() => leave.abort(new Error('enough'))));
      },
    });
    const session = runtime.session();
    const tools = wrapTools([slow], { session, policies: { slow: { effect: 'read' } } });
    const { error } = await run(tools, [[call('slow')]], { signal: leave.signal });
    expect(error).toBeDefined();
    expect(seen[0]!.aborted).toBe(true);
    expect(session.getMetrics()).toMatchObject({ errors: 0 });
  });
});

describe('wrapTools', () => {
  it('keeps all else of a tool, and tools of other types', () => {
    const hosted = { type: 'hosted_tool', name: 'web_search', providerData: {} } as const;
    const { tool: search1 } = searchTool();
    const [wrapped, other] = wrapTools([search1, hosted], { runtime });
    expect(other).toBe(hosted);
    expect(wrapped).toMatchObject({ type: 'function', name: 'search', description: 'd' });
    expect(wrapped.parameters).toBe(search1.parameters);
    expect(search1.invoke).not.toBe(wrapped.invoke);
  });

  it('refuses a policy that names no tool, with those that there are', () => {
    const policies = { serach: { effect: 'read' } } as const;
    expect(() => wrapTools([searchTool().tool], { policies })).toThrow(
      'policies name serach, but the tools are search',
    );
  });

  it('refuses policies for what does not run here, tools that are wrapped, and no array', () => {
    const hosted = { type: 'hosted_tool', name: 'web_search' } as const;
    const policies = { web_search: { effect: 'read' } } as const;
    expect(() => wrapTools([hosted], { policies })).toThrow('web_search is no function tool');
    const tools = wrapTools([searchTool().tool]);
    expect(() => wrapTools(tools)).toThrow('search is wrapped already');
    expect(() => wrapTools(1 as never)).toThrow('takes an array or a record of tools, got');
  });
});

describe('wrapTool', () => {
  it('wraps one', async () => {
    const { execute, tool } = searchTool();
    const session = runtime.session();
    const one = wrapTool(tool, { session, policy: { effect: 'read' } });
    await run([one], [search(), search(), [assistantMessage('done')]]);
    expect(execute.runs).toBe(1);
  });
});

it('tells what is no loop', async () => {
  expect(unwrapLoopError(new Error('x', { cause: new Error('y') }))).toBeUndefined();
  const circle: { cause?: unknown } = {};
  circle.cause = circle;
  expect(unwrapLoopError(circle)).toBeUndefined();
  const session = runtime.session({ maxToolRepeats: 1 });
  const inner = runtime.guard({ name: 'x' }, async () => 1);
  const loop = await rejection(session.run(async () => [await inner(), await inner()]));
  expect(unwrapLoopError(new AggregateError([new Error('a', { cause: loop })]))).toBe(loop);
});
