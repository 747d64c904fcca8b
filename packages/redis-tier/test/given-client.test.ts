import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import { startProxy, until, type RedisServer } from '../../../tools/redis/index.js';
import { everyCall } from './every-call.js';
import {
  connectionsTo,
  counting,
  endProcesses,
  observe,
  redisForAll,
  startCoherent,
  startProcess,
  untilCoherent,
  untilForgotten,
} from './processes.js';

let redis: RedisServer;
const given: { status: string; disconnect: () => void }[] = [];
redisForAll((server) => (redis = server));
afterEach(() => {
  for (const client of given.splice(0)) if (client.status !== 'end') client.disconnect();
});

function give(options: RedisOptions = {}): Redis {
  const client = new Redis({ host: redis.host, port: redis.port, ...options });
  given.push(client);
  return client;
}

/** A client of ioredis 5, which is another class with other types. */
function give5(options: RedisOptions = {}): Redis {
  const all = { host: redis.host, port: redis.port, ...options } as Record<string, unknown>;
  const client = new Redis5(all) as unknown as Redis;
  given.push(client);
  return client;
}

/** What shows that somebody has laid hands on a client. */
function stateOf(client: Redis): unknown {
  const listeners = client.eventNames().map((name) => [name, client.listenerCount(name)]);
  return { options: { ...client.options }, status: client.status, mode: client.mode, listeners };
}

describe.each([
  ['ioredis 6', give],
  ['ioredis 5', give5],
])('a client of %s that is given', (_version, giveOne) => {
  it('is not touched', async () => {
    const client = giveOne({ connectionName: 'given' });
    await client.ping();
    const methods = Object.getOwnPropertyNames(client);
    const before = stateOf(client);
    const own = (await connectionsTo(redis)).find(({ name }) => name === 'given');
    const seen = await observe(redis);
    const [a, b] = await startCoherent(client, { lockTtl: 60 });
    expect(stateOf(client)).toEqual(before);
    await everyCall(a, b);
    await endProcesses();
    await seen.stop();
    expect(seen.commands.some(({ args }) => args[0] === 'evalsha')).toBe(true);
    expect(seen.commands.filter(({ from }) => from === own?.addr)).toEqual([]);
    expect(stateOf(client)).toEqual(before);
    expect(Object.getOwnPropertyNames(client)).toEqual(methods);
  });

  it('is still usable after close, when all of our connections are gone', async () => {
    const client = giveOne();
    await client.ping();
    const before = (await connectionsTo(redis)).length;
    const process = await startProcess(client);
    expect((await connectionsTo(redis)).length).toBe(before + 2);
    await process.cache.close();
    await until('our connections to be gone', async () => {
      return (await connectionsTo(redis)).length === before;
    });
    expect(client.status).toBe('ready');
    expect(await client.set('theirs', '1')).toBe('OK');
  });

  it('is followed to the database that it has selected', async () => {
    const client = giveOne();
    await client.select(3);
    const { cache } = await startProcess(client);
    await cache.set('key', 'value');
    expect(await client.dbsize()).toBeGreaterThan(0);
    await client.select(0);
    expect(await client.dbsize()).toBe(0);
  });

  it('stays unconnected when it never connected', async () => {
    const client = giveOne({ lazyConnect: true });
    const { cache } = await startProcess(client);
    const loader = counting('value');
    expect(await cache.get('key', loader)).toBe('value');
    await cache.close();
    expect(client.status).toBe('wait');
    expect(client.eventNames()).toEqual([]);
    // It connects to no purpose but ours, which is over.
    await until(
      'our connections to be gone',
      async () => (await connectionsTo(redis)).length === 0,
    );
  });

  it('may be closed while caches go on', async () => {
    const client = giveOne();
    await client.ping();
    const [a, b] = await startCoherent(client);
    await client.quit();
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new');
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBe('new');
  });

  it('may have been closed before', async () => {
    const client = giveOne();
    await client.quit();
    const { cache, tier } = await startProcess(client);
    await cache.set('key', 'value');
    await cache.flush();
    expect(tier.getMetrics().coherent).toBe(true);
  });

  it('may be busy with its own affairs: a transaction, a subscription, a blocking call', async () => {
    const [inTransaction, subscribed, blocked] = [giveOne(), giveOne(), giveOne()];
    await inTransaction.watch('theirs');
    await subscribed.subscribe('theirs');
    const popped = blocked.blpop('list', 0);
    for (const client of [inTransaction, subscribed, blocked]) {
      const [a, b] = await startCoherent(client, { name: 'busy' });
      await a.cache.set('key', client === blocked);
      expect(await b.cache.get('key')).toBe(client === blocked);
    }
    await redis.command('RPUSH', 'list', 'item');
    expect(await popped).toEqual(['list', 'item']);
  });
});

