import { AsyncCache } from '@acache/core';
import { startRedis, until, type RedisServer } from '../../../tools/redis/index.js';
import { redisTier, type RedisTier } from '../src/index.js';
import {
  closeLater,
  connectionsTo,
  counting,
  redisForAll,
  startCoherent,
  startProcess,
  untilCoherent,
  untilForgotten,
  untilLoading,
} from './processes.js';
import { untilWaiting } from './heard.js';

let redis: RedisServer;
redisForAll((server) => (redis = server));

async function attach(tier: RedisTier, name: string): Promise<AsyncCache> {
  const cache = new AsyncCache({ name, tier });
  closeLater(cache);
  await cache.ready;
  return cache;
}

const untilGone = async (): Promise<unknown> =>
  until('all connections to be gone', async () => (await connectionsTo(redis)).length === 0);

describe('several caches on one tier', () => {
  it('share its connections, and nothing else', async () => {
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    const [users, carts] = [await attach(tier, 'users'), await attach(tier, 'carts')];
    expect(await connectionsTo(redis)).toHaveLength(2);
    await users.set('key', 'user', { tags: ['tag'] });
    await carts.set('key', 'cart', { tags: ['tag'] });
    expect([await users.get('key'), await carts.get('key')]).toEqual(['user', 'cart']);
    await users.invalidateTags('tag');
    expect(await carts.get('key')).toBe('cart');
    await users.set('key', 'user');
    await users.clear();
    expect(await carts.get('key')).toBe('cart');
    const loaders = [counting('user'), counting('cart')];
    await Promise.all([users.get('both', loaders[0]!), carts.get('both', loaders[1]!)]);
    expect(loaders.map(({ calls }) => calls)).toEqual([1, 1]);
  });

  it('go on when one of them is closed', async () => {
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    const [users, carts] = [await attach(tier, 'users'), await attach(tier, 'carts')];
    const other = await startProcess(redis.url, { name: 'carts' });
    await untilCoherent(other);
    await carts.set('key', 'old');
    await users.close();
    expect(await connectionsTo(redis)).toHaveLength(4);
    await other.cache.set('key', 'new');
    await until('memory to forget the key', () => !carts.has('key'));
    expect(await carts.get('key')).toBe('new');
    expect(tier.getMetrics().coherent).toBe(true);
    await expect(users.get('key')).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
  });

  it('free the connections with the last of them, and connect again with the next', async () => {
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    const first = await attach(tier, 'users');
    await first.set('key', 'value');
    await first.close();
    await untilGone();
    expect(tier.getMetrics().coherent).toBe(false);
    for (let round = 0; round < 3; round++) {
      const next = await attach(tier, 'users');
      expect(await next.get('key')).toBe('value');
      expect(tier.getMetrics().coherent).toBe(true);
      expect(await connectionsTo(redis)).toHaveLength(2);
      await next.close();
      await untilGone();
    }
  });

  it('connect again though the last of them is closing', async () => {
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    const first = await attach(tier, 'users');
    await first.set('key', 'value');
    const closing = first.close();
    const next = await attach(tier, 'users');
    await closing;
    expect(await next.get('key')).toBe('value');
    await next.set('key', 'new');
    expect(await next.get('key')).toBe('new');
    await next.flush();
    await next.close();
    await untilGone();
  });

  it('do not connect before there is one', async () => {
    const before = (await redis.info('stats')).total_connections_received;
    redisTier(redis.url);
    // What connects does so before another one that comes later has its two connections.
    await startCoherent(redis.url);
    const after = (await redis.info('stats')).total_connections_received;
    // The question is a connection as well.
    expect(Number(after) - Number(before)).toBe(5);
  });
});

describe.each(['tracking', 'pubsub'] as const)('two caches of one name with %s', (coherence) => {
  interface Pair {
    readonly caches: [AsyncCache, AsyncCache];
    readonly tiers: readonly RedisTier[];
  }
  const pairs: [string, () => Promise<Pair>][] = [
    [
      'one tier',
      async () => {
        const tier = redisTier(redis.url, { commandTimeout: 1000, coherence });
        const caches: Pair['caches'] = [await attach(tier, 'users'), await attach(tier, 'users')];
        return { caches, tiers: [tier] };
      },
    ],
    [
      'two tiers',
      async () => {
        const [a, b] = await startCoherent(redis.url, { coherence });
        return { caches: [a.cache, b.cache], tiers: [a.tier, b.tier] };
      },
    ],
  ];
  it.each(pairs)('are one cache: on %s', async (_what, start) => {
    const {
      caches: [a, b],
      tiers,
    } = await start();
    const forgotten = (): Promise<unknown> => until('b to forget', () => !b.has('key'));
    await a.set('key', 'old', { tags: ['tag'] });
    expect(await b.get('key')).toBe('old');
    await a.set('key', 'new', { tags: ['tag'] });
    await forgotten();
    expect(await b.get('key')).toBe('new');
    await a.invalidateTags('tag');
    await forgotten();
    await a.set('key', 'again');
    expect(await b.get('key')).toBe('again');
    await a.clear();
    await forgotten();
    await a.set('key', 'last');
    expect(await b.get('key')).toBe('last');
    await a.delete('key');
    await forgotten();
    expect(await b.get('key')).toBeUndefined();
    const loader = counting('loaded');
    const slowly = async (): Promise<string> => {
      await until('the other to wait', () => tiers.some((tier) => tier.getMetrics().waits === 1));
      return loader();
    };
    const all = [a, b].map((cache) => cache.get('loaded', slowly));
    expect(await Promise.all(all)).toEqual(['loaded', 'loaded']);
    expect(loader.calls).toBe(1);
    await a.close();
    expect(await b.get('loaded')).toBe('loaded');
  });
});

describe('close', () => {
  /** What keeps a process alive. */
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  it('leaves no connection and no timer behind', async () => {
    const before = timers();
    const [a, b] = await startCoherent(redis.url);
    await a.cache.get('key', () => 'value');
    await Promise.all([a.cache.close(), b.cache.close()]);
    await untilGone();
    await until('the timers to be gone', () => timers() <= before, 1000);
  });

  it('gives a load of its own back, so that another process need not wait for it', async () => {
    const [a, b] = await startCoherent(redis.url, { lockTtl: '20s' });
    const unending = a.cache.get('key', () => new Promise(() => undefined));
    unending.catch(() => undefined);
    await untilLoading(a);
    const waiting = b.cache.get('key', () => 'loaded');
    await untilWaiting(b);
    await a.cache.close();
    expect(await waiting).toBe('loaded');
  });

  it('leaves no timer behind while Redis is away', async () => {
    const away = await startRedis();
    const before = timers();
    const { cache, states } = await startProcess(away.url, { commandTimeout: 100 });
    await cache.get('key', () => 'value');
    await away.stop();
    await until('the loss to be seen', () => states.includes('disconnected'));
    await cache.close();
    await until('the timers to be gone', () => timers() <= before, 1000);
  });

  it('sends what Redis has not heard of yet', async () => {
    const [a, b] = await startCoherent(redis.url);
    await a.cache.set('key', 'value');
    await b.cache.get('key');
    void a.cache.delete('key');
    await a.cache.close();
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBeUndefined();
  });
});
