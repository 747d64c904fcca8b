import { Cluster, type ClusterOptions } from 'ioredis';
import { Cluster as Cluster5 } from 'ioredis5';
import {
  startCluster,
  until,
  type RedisCluster,
  type RedisServer,
} from '../../../tools/redis/index.js';
import { commandsIn, pubsubInCluster, trackingInCluster } from './acl-rules.js';
import { everyCall } from './every-call.js';
import {
  connectionsTo,
  counting,
  endProcesses,
  startCoherent,
  startProcess,
  startTwo,
  untilAnswered,
  untilCoherent,
  untilForgotten,
  untilMadeGood,
  type Process,
  type ProcessOptions,
} from './processes.js';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
beforeEach(async () => {
  await onEach((node) => node.command('FLUSHALL'));
});
afterEach(endProcesses);
afterAll(() => cluster.stop());

function client(options: ClusterOptions = {}): Cluster {
  return new Cluster(cluster.addresses, { lazyConnect: true, ...options });
}

function client5(options: ClusterOptions = {}): Cluster {
  const all = { lazyConnect: true, ...options } as object;
  return new Cluster5(cluster.addresses, all) as unknown as Cluster;
}

async function onEach<T>(ask: (node: RedisServer) => Promise<T>): Promise<T[]> {
  return Promise.all(cluster.nodes.map(ask));
}

/** Keys of a cache that lie on all primaries. */
const keys = Array.from({ length: 30 }, (_, at) => `key ${at}`);

/** Where a key of a cache lies: the node, and the name of the key there. */
async function placeOf(key: string): Promise<{ node: RedisServer; redisKey: string }> {
  const places = await onEach(async (node) => {
    const all = await node.command<string[]>('KEYS', 'acache:v:*');
    const redisKey = all.find((name) => name.endsWith(`${key}}`));
    return redisKey === undefined ? [] : [{ node, redisKey }];
  });
  const [place] = places.flat();
  if (place === undefined) throw new Error(`${key} is nowhere`);
  return place;
}

/** Two that have a connection to every node already. */
async function two(options: ProcessOptions = {}, target = client()): Promise<[Process, Process]> {
  const both = await startCoherent(target, options);
  await untilAnswered(...both);
  return both;
}

describe.each([
  ['ioredis 6', client],
  ['ioredis 5', client5],
])('a cluster by a client of %s', (_version, give) => {
  it.each(['tracking', 'pubsub'] as const)('is one cache: %s', async (coherence) => {
    const [a, b] = await two({ coherence }, give());
    await a.cache.setMany(
      keys.map((key) => [key, 'old'] as const),
      { tags: ['tag'] },
    );
    const all = await b.cache.getMany(keys);
    expect([...all]).toEqual(keys.map((key) => [key, 'old']));
    expect(keys.filter((key) => !b.cache.has(key))).toEqual([]);
    const counts = await onEach((node) => node.command<number>('DBSIZE'));
    expect(counts.filter((count) => count === 0)).toEqual([]);
    // Keys of every primary.
    for (const key of keys) {
      await a.cache.set(key, 'new', { tags: ['tag'] });
      await untilForgotten(b, key);
      expect(await b.cache.get(key)).toBe('new');
    }
    await a.cache.invalidateTags('tag');
    for (const key of keys) await untilForgotten(b, key);
    expect(await b.cache.getMany(keys)).toEqual(new Map());
    await a.cache.setMany(keys.map((key) => [key, 'again'] as const));
    await b.cache.getMany(keys);
    await a.cache.clear();
    for (const key of keys) await untilForgotten(b, key);
    expect(await b.cache.getMany(keys)).toEqual(new Map());
    expect(a.errors).toEqual([]);
  });

  it('can be asked for much at once from the start', async () => {
    // It is a matter of milliseconds whether a node is connected yet.
    for (let round = 0; round < 5; round++) {
      const [a, b] = await startCoherent(give());
      await a.cache.setMany(keys.map((key) => [key, round] as const));
      expect(await b.cache.getMany(keys)).toEqual(new Map(keys.map((key) => [key, round])));
      expect([...a.errors, ...b.errors]).toEqual([]);
      expect(a.tier.getMetrics()).toMatchObject({ outages: 0, unsent: 0 });
      await endProcesses();
    }
  });

  it('loads each key once, for all of its callers', async () => {
    const [a, b] = await two({}, give());
    const loader = counting('loaded');
    const gets = [a, b].flatMap(({ cache }) => keys.map((key) => cache.get(key, loader)));
    expect(new Set(await Promise.all(gets))).toEqual(new Set(['loaded']));
    expect(loader.calls).toBe(keys.length);
    const asked: string[] = [];
    const many = ['more 1', 'more 2', 'more 3', 'more 4'];
    const loadMany = async (missing: readonly unknown[]): Promise<unknown[]> => {
      asked.push(...(missing as string[]));
      return [...missing];
    };
    await Promise.all([a, b].map(({ cache }) => cache.getMany(many, { loadMany })));
    expect(asked.sort()).toEqual(many);
  });

  it('leaves the client as it is, and frees every connection', async () => {
    const given = give();
    const names = given.eventNames();
    const before = (await onEach((node) => connectionsTo(node))).flat().length;
    const [a, b] = await two({ lockTtl: 60 }, given);
    await everyCall(a, b);
    expect(given.status).toBe('wait');
    expect(given.eventNames()).toEqual(names);
    await endProcesses();
    await until('our connections to be gone', async () => {
      return (await onEach((node) => connectionsTo(node))).flat().length <= before;
    });
    expect(given.status).toBe('wait');
  });
});