describe('options of a given client that would hurt', () => {
  const never = (): null => null;
  const options: [string, RedisOptions][] = [
    ['an offline queue that waits for ever', { enableOfflineQueue: true, retryStrategy: never }],
    ['autopipelining', { enableAutoPipelining: true }],
    ['readOnly', { readOnly: true }],
    ['another database', { db: 3 }],
    ['RESP3', { protocol: 3 }],
    ['RESP2', { protocol: 2 }],
    ['numbers as texts', { stringNumbers: true }],
    ['friendly error stacks', { showFriendlyErrorStack: true }],
    ['reconnecting on any error', { reconnectOnError: () => 2 }],
    ['no retries of connections', { retryStrategy: never }],
    ['endless retries of commands', { maxRetriesPerRequest: null }],
    ['a short command timeout', { commandTimeout: 1 }],
    ['a short socket timeout', { socketTimeout: 50 }],
    ['no check whether the server is ready', { enableReadyCheck: false }],
    ['replies of RESP3 as maps', { protocol: 3, replyMapping: 'resp3' }],
    ['its own scripts', { scripts: { acacheSet: { lua: 'return 1', numberOfKeys: 1 } } }],
    ['a name for its connections', { connectionName: 'theirs' }],
    ['a timeout of blocking calls', { blockingTimeout: 50 }],
    ['a prefix of its keys', { keyPrefix: 'theirs:' }],
  ];
  const each = options.flatMap(([what, one]) => [
    [what, 'ioredis 6', give, one] as const,
    [what, 'ioredis 5', give5, one] as const,
  ]);
  it.each(each)('do not: %s (%s)', async (_what, _version, giveOne, hurting) => {
    const client = giveOne({ ...hurting, lazyConnect: true });
    const [a, b] = await startCoherent(client, { lockTtl: 1000 });
    const loader = counting('loaded');
    expect(await a.cache.get('loaded', loader)).toBe('loaded');
    expect(await b.cache.get('loaded', loader)).toBe('loaded');
    expect(loader.calls).toBe(1);
    await a.cache.set('key', 'old', { tags: ['tag'] });
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new', { tags: ['tag'] });
    await untilForgotten(b, 'key');
    expect(await b.cache.getMany(['key', 'loaded'])).toEqual(
      new Map([
        ['key', 'new'],
        ['loaded', 'loaded'],
      ]),
    );
    await b.cache.invalidateTags('tag');
    await untilForgotten(a, 'key');
    expect(await a.cache.get('key')).toBeUndefined();
    await a.cache.flush();
    const { outages, unsent, unreadable } = a.tier.getMetrics();
    expect({ outages, unsent, unreadable }).toEqual({ outages: 0, unsent: 0, unreadable: 0 });
    expect(a.errors).toEqual([]);
  });

  it('do not when the connections break', async () => {
    const client = give({
      retryStrategy: never,
      maxRetriesPerRequest: null,
      autoResubscribe: true,
    });
    const process = await startProcess(client);
    await untilCoherent(process);
    await process.cache.set('key', 'value');
    for (const { id, addr } of await connectionsTo(redis)) {
      if (addr !== undefined) await redis.command('CLIENT', 'KILL', 'ID', id as string);
    }
    await until('the loss to be seen', () => process.states.includes('disconnected'));
    await untilCoherent(process);
    expect(await process.cache.get('key')).toBe('value');
    expect(client.status).toBe('end');
  });
});

describe('a client whose sockets time out sooner than Redis answers', () => {
  it('costs no connection: what waits for Redis is commandTimeout', async () => {
    await using proxy = await startProxy(redis);
    proxy.shape({ lag: 40 }, 'toClient');
    const client = give({ port: proxy.port, lazyConnect: true, socketTimeout: 20 });
    const process = await startProcess(client);
    await until('the tier to be coherent', () => process.tier.getMetrics().coherent, 2000);
    await process.cache.set('key', 'value');
    await process.cache.flush();
    expect(process.states).not.toContain('disconnected');
    await process.cache.close();
  });
});

describe('a client that is no server yet', () => {
  it('is one whose cluster is down: nothing is thrown, and the loader answers', async () => {
    const cluster = new Cluster([{ host: redis.host, port: 1 }], { lazyConnect: true });
    given.push(cluster);
    const { cache } = await startProcess(cluster, { commandTimeout: 100 });
    expect(await cache.get('key', counting('loaded'))).toBe('loaded');
    expect(cluster.status).toBe('wait');
  });
});
