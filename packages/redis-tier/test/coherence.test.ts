import { until, type RedisServer } from '../../../tools/redis/index.js';
import { redisTier } from '../src/index.js';
import {
  connectionsTo,
  counting,
  redisForAll,
  startCoherent,
  startTwo,
  untilCoherent,
  untilForgotten,
  type Process,
} from './processes.js';

let redis: RedisServer;
redisForAll((server) => (redis = server));

async function redisKeyOf(kind: 'v' | 't' = 'v'): Promise<string> {
  const [key] = await redis.command<string[]>('KEYS', `acache:${kind}:*`);
  return key as string;
}

describe.each(['auto', 'tracking', 'pubsub'] as const)('two processes with %s', (coherence) => {
  const changes: [string, (process: Process) => Promise<unknown>, then: unknown][] = [
    ['set', ({ cache }) => cache.set('key', 'new'), 'new'],
    ['delete', ({ cache }) => cache.delete('key'), undefined],
    ['expire', ({ cache }) => cache.expire('key'), undefined],
    ['invalidateTags', ({ cache }) => cache.invalidateTags('tag'), undefined],
    ['clear', ({ cache }) => cache.clear(), undefined],
    ['refresh', ({ cache }) => cache.get('key', { refresh: true, loader: () => 'new' }), 'new'],
    ['setMany', ({ cache }) => cache.setMany([['key', 'new']]), 'new'],
    ['set with ttl 0', ({ cache }) => cache.set('key', 'new', { ttl: 0 }), undefined],
  ];
  it.each(changes)('see what the other one does: %s', async (_what, change, then) => {
    const [a, b] = await startCoherent(redis.url, { coherence });
    await a.cache.set('key', 'old', { tags: ['tag'] });
    await a.cache.set('other', 'same');
    expect(await b.cache.get('key')).toBe('old');
    expect(await b.cache.get('other')).toBe('same');
    await change(a);
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBe(then);
    expect(await a.cache.get('key')).toBe(then);
    expect(await b.cache.get('other')).toBe(_what === 'clear' ? undefined : 'same');
  });

  it('serve what they know from memory, without asking Redis', async () => {
    const [a, b] = await startCoherent(redis.url, { coherence });
    await a.cache.set('key', 'value');
    await b.cache.get('key');
    const calls = async (): Promise<string | undefined> =>
      (await redis.info('commandstats')).cmdstat_get?.split(',')[0];
    const before = await calls();
    for (let count = 0; count < 100; count++) {
      expect(await b.cache.get('key')).toBe('value');
      expect(await a.cache.get('key')).toBe('value');
    }
    expect(await calls()).toBe(before);
    const { source } = await b.cache.getWithMeta('key');
    expect(source).toBe('memory');
  });

  it('load a key that both miss once', async () => {
    const [a, b] = await startCoherent(redis.url, { coherence });
    const loader = counting('value');
    const waits = (): number => a.tier.getMetrics().waits + b.tier.getMetrics().waits;
    const slowly = async (): Promise<string> => {
      await until('the other process to wait', () => waits() === 1);
      return loader();
    };
    const all = [a, b, a, b].map(({ cache }) => cache.get('key', slowly));
    expect(await Promise.all(all)).toEqual(['value', 'value', 'value', 'value']);
    expect(loader.calls).toBe(1);
    expect(a.tier.getMetrics().leases + b.tier.getMetrics().leases).toBe(1);
    expect(waits()).toBe(1);
  });

  it('say how they hear of changes', async () => {
    const [a] = await startCoherent(redis.url, { coherence });
    const expected = { coherence: coherence === 'auto' ? 'tracking' : coherence };
    expect(a.events).toContainEqual({ state: 'coherent', detail: expected });
    const listening = (await connectionsTo(redis)).filter(({ sub }) => sub === '1');
    expect(listening).toHaveLength(2);
    expect(listening.map(({ flags }) => flags?.includes('t'))).toEqual(
      Array(2).fill(coherence !== 'pubsub'),
    );
  });
});

