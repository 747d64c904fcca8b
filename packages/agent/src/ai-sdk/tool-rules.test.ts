import { tool, type ToolExecutionOptions } from 'ai';
import { z } from 'zod';
import { counted, rejection, times } from '../../test/counted.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from '../index.js';
import { wrapTool, wrapTools } from '../ai-sdk.js';

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache();
  session = runtime.session();
});

const inputSchema = z.object({ query: z.string() });
const policies = { search: { effect: 'read' } } as const;
const options = { toolCallId: '1', messages: [], context: undefined as never };
const cats = { query: 'cats' };

/** Tools as they are called by the SDK. */
type Called = Record<string, { execute(input: unknown, options?: object): Promise<unknown> }>;

function wrapped(tools: Record<string, object>, ...rest: unknown[]): Called {
  return wrapTools(tools, ...(rest as [object])) as unknown as Called;
}

describe('what is not kept', () => {
  it('is an error, also in the form of a value', async () => {
    const fails = counted(async (): Promise<string> => {
      throw new Error('no');
    });
    const value = counted(async () => ({ isError: true, content: [] }));
    const tools = wrapped(
      {
        fails: tool({ inputSchema, execute: fails }),
        value: tool({ inputSchema, execute: value }),
      },
      { session, policies: { fails: { effect: 'read' }, value: { effect: 'read' } } },
    );
    for (const call of [tools.fails!, tools.value!]) {
      await times(2, () => call.execute(cats, options).catch(() => undefined));
    }
    expect([fails.runs, value.runs]).toEqual([2, 2]);
    expect(session.getMetrics()).toMatchObject({ errors: 4, hits: 0 });
  });

  it('is what the policy says', async () => {
    const execute = counted(async ({ query }: { query: string }) => ({ query, found: [] }));
    const tools = wrapped(
      { search: tool({ inputSchema, execute }) },
      {
        session,
        policies: {
          search: {
            effect: 'read',
            shouldCache: ({ found }: { found: unknown[] }) => found.length > 0,
          },
        },
      },
    );
    await times(2, () => tools.search!.execute(cats, options));
    expect(execute.runs).toBe(2);
  });
});

describe('what callers get', () => {
  it('is their own', async () => {
    const tools = wrapped(
      { search: tool({ inputSchema, execute: async () => ({ found: ['a'] }) }) },
      { session, policies },
    );
    const first = (await tools.search!.execute(cats, options)) as { found: string[] };
    first.found.push('b');
    expect(await tools.search!.execute(cats, options)).toEqual({ found: ['a'] });
  });
});

describe('signals', () => {
  it('let one caller leave, and reach the tool when the last one has', async () => {
    const seen: AbortSignal[] = [];
    const execute = (_: unknown, { abortSignal }: { abortSignal?: AbortSignal }) => {
      seen.push(abortSignal!);
      return new Promise<string>(() => undefined);
    };
    const tools = wrapped({ search: tool({ inputSchema, execute }) }, { session, policies });
    const leaving = [new AbortController(), new AbortController()];
    const calls = leaving.map(({ signal }) =>
      rejection(tools.search!.execute(cats, { ...options, abortSignal: signal })),
    );
    await new Promise((resolve) => setImmediate(resolve));
    leaving[0]!.abort(new Error('one'));
    expect(await calls[0]).toMatchObject({ message: 'one' });
    expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
    leaving[1]!.abort(new Error('other'));
    expect(await calls[1]).toMatchObject({ message: 'other' });
    expect(seen[0]!.aborted).toBe(true);
    expect(session.getMetrics()).toMatchObject({ errors: 0 });
  });
});

