import { z } from 'zod';
import { rejection, times } from '../../test/counted.js';
import { connected, mcpVersions, shop, text, type AnyClient } from '../../test/mcp-versions.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { cacheClient, type CacheClientOptions } from '../mcp.js';

let runtime: AgentCacheRuntime;
const ends: (() => Promise<void>)[] = [];

beforeEach(() => {
  runtime = createAgentCache();
});

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const policies = {
  get_cart: { effect: 'read', resource: 'cart:{user}' },
  add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
  fail: { effect: 'read' },
} as const;

const user = { user: 'u1' };
const get = { name: 'get_cart', arguments: user };
const add = { name: 'add_to_cart', arguments: { ...user, item: 'apple' } };

describe.each(mcpVersions)('a client of SDK version $version', (sdk) => {
  async function shopping(options: CacheClientOptions, name?: string) {
    const { register, server, runs } = shop(sdk, name);
    register(server);
    const bare = sdk.client();
    const client = cacheClient(bare, { runtime, ...options });
    const { close } = await connected(sdk, client, server);
    ends.push(close);
    return { bare, client, runs, server };
  }

  it('answers from the cache until a mutation', async () => {
    const session = runtime.session();
    const { client, runs } = await shopping({ session, policies });
    expect(await client.callTool(get)).toMatchObject(text('cart '));
    expect(await client.callTool(get)).toMatchObject(text('cart '));
    await client.callTool(add);
    expect(await client.callTool(get)).toMatchObject(text('cart apple'));
    expect(runs).toEqual({ get_cart: 2, add_to_cart: 1, fail: 0 });
    expect(session.getMetrics()).toMatchObject({ calls: 4, hits: 1, misses: 2, invalidations: 1 });
  });

  it('is still a client in all else', async () => {
    const { bare, client } = await shopping({ policies });
    expect(client).toBeInstanceOf(sdk.Client);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('get_cart');
    expect(client.close).toBe(client.close);
    const seen: unknown[] = [];
    (client as unknown as { onerror: unknown }).onerror = (error: unknown) => seen.push(error);
    (bare as unknown as { onerror: (error: unknown) => void }).onerror('e');
    expect(seen).toEqual(['e']);
  });

  it('joins parallel calls, and gives each a result of its own', async () => {
    const session = runtime.session();
    const { client, runs } = await shopping({ session, policies });
    const results = await Promise.all([client.callTool(get), client.callTool(get)]);
    expect(runs.get_cart).toBe(1);
    results[0].content.pop();
    expect(results[1].content).toHaveLength(1);
    expect((await client.callTool(get)).content).toHaveLength(1);
  });

  it('does not keep errors, and counts them as failures', async () => {
    const session = runtime.session({ maxToolFailures: 3 });
    const { client, runs } = await shopping({ session, policies });
    for (const id of ['1', '2', '3']) {
      const call = { name: 'fail', arguments: { user: id } };
      expect(await client.callTool(call)).toMatchObject({ isError: true });
    }
    const last = client.callTool({ name: 'fail', arguments: { user: '4' } });
    expect(await rejection(last)).toMatchObject({ kind: 'retry-storm' });
    expect(runs.fail).toBe(3);
    expect(session.getMetrics()).toMatchObject({ errors: 3, hits: 0 });
  });

  it('does not keep what the server marks as not to be cached', async () => {
    const { server } = shop(sdk);
    let runs = 0;
    server.registerTool('now', { inputSchema: sdk.input({}) }, () => {
      runs++;
      return { ...text(`${runs}`), _meta: { cache_hint: 'no-cache' } };
    });
    const session = runtime.session();
    const client = cacheClient(sdk.client(), { session, policies: { now: { effect: 'read' } } });
    ends.push((await connected(sdk, client, server)).close);
    await times(2, () => client.callTool({ name: 'now' }));
    expect(runs).toBe(2);
  });

  it('does not keep what came of a question to the user', async () => {
    const { server } = shop(sdk);
    let runs = 0;
    server.registerTool(
      'ask',
      { inputSchema: sdk.input({ n: z.number().optional() }) },
      async (_: unknown, context: any) => {
        runs++;
        const params = { message: 'sure?', requestedSchema: { type: 'object', properties: {} } };
        if (sdk.version === '1') {
          await context.sendRequest(
            { method: 'elicitation/create', params },
            z.object({ action: z.string() }),
          );
        } else await context.mcpReq.elicitInput({ mode: 'form', ...params });
        return text('yes');
      },
    );
    const session = runtime.session();
    const bare = sdk.client();
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    bare.setRequestHandler(
      sdk.version === '1' ? ElicitRequestSchema : 'elicitation/create',
      () => ({
        action: 'accept',
        content: {},
      }),
    );
    const client = cacheClient(bare, { session, policies: { ask: { effect: 'read' } } });
    ends.push((await connected(sdk, client, server)).close);
    const results = await times(2, () => client.callTool({ name: 'ask', arguments: {} }));
    expect(results).toMatchObject([text('yes'), text('yes')]);
    expect(runs).toBe(2);
  });

  it('never shares answers with another server, even one of the same name', async () => {
    const one = await shopping({ policies: { get_cart: { effect: 'read', scope: 'global' } } });
    const other = await shopping({ policies: { get_cart: { effect: 'read', scope: 'global' } } });
    for (const { client, runs } of [one, other]) {
      await times(2, () => client.callTool(get));
      expect(runs.get_cart).toBe(1);
    }
  });

  it('shares answers for everybody between clients that name one server', async () => {
    const options = {
      server: 'shop',
      policies: { get_cart: { effect: 'read', scope: 'global' } },
    } as const;
    const one = await shopping(options);
    const other = await shopping(options);
    const third = await shopping({ ...options, server: 'other shop' });
    for (const { client } of [one, other, third]) await client.callTool(get);
    expect([one, other, third].map(({ runs }) => runs.get_cart)).toEqual([1, 0, 1]);
  });

  it('passes on what a signal aborts, and the signal of the flight', async () => {
    const { server } = shop(sdk);
    const aborted: unknown[] = [];
    server.registerTool('wait', { inputSchema: sdk.input({}) }, (_: unknown, context: any) => {
      const signal: AbortSignal = context.signal ?? context.mcpReq.signal;
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.push('aborted');
          resolve(text('late'));
        });
      });
    });
    const session = runtime.session();
    const client = cacheClient(sdk.client(), { session, policies: { wait: { effect: 'read' } } });
    ends.push((await connected(sdk, client, server)).close);
    const leave = new AbortController();
    const options = { signal: leave.signal };
    const call =
      sdk.version === '1'
        ? client.callTool({ name: 'wait' }, undefined, options)
        : client.callTool({ name: 'wait' }, options);
    await new Promise((resolve) => setImmediate(resolve));
    leave.abort(new Error('enough'));
    expect(await rejection(call)).toBe(leave.signal.reason);
    for (let turn = 0; turn < 20 && aborted.length === 0; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(aborted).toEqual(['aborted']);
    expect(session.getMetrics()).toMatchObject({ errors: 0 });
  });

  describe('a loop', () => {
    it('rejects, also in a tool without a policy', async () => {
      const session = runtime.session({ maxToolRepeats: 3 });
      const { client, runs } = await shopping({ session });
      await times(3, () => client.callTool(get));
      const error = await rejection(client.callTool(get));
      expect(error).toBe(session.halted);
      expect(error).toMatchObject({ kind: 'repeat', tool: 'get_cart' });
      expect(runs.get_cart).toBe(3);
    });

    it('steers by an error result', async () => {
      const session = runtime.session({ maxToolRepeats: 1, onLoop: 'steer' });
      const { client, runs } = await shopping({ session, policies });
      await client.callTool(get);
      const steered = await client.callTool(get);
      expect(steered).toMatchObject({ isError: true, content: [{ type: 'text' }] });
      expect(steered.content[0]!.text).toContain('get_cart');
      expect(runs.get_cart).toBe(1);
    });
  });

  describe('annotations', () => {
    const lists = (client: AnyClient) => jest.spyOn(client, 'listTools');

    it('say nothing unless they are trusted', async () => {
      const session = runtime.session();
      const { client, bare, runs } = await shopping({ session });
      const list = lists(bare);
      await times(2, () => client.callTool(get));
      expect(runs.get_cart).toBe(2);
      expect(list).not.toHaveBeenCalled();
    });

    it('are policies where they are trusted, asked for once', async () => {
      const session = runtime.session();
      const { client, bare, runs } = await shopping({ session, trust: true });
      const list = lists(bare);
      await times(3, () => client.callTool(get));
      expect(runs.get_cart).toBe(1);
      await client.callTool(add);
      expect(await client.callTool(get)).toMatchObject(text('cart apple'));
      expect(list).toHaveBeenCalledTimes(1);
    });

    it('are concerned by declared policies, and the reverse', async () => {
      const session = runtime.session();
      const one = await shopping({
        session,
        trust: true,
        policies: { get_cart: policies.get_cart },
      });
      await one.client.callTool(get);
      await one.client.callTool(add);
      expect(await one.client.callTool(get)).toMatchObject(text('cart apple'));
      const other = await shopping({
        session,
        trust: true,
        policies: { add_to_cart: policies.add_to_cart },
      });
      await other.client.callTool(get);
      await other.client.callTool(add);
      expect(await other.client.callTool(get)).toMatchObject(text('cart apple'));
    });

    it('are asked for again when the tools change, and answers of before are not used', async () => {
      const session = runtime.session();
      const { client, bare, runs, server } = await shopping({ session, trust: true });
      const list = lists(bare);
      await times(2, () => client.callTool(get));
      expect([runs.get_cart, list.mock.calls.length]).toEqual([1, 1]);
      server.sendToolListChanged();
      await new Promise((resolve) => setImmediate(resolve));
      await times(2, () => client.callTool(get));
      expect([runs.get_cart, list.mock.calls.length]).toEqual([2, 2]);
    });

    it('are taken from a list that the user has asked for', async () => {
      const session = runtime.session();
      const { client, bare, runs } = await shopping({ session, trust: true });
      await client.listTools();
      const list = lists(bare);
      await times(2, () => client.callTool(get));
      expect(runs.get_cart).toBe(1);
      expect(list).not.toHaveBeenCalled();
    });
  });

  it('warns of a policy that names no tool, with those that there are', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const { client } = await shopping({ policies: { get_crat: { effect: 'read' } } });
    await client.listTools();
    expect(warning).toHaveBeenCalledTimes(1);
    expect(warning.mock.calls[0]![0]).toContain(
      'policies name get_crat, but the tools are get_cart, add_to_cart, fail',
    );
    warning.mockRestore();
  });

  it('refuses what is no client, and a policy that cannot be meant', () => {
    expect(() => cacheClient({} as AnyClient)).toThrow('takes a Client of MCP');
    const policies = { get_cart: {} } as never;
    expect(() => cacheClient(sdk.client(), { policies })).toThrow("'read' or 'mutate'");
  });
});