describe('tags in a cluster', () => {
  it('that only the loader names are as safe as others', async () => {
    const [a, b] = await two();
    for (const key of keys) {
      await a.cache.get(key, (_key, context) => {
        context.tag(`of ${key}`);
        return 'loaded';
      });
      expect(await b.cache.get(key)).toBe('loaded');
    }
    for (const key of keys) {
      await b.cache.invalidateTags(`of ${key}`);
      await untilForgotten(a, key);
    }
    expect(await b.cache.getMany(keys)).toEqual(new Map());
  });

  it('that are invalidated while a loader runs keep what it loads from being stored', async () => {
    const [a, b] = await two();
    for (const [at, key] of keys.entries()) {
      const isLate = at % 2 === 0;
      const value = await a.cache.get(key, {
        ...(!isLate && { tags: ['tag'] }),
        loader: async (_key, context) => {
          await b.cache.invalidateTags('tag');
          if (isLate) context.tag('tag');
          return 'loaded';
        },
      });
      expect(value).toBe('loaded');
      expect(await b.cache.get(key)).toBeUndefined();
    }
  });
});

describe('what others do in a cluster', () => {
  it('is heard of from every primary', async () => {
    const [a, b] = await two();
    await a.cache.setMany(keys.map((key) => [key, 'ours'] as const));
    await b.cache.getMany(keys);
    const nodes = new Set<RedisServer>();
    for (const key of keys) {
      const { node, redisKey } = await placeOf(key);
      nodes.add(node);
      await node.command('DEL', redisKey);
      await Promise.all([untilForgotten(a, key), untilForgotten(b, key)]);
    }
    expect(nodes.size).toBe(3);
  });

  it('is heard of when one primary is flushed', async () => {
    const [a, b] = await two();
    await a.cache.setMany(keys.map((key) => [key, 'ours'] as const));
    await b.cache.getMany(keys);
    const { node } = await placeOf('key 0');
    await node.command('FLUSHALL');
    await Promise.all([untilForgotten(a, 'key 0'), untilForgotten(b, 'key 0')]);
    expect(await b.cache.get('key 0')).toBeUndefined();
  });
});

