import { rm } from 'node:fs/promises';
import { startProxy, until, type RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections, SOON, sourceOf, timedLoads, untilUsed } from './illness.js';
import {
  connectionsTo,
  counting,
  endProcesses,
  redisForEach,
  startCoherent,
  startProcess,
  untilCoherent,
  untilMadeGood,
  type Process,
} from './processes.js';

jest.setTimeout(30_000);
failOnUnhandledRejections();

let redis: RedisServer;
redisForEach((server) => (redis = server));

describe.each([
  [
    'is out of memory',
    () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
    () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    /OOM/,
  ],
  [
    'has not enough replicas',
    () => redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1'),
    () => redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    /NOREPLICAS/,
  ],
  [
    'cannot save',
    async () => {
      const [, folder] = await redis.command<string[]>('CONFIG', 'GET', 'dir');
      await redis.command('CONFIG', 'SET', 'save', '3600 100000');
      await rm(folder!, { recursive: true });
      await redis.command('BGSAVE');
      await until('the save to fail', async () => {
        const { rdb_last_bgsave_status: status } = await redis.info('persistence');
        return status === 'err';
      });
    },
    () => redis.command('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no'),
    /MISCONF/,
  ],
] as const)('a Redis that %s', (_name, fall, recover, reply) => {
  /** Two that hold `k: 'old'` in their memories. */
  async function startBoth(): Promise<[a: Process, b: Process]> {
    const [a, b] = await startCoherent(redis.url);
    await b.cache.set('k', 'old', { tags: ['tag'] });
    await untilUsed(a, 'k', 'old');
    return [a, b];
  }

  it('serves what it has, and loads are kept in memory for a while', async () => {
    const [a] = await startBoth();
    await fall();
    await expect(redis.command('SET', 'x', '1')).rejects.toThrow(reply);
    const c = await startProcess(redis.url);
    expect(await c.cache.get('k')).toBe('old');
    const load = counting('loaded');
    expect(await a.cache.get('new', load)).toBe('loaded');
    expect(await a.cache.get('new', load)).toBe('loaded');
    expect(load.calls).toBe(1);
    expect(a.tier.getMetrics()).toMatchObject({ down: false });
  });

  it('takes no set: the older value is removed, as soon as that can be done', async () => {
    const [a, b] = await startBoth();
    await fall();
    await a.cache.set('k', 'new');
    expect(await a.cache.get('k')).toBe('new');
    expect(String(a.errors[0])).toMatch(reply);
    await recover();
    await untilMadeGood(a);
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
    await a.cache.set('k', 'newest');
    await untilUsed(b, 'k', 'newest');
  });

  it('takes no invalidation: that is made good', async () => {
    const [a, b] = await startBoth();
    await b.cache.set('other', 'old');
    await fall();
    await a.cache.invalidateTags('tag');
    expect(a.tier.getMetrics().unsent).toBe(1);
    expect(await a.cache.get('k')).toBeUndefined();
    await expect(a.cache.flush()).rejects.toThrow(reply);
    await recover();
    await a.cache.flush();
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
    expect(await b.cache.get('other')).toBe('old');
  });
});

describe('a Redis that has become a replica', () => {
  let primary: RedisServer;
  redisForEach((server) => (primary = server));

  async function demote(): Promise<void> {
    await redis.command('REPLICAOF', primary.host, primary.port);
    await until('it to follow', async () => {
      const { master_link_status: status } = await redis.info('replication');
      return status === 'up';
    });
  }

  it('is not trusted, costs little, and is used again once it takes writes', async () => {
    const a = await startProcess(redis.url);
    await untilCoherent(a);
    await a.cache.set('k', 'old');
    await demote();
    await expect(redis.command('SET', 'x', '1')).rejects.toThrow(/READONLY/);
    expect(await timedLoads(a, 50)).toBeLessThan(SOON);
    await a.cache.delete('k');
    expect(await a.cache.get('k')).toBeUndefined();
    await until('it not to be trusted', () => !a.tier.getMetrics().coherent);

    await redis.command('REPLICAOF', 'NO', 'ONE');
    await untilCoherent(a);
    await untilMadeGood(a);
    const b = await startProcess(redis.url);
    await a.cache.set('k', 'new');
    await untilUsed(b, 'k', 'new');
  });

  it('is not stormed with new connections', async () => {
    const proxy = await startProxy(redis);
    const a = await startProcess(proxy.url, { commandTimeout: 100 });
    await untilCoherent(a);
    await demote();
    const before = proxy.accepted;
    for (let at = 0; at < 300; at++) await a.cache.get(at, () => at);
    expect(proxy.accepted - before).toBeLessThan(100);
    await endProcesses();
    await proxy.stop();
  });

  it('from the start, serves what it has, and nothing beyond', async () => {
    const b = await startProcess(primary.url);
    await untilCoherent(b);
    await b.cache.set('k', 'shared');
    await demote();
    const a = await startProcess(redis.url);
    expect(await a.cache.get('new', () => 'loaded')).toBe('loaded');
    // Its own attempts to write end the link now and then.
    await until('it to be read', async () => (await a.cache.get('k')) === 'shared');
    await b.cache.set('k', 'changed');
    await until('the change to arrive', async () => (await a.cache.get('k')) === 'changed');
    expect(a.tier.getMetrics().coherent).toBe(false);
  });
});

