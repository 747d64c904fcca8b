import * as ai7 from 'ai';
import { MockLanguageModelV4 } from 'ai/test';
import * as ai6 from 'ai6';
import { MockLanguageModelV3 } from 'ai6/test';
import { z } from 'zod';
import { modelScript, type ModelStep } from '../../test/ai-model.js';
import { counted, rejection } from '../../test/counted.js';
import { haltedBy, wrapTools } from '../ai-sdk.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';

/** Both versions behind the types of one: what is used of them has the same form. */
const versions = [
  {
    version: '6',
    ai: ai6 as unknown as typeof ai7,
    isStepCount: ai6.stepCountIs as unknown as typeof ai7.isStepCount,
    modelOf: (steps: readonly ModelStep[]) =>
      new MockLanguageModelV3(modelScript(steps)) as unknown as MockLanguageModelV4,
  },
  {
    version: '7',
    ai: ai7,
    isStepCount: ai7.isStepCount,
    modelOf: (steps: readonly ModelStep[]) => new MockLanguageModelV4(modelScript(steps)),
  },
];

let runtime: AgentCacheRuntime;

beforeEach(() => {
  runtime = createAgentCache();
});

describe.each(versions)('ai $version', ({ ai, isStepCount, modelOf }) => {
  const { generateText, tool } = ai;
  // Version 7 calls it `stream`.
  const partsOf = (options: Parameters<typeof ai7.streamText>[0]) =>
    (ai.streamText(options) as unknown as { fullStream: AsyncIterable<any> }).fullStream;
  const search = [{ tool: 'search', input: { query: 'cats' } }];

  const searchTool = () => {
    const execute = counted(async ({ query }: { query: string }) => ({ found: query }));
    return {
      execute,
      tools: { search: tool({ inputSchema: z.object({ query: z.string() }), execute }) },
    };
  };

  it('answers reads from the cache until a mutation of what they read', async () => {
    const cart: string[] = [];
    const read = counted(async ({ user }: { user: string }) => ({ user, items: [...cart] }));
    const add = counted(async ({ item }: { user: string; item: string }) => cart.push(item));
    const tools = wrapTools(
      {
        get_cart: tool({ inputSchema: z.object({ user: z.string() }), execute: read }),
        add_to_cart: tool({
          inputSchema: z.object({ user: z.string(), item: z.string() }),
          execute: add,
        }),
      },
      {
        runtime,
        policies: {
          get_cart: { effect: 'read', resource: 'cart:{user}' },
          add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
        },
      },
    );
    const get = [{ tool: 'get_cart', input: { user: 'u1' } }];
    const put = [{ tool: 'add_to_cart', input: { user: 'u1', item: 'apple' } }];
    const model = modelOf([get, get, put, get, 'done']);
    const session = runtime.session();
    const result = await session.run(() =>
      generateText({ model, tools, prompt: 'shop', stopWhen: isStepCount(10) }),
    );
    expect(result.text).toBe('done');
    expect([read.runs, add.runs, model.doGenerateCalls.length]).toEqual([2, 1, 5]);
    const outputs = result.steps.flatMap((step) => step.toolResults);
    expect(outputs.map(({ toolCallId, output }) => [toolCallId, output])).toEqual([
      ['call-0-0', { user: 'u1', items: [] }],
      ['call-1-0', { user: 'u1', items: [] }],
      ['call-2-0', 1],
      ['call-3-0', { user: 'u1', items: ['apple'] }],
    ]);
    expect(session.getMetrics()).toMatchObject({ calls: 4, hits: 1, misses: 2, invalidations: 1 });
  });

  it('joins identical parallel calls, each answered under its own id', async () => {
    const { execute, tools } = searchTool();
    const session = runtime.session({ maxToolRepeats: 1 });
    const model = modelOf([[...search, ...search, ...search], 'done']);
    const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'read' } } });
    const { steps } = await generateText({
      model,
      tools: wrapped,
      prompt: 'go',
      stopWhen: isStepCount(5),
    });
    expect(execute.runs).toBe(1);
    expect(steps[0]!.toolResults.map(({ toolCallId }) => toolCallId)).toEqual([
      'call-0-0',
      'call-0-1',
      'call-0-2',
    ]);
    expect(session.getMetrics()).toMatchObject({ joined: 2, loopDetections: 0 });
  });

  describe('a loop', () => {
    it('does not end a run by a throw alone', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'read' } } });
      await generateText({ model, tools: wrapped, prompt: 'go', stopWhen: isStepCount(10) });
      expect([model.doGenerateCalls.length, execute.runs]).toEqual([10, 1]);
    });

    it('ends it by haltedBy', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'read' } } });
      const { finishReason, steps } = await generateText({
        model,
        tools: wrapped,
        prompt: 'go',
        stopWhen: [isStepCount(10), haltedBy(session)],
      });
      expect([model.doGenerateCalls.length, execute.runs, steps.length]).toEqual([4, 1, 4]);
      expect(finishReason).toBe('tool-calls');
      expect(session.halted).toMatchObject({ kind: 'repeat', tool: 'search', count: 4, limit: 3 });
    });

    it('ends it by haltedBy() of the session around it, and in an agent made beforehand', async () => {
      const { tools } = searchTool();
      const wrapped = wrapTools(tools, { runtime });
      const model = modelOf([search]);
      const agent = new ai.ToolLoopAgent({
        model,
        tools: wrapped,
        stopWhen: [isStepCount(10), haltedBy()],
      });
      const session = runtime.session({ maxToolRepeats: 3 });
      await session.run(() => agent.generate({ prompt: 'go' }));
      expect(model.doGenerateCalls.length).toBe(4);
    });

    it('ends it by haltedBy, too, where somebody has ended the session from outside', async () => {
      const { tools } = searchTool();
      const leave = new AbortController();
      leave.abort();
      const session = runtime.session({ signal: leave.signal });
      const model = modelOf([search]);
      const stopWhen = [isStepCount(10), haltedBy(session)];
      await generateText({ model, tools: wrapTools(tools, { session }), prompt: 'go', stopWhen });
      expect(model.doGenerateCalls.length).toBe(1);
    });

    it('ends it by the signal of the session, with our error', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'read' } } });
      const run = generateText({
        model,
        tools: wrapped,
        prompt: 'go',
        stopWhen: isStepCount(10),
        abortSignal: session.signal,
      });
      expect(await rejection(run)).toBe(session.halted);
      expect([model.doGenerateCalls.length, execute.runs]).toEqual([4, 1]);
    });

    it('ends a stream by haltedBy', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'read' } } });
      const parts = partsOf({
        model,
        tools: wrapped,
        prompt: 'go',
        stopWhen: [isStepCount(10), haltedBy(session)],
      });
      const types: string[] = [];
      for await (const { type } of parts) types.push(type);
      expect(types.filter((type) => type.startsWith('tool-') && !type.includes('input'))).toEqual([
        ...Array.from({ length: 3 }, () => ['tool-call', 'tool-result']).flat(),
        'tool-call',
        'tool-error',
      ]);
      expect([model.doStreamCalls.length, execute.runs]).toEqual([4, 1]);
    });

    it('ends a stream that is made in a session and read outside of it', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      const stopWhen = [isStepCount(10), haltedBy()];
      const wrapped = wrapTools(tools, { runtime, policies: { search: { effect: 'read' } } });
      let parts: AsyncIterable<unknown> | undefined;
      await session.run(() => {
        parts = partsOf({ model, tools: wrapped, prompt: 'go', stopWhen });
      });
      for await (const part of parts!) expect(part).toBeDefined();
      expect([model.doStreamCalls.length, execute.runs]).toEqual([4, 1]);
    });

    it('is watched for in a tool without a policy', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 3 });
      const model = modelOf([search]);
      await generateText({
        model,
        tools: wrapTools(tools, { session }),
        prompt: 'go',
        stopWhen: [isStepCount(10), haltedBy(session)],
      });
      expect([model.doGenerateCalls.length, execute.runs]).toEqual([4, 3]);
      expect(session.getMetrics()).toMatchObject({ calls: 3, hits: 0, misses: 0 });
    });

    it('steers the model by an error result that says what it repeats', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 2, onLoop: 'steer' });
      const model = modelOf([search, search, search, 'done']);
      const { text } = await generateText({
        model,
        tools: wrapTools(tools, { session }),
        prompt: 'go',
        stopWhen: isStepCount(10),
      });
      expect(text).toBe('done');
      expect(execute.runs).toBe(2);
      const last = model.doGenerateCalls.at(-1)!.prompt.at(-1)!;
      expect(last).toMatchObject({
        role: 'tool',
        content: [{ toolCallId: 'call-2-0', output: { type: 'error-text' } }],
      });
      expect(JSON.stringify(last)).toContain('search');
      expect(session.getMetrics()).toMatchObject({ steers: 1, errors: 0 });
    });

    it('short-circuits to the last result', async () => {
      const { execute, tools } = searchTool();
      const session = runtime.session({ maxToolRepeats: 2, onLoop: 'short-circuit' });
      const model = modelOf([search, search, search, 'done']);
      const { steps } = await generateText({
        model,
        tools: wrapTools(tools, { session, policies: { search: { effect: 'read' } } }),
        prompt: 'go',
        stopWhen: isStepCount(10),
      });
      expect(execute.runs).toBe(1);
      expect(steps[2]!.toolResults).toMatchObject([
        { toolCallId: 'call-2-0', output: { found: 'cats' } },
      ]);
    });
  });

  describe('a tool that streams', () => {
    const streamingTools = () => {
      const execute = counted(async function* ({ query }: { query: string }) {
        yield `${query} 1/2`;
        yield `${query} 2/2`;
      });
      return {
        execute,
        tools: { search: tool({ inputSchema: z.object({ query: z.string() }), execute }) },
      };
    };

    it('streams on a miss, and yields its answer alone on a hit', async () => {
      const { execute, tools } = streamingTools();
      const session = runtime.session();
      const model = modelOf([search, search, 'done']);
      const parts = partsOf({
        model,
        tools: wrapTools(tools, {
          session,
          policies: { search: { effect: 'read', stream: true } },
        }),
        prompt: 'go',
        stopWhen: isStepCount(10),
      });
      const results: unknown[] = [];
      for await (const part of parts) {
        if (part.type === 'tool-result')
          results.push([part.toolCallId, part.output, part.preliminary]);
      }
      expect(results).toEqual([
        ['call-0-0', 'cats 1/2', true],
        ['call-0-0', 'cats 2/2', true],
        ['call-0-0', 'cats 2/2', undefined],
        ['call-1-0', 'cats 2/2', true],
        ['call-1-0', 'cats 2/2', undefined],
      ]);
      expect(execute.runs).toBe(1);
    });

    it('is found out at its first call where that is not declared', async () => {
      const { execute, tools } = streamingTools();
      const session = runtime.session();
      const wrapped = wrapTools(tools, { session, policies: { search: { effect: 'mutate' } } });
      const options = { toolCallId: '1', messages: [], context: undefined as never };
      expect(await wrapped.search.execute({ query: 'a' }, options)).toBe('a 2/2');
      const items: unknown[] = [];
      const output = wrapped.search.execute({ query: 'b' }, options);
      for await (const item of output as AsyncIterable<unknown>) items.push(item);
      expect(items).toEqual(['b 1/2', 'b 2/2']);
      expect(execute.runs).toBe(2);
    });

    it('steers in the same way', async () => {
      const { tools } = streamingTools();
      const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
      const model = modelOf([search, search, 'done']);
      const { steps } = await generateText({
        model,
        tools: wrapTools(tools, {
          session,
          policies: { search: { effect: 'read', stream: true } },
        }),
        prompt: 'go',
        stopWhen: isStepCount(10),
      });
      expect(steps[1]!.content.map(({ type }) => type)).toEqual(['tool-call', 'tool-error']);
    });
  });
});