describe('memory with tracking', () => {
  const changes: [string, (key: string) => Promise<unknown>][] = [
    ['SET', (key) => redis.command('SET', key, 'theirs')],
    ['DEL', (key) => redis.command('DEL', key)],
    ['UNLINK', (key) => redis.command('UNLINK', key)],
    ['PEXPIRE and expiry', (key) => redis.command('PEXPIRE', key, 1)],
    ['EXPIREAT in the past', (key) => redis.command('EXPIREAT', key, 1)],
    ['RENAME', (key) => redis.command('RENAME', key, 'elsewhere')],
    ['a script', (key) => redis.command('EVAL', "redis.call('DEL', KEYS[1])", 1, key)],
    ['FLUSHDB', () => redis.command('FLUSHDB')],
    ['FLUSHALL', () => redis.command('FLUSHALL')],
    ['FLUSHALL ASYNC', () => redis.command('FLUSHALL', 'ASYNC')],
  ];
  it.each(changes)('forgets what a client of other ways changed: %s', async (_what, change) => {
    const [a, b] = await startCoherent(redis.url, { coherence: 'tracking' });
    await a.cache.set('key', 'ours');
    await b.cache.get('key');
    await change(await redisKeyOf());
    await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
    // An expiry is told of twice: when it is put, with the value there for a moment, and when it is over.
    await until('it to be gone', async () => (await b.cache.get('key')) === undefined);
    await until('another value to be shared', async () => {
      expect(await a.cache.get('key', () => 'loaded')).toBe('loaded');
      return (await b.cache.get('key')) === 'loaded';
    });
    await untilCoherent(a, b);
  });

  it('forgets what was evicted for want of memory', async () => {
    const [a, b] = await startCoherent(redis.url, { coherence: 'tracking' });
    await a.cache.set('key', 'ours');
    await b.cache.get('key');
    const key = await redisKeyOf();
    const used = Number((await redis.info('memory')).used_memory);
    try {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
      await redis.command('CONFIG', 'SET', 'maxmemory', used + 500_000);
      await until('the key to be evicted', async () => {
        for (let count = 0; count < 20; count++) {
          await redis.command('SET', `filler ${Math.random()}`, 'x'.repeat(20_000));
        }
        return (await redis.command('EXISTS', key)) === 0;
      });
      await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', 0);
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it.each([
    ['taken away', (key: string) => redis.command('DEL', key)],
    ['changed', (key: string) => redis.command('SET', key, '12345678')],
  ])('forgets all when the stamp of the namespace is %s', async (_what, change) => {
    const [a, b] = await startCoherent(redis.url, { coherence: 'tracking' });
    await a.cache.set('key', 'ours');
    await b.cache.get('key');
    await change(await redisKeyOf('t'));
    await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
    expect(await b.cache.get('key')).toBeUndefined();
  });

  it('keeps what is loaded right after a flush, though another process makes the stamps anew', async () => {
    const [a, b] = await startCoherent(redis.url, { coherence: 'tracking' });
    for (let round = 0; round < 30; round++) {
      await a.cache.set('key', 'ours');
      await b.cache.get('key');
      await redis.command('FLUSHALL');
      await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
      expect(await b.cache.get('key')).toBeUndefined();
      expect(await a.cache.get('key', () => 'loaded')).toBe('loaded');
      expect([round, await b.cache.get('key')]).toEqual([round, 'loaded']);
    }
    expect(a.states).toContain('flushed');
  });
});

describe('memory without coherence', () => {
  it('serves what is at most staleness old, and no connection listens', async () => {
    const [a, b] = await startTwo(redis.url, { coherence: 'none', staleness: 300 });
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    expect(b.cache.has('key')).toBe(true);
    const changed = performance.now();
    await a.cache.set('key', 'new');
    await until('the new value', async () => (await b.cache.get('key')) === 'new');
    expect(performance.now() - changed).toBeLessThan(2000);
    expect((await connectionsTo(redis)).filter(({ sub }) => sub !== '0')).toEqual([]);
    expect(await connectionsTo(redis)).toHaveLength(2);
  });

  it('never serves from memory with a staleness of 0', async () => {
    const [a, b] = await startTwo(redis.url, { staleness: 0 });
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new');
    expect(await b.cache.get('key')).toBe('new');
    await a.cache.delete('key');
    expect(await b.cache.get('key')).toBeUndefined();
  });
});

describe('the metrics of a tier', () => {
  it('tell what happened', async () => {
    const [a, b] = await startCoherent(redis.url, { coherence: 'tracking' });
    expect(a.tier.getMetrics()).toEqual({
      coherent: true,
      down: false,
      outages: 0,
      resets: expect.any(Number),
      invalidations: 0,
      rereads: 0,
      leases: 0,
      waits: 0,
      refusals: 0,
      unreadable: 0,
      unsent: 0,
    });
    await a.cache.get('key', () => 'loaded');
    expect(a.tier.getMetrics().leases).toBe(1);
    await b.cache.get('key');
    const before = b.tier.getMetrics().invalidations;
    await a.cache.set('key', 'new');
    await untilForgotten(b, 'key');
    expect(b.tier.getMetrics().invalidations).toBeGreaterThan(before);
    await redis.command('SET', await redisKeyOf(), 'theirs');
    await untilForgotten(a, 'key');
    expect(await a.cache.get('key')).toBeUndefined();
    expect(a.tier.getMetrics().unreadable).toBeGreaterThan(0);
    const { resets } = a.tier.getMetrics();
    await redis.command('FLUSHALL');
    await until('the flush to be seen', () => a.tier.getMetrics().resets > resets);
    await a.cache.close();
    expect(a.tier.getMetrics()).toMatchObject({ coherent: false, down: false, unsent: 0 });
  });

  it('count what was not stored since somebody removed it meanwhile', async () => {
    // Where nobody tells of the removal, only Redis knows of it.
    const [a, b] = await startTwo(redis.url, { coherence: 'none' });
    const value = await a.cache.get('key', async () => {
      await b.cache.delete('key');
      return 'late';
    });
    expect(value).toBe('late');
    expect(await b.cache.get('key')).toBeUndefined();
    expect(a.tier.getMetrics()).toMatchObject({ leases: 1, refusals: 1 });
  });

  it('are zero before a cache is attached', () => {
    const { coherent, ...counts } = redisTier(redis.url).getMetrics();
    expect(coherent).toBe(false);
    expect(Object.values(counts).every((count) => count === 0 || count === false)).toBe(true);
  });
});