describe('the context', () => {
  const reading = () =>
    tool({
      inputSchema,
      contextSchema: z.object({ tenant: z.string() }),
      execute: async ({ query }, { context }) => `${context.tenant} ${query}`,
    });

  it('has to be part of an answer for everybody, where a tool declares that it reads it', () => {
    expect(() =>
      wrapTools(
        { search: reading() },
        { policies: { search: { effect: 'read', scope: 'global' } } },
      ),
    ).toThrow('search reads its contextSchema, so that an answer for everybody needs vary');
    wrapTools({ search: reading() }, { policies });
  });

  it.each(['context', 'experimental_context'] as const)('is given to vary as %s', async (name) => {
    const execute = counted(async (_: unknown, given: object) => given);
    const tools = wrapped(
      { search: tool({ inputSchema, execute: execute }) },
      {
        runtime,
        policies: {
          search: {
            effect: 'read',
            scope: 'global',
            vary: (_: unknown, given: Record<string, { tenant: string }>) => given[name]!.tenant,
          },
        },
      },
    );
    for (const tenant of ['a', 'b', 'a']) {
      await tools.search!.execute(cats, { ...options, [name]: { tenant } });
    }
    expect(execute.runs).toBe(2);
  });

  it('keeps a tool from being cached for everybody where nothing is said of it', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const execute = counted(async () => 1);
    const tools = wrapped(
      { search: tool({ inputSchema, execute }) },
      { runtime, policies: { search: { effect: 'read', scope: 'global' } } },
    );
    for (const context of [{ tenant: 'a' }, { tenant: 'b' }, undefined, undefined]) {
      await tools.search!.execute(cats, { ...options, experimental_context: context });
    }
    expect(execute.runs).toBe(3);
    expect(warning).toHaveBeenCalledTimes(1);
    warning.mockRestore();
  });
});

describe('a tool', () => {
  it('keeps its class and all that it has, and is called on itself', async () => {
    class Search {
      readonly inputSchema = inputSchema;
      readonly #found = 'found';
      async execute({ query }: { query: string }) {
        return `${this.#found} ${query}`;
      }
    }
    const search = new Search();
    const one = wrapTool(search, { session, policy: { name: 'search', effect: 'read' } });
    expect(one).toBeInstanceOf(Search);
    expect(one.inputSchema).toBe(inputSchema);
    expect(await one.execute(cats)).toBe('found cats');
  });

  it('that streams as an async generator function does so without a word', async () => {
    const search = tool({
      inputSchema,
      async *execute({ query }, _options: ToolExecutionOptions<never>) {
        yield query;
      },
    });
    const tools = wrapTools({ search }, { session, policies });
    const output = tools.search.execute(cats, options) as AsyncIterable<string>;
    const items: string[] = [];
    for await (const item of output) items.push(item);
    expect(items).toEqual(['cats']);
  });

  it('that does not run here is as it was', () => {
    const client = tool({ inputSchema, outputSchema: z.string() });
    expect(wrapTools({ client }).client).toBe(client);
  });

  it('is told apart from those of the same name of another SDK, but not of another set', async () => {
    const execute = counted(async () => 1);
    const set = () => wrapped({ search: tool({ inputSchema, execute }) }, { session, policies });
    await set().search!.execute(cats, options);
    await set().search!.execute(cats, options);
    expect(execute.runs).toBe(1);
  });
});

describe('misuse', () => {
  const search = tool({ inputSchema, execute: async () => 1 });

  it.each([
    [
      'a policy that names no tool',
      () => wrapTools({ search }, { policies: { serach: { effect: 'read' } } as never }),
      'policies name serach, but the tools are search',
    ],
    [
      'a policy without an effect',
      () => wrapTools({ search }, { policies: { search: {} } as never }),
      "the policy of search must say its effect, 'read' or 'mutate', got undefined",
    ],
    [
      'a policy that is none',
      () => wrapTools({ search }, { policies: { search: 'read' } as never }),
      "the policy of search must be an object, got 'read'",
    ],
    [
      'a policy that cannot be meant',
      () =>
        wrapTools(
          { search },
          { policies: { search: { effect: 'read', ttl: '5 minutes' } } as never },
        ),
      "got '5 minutes'",
    ],
    [
      'policies that are none',
      () => wrapTools({ search }, { policies: 'read' as never }),
      'policies must be an object of policies by name',
    ],
    [
      'no tools',
      () => wrapTools([search] as never),
      'takes a record of tools by name, got an array',
    ],
    [
      'a tool that runs elsewhere',
      () => wrapTools({ search: { type: 'provider' } }, { policies }),
      'search has no execute',
    ],
    ['tools that are wrapped', () => wrapTools(wrapTools({ search })), 'search is wrapped already'],
    [
      'one tool without a name',
      () => wrapTool(search, { policy: { effect: 'read' } as never }),
      'wrapTool needs the name of the tool',
    ],
  ])('%s is refused', (_, misuse, message) => {
    expect(misuse).toThrow(message);
  });
});