describe('keys in a cluster', () => {
  it('cannot choose their slot', async () => {
    const process = await startProcess(client(), { name: '{users}' });
    await untilAnswered(process);
    const { cache } = process;
    const chosen = Array.from({ length: 20 }, (_, at) => `{a}${at}`);
    await cache.setMany(chosen.map((key) => [key, 1] as const));
    const [node] = cluster.nodes as [RedisServer];
    const all = (await onEach((each) => each.command<string[]>('KEYS', 'acache:v:*'))).flat();
    expect(all).toHaveLength(chosen.length);
    const slots = await Promise.all(all.map((key) => cluster.slotOf(key)));
    expect(new Set(slots).size).toBeGreaterThan(15);
    expect(slots).not.toContain(await node.command('CLUSTER', 'KEYSLOT', 'a'));
    expect(slots).not.toContain(await node.command('CLUSTER', 'KEYSLOT', 'users'));
  });

  it('all lie in one slot where the prefix says so', async () => {
    const [a, b] = await two({ prefix: '{app}', lockTtl: 60 });
    await everyCall(a, b);
    await a.cache.setMany(keys.map((key) => [key, 1] as const));
    expect((await b.cache.getMany(keys)).size).toBe(keys.length);
    const counts = await onEach((each) => each.command<number>('DBSIZE'));
    expect(counts.filter((count) => count > 0)).toHaveLength(1);
  });

  it("begin with the client's own keyPrefix", async () => {
    for (const options of [{ keyPrefix: 'theirs:' }, { redisOptions: { keyPrefix: 'theirs:' } }]) {
      const [a, b] = await two({ lockTtl: 60 }, client(options));
      await everyCall(a, b);
      await a.cache.setMany(
        keys.map((key) => [key, 1] as const),
        { tags: ['tag'] },
      );
      await b.cache.getMany(keys);
      await a.cache.invalidateTags('tag');
      for (const key of keys) await untilForgotten(b, key);
      const all = (await onEach((each) => each.command<string[]>('KEYS', '*'))).flat();
      expect(all.length).toBeGreaterThan(keys.length);
      expect(all.filter((key) => !key.startsWith('theirs:acache:'))).toEqual([]);
    }
  });
});

describe('options of a given cluster client that would hurt', () => {
  const never = (): null => null;
  const options: [string, ClusterOptions][] = [
    ['reading from replicas', { scaleReads: 'slave' }],
    ['autopipelining', { enableAutoPipelining: true }],
    ['no offline queue', { enableOfflineQueue: false }],
    ['no retries', { clusterRetryStrategy: never, clusterNodeRetryStrategy: never }],
    ['RESP3', { redisOptions: { protocol: 3 } }],
    ['replies of RESP3 as maps', { redisOptions: { protocol: 3, replyMapping: 'resp3' } as never }],
    ['numbers as texts', { redisOptions: { stringNumbers: true } }],
    ['readOnly', { redisOptions: { readOnly: true } as object }],
    ['a short command timeout', { redisOptions: { commandTimeout: 1 } }],
    ['sharded subscribers', { shardedSubscribers: true }],
    ['no check whether it is ready', { enableReadyCheck: false }],
  ];
  const each = options.flatMap(([what, one]) => [
    [what, 'ioredis 6', client, one] as const,
    [what, 'ioredis 5', client5, one] as const,
  ]);
  it.each(each)('do not: %s (%s)', async (_what, _version, give, hurting) => {
    const [a, b] = await startTwo(give(hurting));
    const both = [a.tier, b.tier];
    await until(
      'both to be coherent',
      () => both.every((tier) => tier.getMetrics().coherent),
      2000,
    );
    await untilAnswered(a, b);
    await a.cache.setMany(
      keys.map((key) => [key, 'old'] as const),
      { tags: ['tag'] },
    );
    expect((await b.cache.getMany(keys)).size).toBe(keys.length);
    await a.cache.invalidateTags('tag');
    for (const key of keys) await untilForgotten(b, key);
    await a.cache.flush();
    expect(a.tier.getMetrics()).toMatchObject({ outages: 0, unsent: 0, unreadable: 0 });
    expect(a.errors).toEqual([]);
  });
});

describe('a user of a cluster with the least permissions', () => {
  const allow = (rules: string): Promise<unknown> =>
    onEach(async (node) => {
      await node.command('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', ...rules.split(' '));
      await node.command('ACL', 'LOG', 'RESET');
      await node.command('CONFIG', 'RESETSTAT');
      await node.command('SCRIPT', 'FLUSH');
    });
  const login = { redisOptions: { username: 'app', password: 'secret' } };
  it.each([
    ['tracking', trackingInCluster],
    ['pubsub', pubsubInCluster],
  ] as const)('can do everything, and none of them is too many: %s', async (coherence, rules) => {
    await allow(rules);
    const [a, b] = await two({ coherence, lockTtl: 60 }, client(login));
    for (let round = 0; round < 2; round++) await everyCall(a, b);
    const texts = await onEach((each) => each.command<string>('INFO', 'commandstats'));
    const used = new Set(
      texts.flatMap((text) => [...text.matchAll(/cmdstat_(\S+?):calls=/g)].map(([, name]) => name)),
    );
    expect((await onEach((each) => each.command('ACL', 'LOG'))).flat()).toEqual([]);
    expect([...used]).toEqual(expect.arrayContaining(commandsIn(rules)));
  });
});

