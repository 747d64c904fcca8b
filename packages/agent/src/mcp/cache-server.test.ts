import { z } from 'zod';
import { rejection, times } from '../../test/counted.js';
import { connected, mcpVersions, shop, text } from '../../test/mcp-versions.js';
import { createAgentCache, type AgentCacheRuntime } from '../index.js';
import { cacheServer, type CacheServerOptions } from '../mcp.js';

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
} as const;

const get = { name: 'get_cart', arguments: { user: 'u1' } };
const add = { name: 'add_to_cart', arguments: { user: 'u1', item: 'apple' } };

describe.each(mcpVersions)('a server of SDK version $version', (sdk) => {
  async function shopping(options: CacheServerOptions, when: 'before' | 'after' = 'before') {
    const { register, server, runs } = shop(sdk);
    if (when === 'after') register(server);
    expect(cacheServer(server, { runtime, ...options })).toBe(server);
    if (when === 'before') register(server);
    const client = sdk.client();
    ends.push((await connected(sdk, client, server)).close);
    return { client, runs, server };
  }

  it.each(['before', 'after'] as const)(
    'answers from the cache until a mutation, made %s its tools are registered',
    async (when) => {
      const session = runtime.session();
      const { client, runs } = await shopping({ session, policies }, when);
      expect(await client.callTool(get)).toMatchObject(text('cart '));
      expect(await client.callTool(get)).toMatchObject(text('cart '));
      await client.callTool(add);
      expect(await client.callTool(get)).toMatchObject(text('cart apple'));
      expect(runs).toEqual({ get_cart: 2, add_to_cart: 1, fail: 0 });
      expect(session.getMetrics()).toMatchObject({ hits: 1, misses: 2, invalidations: 1 });
    },
  );

  it('caches for everybody without a session', async () => {
    const { client, runs } = await shopping({
      policies: { get_cart: { ...policies.get_cart, scope: 'global' } },
    });
    await times(2, () => client.callTool(get));
    expect(runs.get_cart).toBe(1);
  });

  it('finds the session of a call by its context', async () => {
    const sessions = [runtime.session(), runtime.session()];
    let calls = 0;
    const session = () => sessions[calls++ % 2];
    const { client, runs } = await shopping({ session, policies });
    await times(4, () => client.callTool(get));
    expect(runs.get_cart).toBe(2);
    expect(sessions.map((each) => each.getMetrics().hits)).toEqual([1, 1]);
  });

  it('does not cache for everybody what an authenticated client asks, unless vary says more', async () => {
    const warning = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const authInfo = (name: string) => ({ authInfo: { token: name, clientId: name, scopes: [] } });
    const call = async (vary: object, who: string) => {
      const { server, runs, register } = shop(sdk);
      cacheServer(server, {
        runtime,
        policies: { get_cart: { effect: 'read', scope: 'global', ...vary } },
      });
      register(server);
      const client = sdk.client();
      const [one, other] = sdk.link() as [
        { send: (m: unknown, o?: object) => Promise<void> },
        unknown,
      ];
      const { send } = one;
      one.send = (message, options) => send.call(one, message, { ...options, ...authInfo(who) });
      await Promise.all([server.connect(other), client.connect(one)]);
      ends.push(() => client.close());
      await times(2, () => client.callTool(get));
      return runs.get_cart;
    };
    expect(await call({}, 'a')).toBe(2);
    expect(warning.mock.calls.map(([message]) => message)).toEqual([
      expect.stringContaining('get_cart is handed a context'),
    ]);
    const vary = (_: unknown, context: any) =>
      (context.authInfo ?? context.http.authInfo).clientId as string;
    expect(await call({ vary }, 'a')).toBe(1);
    expect(await call({ vary }, 'a')).toBe(0);
    expect(await call({ vary }, 'b')).toBe(1);
    warning.mockRestore();
  });

  it('does not keep errors, in either form', async () => {
    const session = runtime.session();
    const { register, server } = shop(sdk);
    cacheServer(server, {
      session,
      policies: { fail: { effect: 'read' }, throws: { effect: 'read' } },
    });
    register(server);
    let runs = 0;
    server.registerTool('throws', { inputSchema: sdk.input({}) }, () => {
      throw new Error(`thrown ${++runs}`);
    });
    const client = sdk.client();
    ends.push((await connected(sdk, client, server)).close);
    const call = { name: 'throws', arguments: {} };
    expect(await client.callTool(call)).toMatchObject({ isError: true, ...text('thrown 1') });
    expect(await client.callTool(call)).toMatchObject({ isError: true, ...text('thrown 2') });
    await times(2, () => client.callTool({ name: 'fail', arguments: { user: 'u1' } }));
    expect(session.getMetrics()).toMatchObject({ errors: 4, hits: 0, misses: 4 });
  });

  it('keeps what a tool is given later, and tools without arguments', async () => {
    const session = runtime.session();
    const { server } = shop(sdk);
    cacheServer(server, { session, policies: { time: { effect: 'read' } } });
    const runs = [0, 0];
    const registered = server.registerTool('time', {}, (context: { sessionId?: string }) => {
      expect(typeof context).toBe('object');
      return text(`${++runs[0]!}`);
    });
    const client = sdk.client();
    ends.push((await connected(sdk, client, server)).close);
    await times(2, () => client.callTool({ name: 'time' }));
    registered.update({ callback: () => text(`later ${++runs[1]!}`) });
    await times(2, () => client.callTool({ name: 'time' }));
    expect(runs).toEqual([1, 0]);
    await runtime.session().run(() => undefined);
    await session.end();
    expect(await client.callTool({ name: 'time' })).toMatchObject({ isError: true });
    expect(runs).toEqual([1, 0]);
  });

  it('takes annotations as policies where they are trusted', async () => {
    const session = runtime.session();
    const { client, runs } = await shopping({ session, trust: true });
    await times(2, () => client.callTool(get));
    expect(runs.get_cart).toBe(1);
    await client.callTool(add);
    expect(await client.callTool(get)).toMatchObject(text('cart apple'));
  });

  it('hands the tool the signal of the flight', async () => {
    const session = runtime.session();
    const { server } = shop(sdk);
    cacheServer(server, { session, policies: { wait: { effect: 'read' } } });
    const seen: AbortSignal[] = [];
    server.registerTool(
      'wait',
      { inputSchema: sdk.input({ n: z.number() }) },
      (_: unknown, context: any) => {
        seen.push((context.signal ?? context.mcpReq.signal) as AbortSignal);
        return text('done');
      },
    );
    const client = sdk.client();
    ends.push((await connected(sdk, client, server)).close);
    await client.callTool({ name: 'wait', arguments: { n: 1 } });
    expect(seen[0]).toMatchObject({ aborted: false });
  });

  it('answers a loop by an error result', async () => {
    const session = runtime.session({ maxToolRepeats: 2 });
    const { client, runs } = await shopping({ session, policies });
    await times(2, () => client.callTool(get));
    expect(await client.callTool(get)).toMatchObject({ isError: true });
    expect(runs.get_cart).toBe(1);
    expect(session.halted).toMatchObject({ kind: 'repeat', tool: 'get_cart' });
  });

  it('refuses to connect with a policy that names no tool', async () => {
    const { register, server } = shop(sdk);
    cacheServer(server, { policies: { get_crat: { effect: 'read' } } });
    register(server);
    const connecting = server.connect(sdk.link()[0]);
    expect(String(await rejection(connecting))).toContain(
      'policies name get_crat, but the tools are get_cart, add_to_cart, fail',
    );
  });

  it('refuses what is no server, one that is wrapped already, and a policy that cannot be meant', () => {
    expect(() => cacheServer({})).toThrow('takes an McpServer');
    const { register, server } = shop(sdk);
    cacheServer(server, { policies: { get_cart: {} } as never });
    expect(() => cacheServer(server)).toThrow('wrapped already');
    expect(() => {
      register(server);
    }).toThrow("'read' or 'mutate'");
  });
});