describe('a Redis that is busy', () => {
  async function untilRefusedWith(reply: string): Promise<void> {
    await until(`it to answer '${reply}'`, async () => {
      const error: unknown = await redis.command('GET', 'x').catch((thrown: unknown) => thrown);
      return String(error).includes(reply);
    });
  }

  it('with its data set, which it loads: loads go on here, and it is used afterwards', async () => {
    const [a, b] = await startCoherent(redis.url, { commandTimeout: 200 });
    await b.cache.set('k', 'v');
    await redis.command('DEBUG', 'POPULATE', '1000', 'filler', '2000');
    await redis.command('CONFIG', 'SET', 'loading-process-events-interval-bytes', '1024');
    await redis.command('CONFIG', 'SET', 'key-load-delay', '700');
    const reloading = redis.command('DEBUG', 'RELOAD');
    await untilRefusedWith('LOADING');
    expect(await timedLoads(a, 20)).toBeLessThan(SOON);
    expect(a.tier.getMetrics().down).toBe(true);
    const c = await startProcess(redis.url, { commandTimeout: 200 });
    expect(await c.cache.get('k', () => 'own')).toBe('own');
    await a.cache.delete('k');
    await reloading;
    await until('the breakers to close', () => !a.tier.getMetrics().down);
    await untilCoherent(a, b, c);
    await untilMadeGood(a);
    await until('the others to see it', async () => (await b.cache.get('k')) === undefined);
    expect(await c.cache.get('k')).toBeUndefined();
  });

  it('with a script of somebody else: the same', async () => {
    await redis.command('CONFIG', 'SET', 'busy-reply-threshold', '50');
    const [a, b] = await startCoherent(redis.url, { commandTimeout: 200 });
    await b.cache.set('k', 'v');
    const script = redis.command('EVAL', 'while true do end', '0').catch(String);
    await untilRefusedWith('BUSY');
    expect(await timedLoads(a, 20)).toBeLessThan(SOON);
    await a.cache.delete('k');
    expect(await a.cache.get('k')).toBeUndefined();
    await redis.command('SCRIPT', 'KILL');
    expect(await script).toMatch(/killed/);
    await until('the breaker to close', () => !a.tier.getMetrics().down);
    await untilCoherent(a, b);
    await untilMadeGood(a);
    await until('the other to see it', async () => (await b.cache.get('k')) === undefined);
  });
});

describe('a Redis that has forgotten', () => {
  it('its scripts: they are sent again, and nobody notices', async () => {
    const [a, b] = await startCoherent(redis.url);
    const calls = [
      () => a.cache.set('k', 'v', { tags: ['tag'] }),
      () => a.cache.get('loaded', () => 'v'),
      () => a.cache.expire('k'),
      () => a.cache.delete('k'),
      () => a.cache.invalidateTags('tag'),
      () => a.cache.clear(),
    ];
    for (const call of calls) {
      await redis.command('SCRIPT', 'FLUSH');
      await call();
    }
    await redis.command('SCRIPT', 'FLUSH');
    await a.cache.set('k', 'last');
    await untilUsed(b, 'k', 'last');
    expect(a.errors).toEqual([]);
    expect(a.tier.getMetrics()).toMatchObject({ unsent: 0, outages: 0 });
  });

  it('that the listener tracks: memory is not trusted for longer than staleness', async () => {
    const [a, b] = await startCoherent(redis.url, { staleness: 500 });
    await b.cache.set('k', 'v');
    await untilUsed(a, 'k', 'v');
    for (const { id, flags } of await connectionsTo(redis)) {
      if (flags?.includes('P')) await redis.command('CLIENT', 'KILL', 'ID', id!);
    }
    await b.cache.set('k', 'new');
    await until('the change to be seen', async () => (await a.cache.get('k')) === 'new', SOON);
    await untilCoherent(a);
    await until('memory to be used', async () => (await sourceOf(a, 'k')) === 'memory');
  });

  it('everything, by FLUSHALL: so does memory, and what is loaded then is shared', async () => {
    const [a, b] = await startCoherent(redis.url);
    await b.cache.set('k', 'v');
    await untilUsed(a, 'k', 'v');
    await redis.command('FLUSHALL');
    await until('memory to forget', async () => (await a.cache.get('k')) === undefined);
    expect(a.states).toContain('flushed');
    await a.cache.get('k', () => 'loaded anew');
    await untilUsed(b, 'k', 'loaded anew');
  });
});