describe('a slot that moves while caches run', () => {
  it('leaves nothing old in memory, and is heard of at its new place', async () => {
    const [a, b] = await two();
    await a.cache.setMany(
      keys.map((key) => [key, 'old'] as const),
      { tags: ['tag'] },
    );
    await b.cache.getMany(keys);
    const { node: from, redisKey } = await placeOf('key 0');
    const to = cluster.nodes.find((node) => node !== from) as RedisServer;
    let isOver = false;
    const wrong: unknown[] = [];
    const served = (async () => {
      while (!isOver) {
        const value = await b.cache.get('key 0', () => 'loaded');
        if (value !== 'old' && value !== 'loaded') wrong.push(value);
        await new Promise(setImmediate);
      }
    })();
    await cluster.moveSlotOf(redisKey, to);
    isOver = true;
    await served;
    expect(wrong).toEqual([]);
    expect(await cluster.ownerOf(redisKey)).toBe(to);
    // Written by one, then by somebody else, at the new place.
    await a.cache.set('key 0', 'new');
    await until('the new value', async () => (await b.cache.get('key 0')) === 'new');
    await untilCoherent(a, b);
    await to.command('DEL', redisKey);
    await Promise.all([untilForgotten(a, 'key 0'), untilForgotten(b, 'key 0')]);
    expect(await b.cache.get('key 0')).toBeUndefined();
    await a.cache.flush();
    expect(a.tier.getMetrics().unsent).toBe(0);
  });

  it('with the stamps of a namespace keeps tags and clear working', async () => {
    const [a, b] = await two();
    await a.cache.set('key', 'old', { tags: ['tag'] });
    await b.cache.get('key');
    const from = await cluster.ownerOf('acache:t:{users}');
    const to = cluster.nodes.find((node) => node !== from) as RedisServer;
    await cluster.moveSlotOf('acache:t:{users}', to);
    await until('the value to be served again', async () => (await b.cache.get('key')) === 'old');
    await a.cache.invalidateTags('tag');
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBeUndefined();
    await a.cache.set('key', 'new');
    await until('the new value', async () => (await b.cache.get('key')) === 'new');
    await a.cache.clear();
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBeUndefined();
  });
});

describe('a primary that is gone without a successor', () => {
  it('takes its keys with it; those of the others go on', async () => {
    await onEach((node) => node.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no'));
    const [a, b] = await two({ commandTimeout: 300, breaker: { openFor: 100 } });
    const stamps = await cluster.ownerOf('acache:t:{users}');
    const gone = cluster.nodes.find((node) => node !== stamps) as RedisServer;
    await a.cache.setMany(keys.map((key) => [key, 'old'] as const));
    const owners: RedisServer[] = [];
    for (const key of keys) owners.push((await placeOf(key)).node);
    await gone.kill();
    const others = keys.filter((_, at) => owners[at] !== gone);
    const theirs = keys.filter((_, at) => owners[at] === gone);
    expect(theirs.length).toBeGreaterThan(2);
    for (const key of keys) {
      expect(['old', 'loaded']).toContain(await b.cache.get(key, () => 'loaded'));
    }
    for (const key of others) {
      await a.cache.set(key, 'new');
      await until('the new value', async () => (await b.cache.get(key)) === 'new');
    }
    // Those that are gone are loaded, and cost little.
    const started = performance.now();
    for (const key of theirs) {
      await a.cache.delete(key);
      expect(await a.cache.get(key, () => 'loaded')).toBe('loaded');
    }
    expect(performance.now() - started).toBeLessThan(theirs.length * 700);
    await expect(a.cache.flush()).rejects.toThrow();
    await gone.restart();
    await cluster.untilSettled();
    await untilCoherent(a, b);
    await untilMadeGood(a);
    for (const key of theirs) {
      await a.cache.set(key, 'back');
      await until('the new value', async () => (await b.cache.get(key)) === 'back');
    }
  });
});
