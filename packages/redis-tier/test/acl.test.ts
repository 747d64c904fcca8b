import { until, type RedisServer } from '../../../tools/redis/index.js';
import { commandsIn, none, pubsub, tracking, without } from './acl-rules.js';
import { everyCall } from './every-call.js';
import {
  counting,
  redisForAll,
  startCoherent,
  startProcess,
  startTwo,
  untilCoherent,
  untilForgotten,
} from './processes.js';

let redis: RedisServer;
let url: string;
redisForAll(
  (server) => {
    redis = server;
    url = redis.url.replace('//', '//app:secret@');
  },
  { users: ['default off', 'app off'] },
);
beforeEach(() => redis.command('SCRIPT', 'FLUSH'));
afterEach(() => jest.restoreAllMocks());

async function allow(rules: string): Promise<void> {
  await redis.command('ACL', 'SETUSER', 'app', 'reset', 'on', '>secret', ...rules.split(' '));
  await redis.command('ACL', 'LOG', 'RESET');
  await redis.command('CONFIG', 'RESETSTAT');
}

/** The commands of a user that were refused. */
async function refused(): Promise<string[]> {
  const log = await redis.command<string[][]>('ACL', 'LOG');
  return log.map((entry) => entry[entry.indexOf('object') + 1] as string);
}

async function used(): Promise<string[]> {
  const stats = Object.keys(await redis.info('commandstats'));
  return stats.map((name) => name.replace('cmdstat_', '')).sort();
}

// INFO of a section has `|` in the names of subcommands, which `redis.info` leaves out.
const names = (rules: string): string[] => commandsIn(rules).filter((name) => !name.includes('|'));

describe('a user with the least permissions', () => {
  it.each([
    ['tracking', tracking],
    ['pubsub', pubsub],
    ['none', none],
  ] as const)(
    'can do everything with coherence %s, and none of them is too many',
    async (coherence, rules) => {
      await allow(rules);
      const [a, b] = await startTwo(url, { coherence, lockTtl: 60 });
      if (coherence !== 'none') await untilCoherent(a, b);
      await everyCall(a, b);
      expect(await refused()).toEqual([]);
      expect(await used()).toEqual(expect.arrayContaining(names(rules)));
      expect(a.events.filter(({ state }) => state === 'refused' || state === 'error')).toEqual([]);
      expect(a.tier.getMetrics()).toMatchObject({ unsent: 0, outages: 0 });
    },
  );

  it('hears of what others do, with tracking of foreign clients too', async () => {
    await allow(tracking);
    const [a, b] = await startCoherent(url, { coherence: 'tracking' });
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new');
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBe('new');
    const [key] = await redis.command<string[]>('KEYS', '*v:*');
    await redis.command('DEL', key as string);
    await Promise.all([untilForgotten(a, 'key'), untilForgotten(b, 'key')]);
  });

  it('hears of what others do by pub/sub', async () => {
    await allow(pubsub);
    const [a, b] = await startCoherent(url, { coherence: 'pubsub' });
    await a.cache.set('key', 'old', { tags: ['tag'] });
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.invalidateTags('tag');
    await untilForgotten(b, 'key');
  });
});

describe('a user who may not use CLIENT TRACKING', () => {
  it('hears by pub/sub, and an event says so', async () => {
    await allow(pubsub);
    const [a, b] = await startCoherent(url);
    expect(a.events).toContainEqual({
      state: 'refused',
      detail: { coherence: 'tracking', reason: expect.stringContaining('NOPERM') },
    });
    expect(a.events).toContainEqual({ state: 'coherent', detail: { coherence: 'pubsub' } });
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.delete('key');
    await untilForgotten(b, 'key');
    expect(await b.cache.get('key')).toBeUndefined();
  });

  it('hears nothing where tracking was asked for, and answers all the same', async () => {
    await allow(pubsub);
    const [a, b] = await startTwo(url, { coherence: 'tracking' });
    expect(a.states).toContain('refused');
    expect(a.errors).not.toEqual([]);
    await a.cache.set('key', 'old');
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new');
    expect(await b.cache.get('key')).toBe('new');
    expect(b.tier.getMetrics().coherent).toBe(false);
  });
});

describe('a user who may use neither CLIENT TRACKING nor the channel', () => {
  it.each([
    ['has no channel', without(pubsub, '&acache:i')],
    ['may not subscribe', without(pubsub, '+subscribe')],
    ['may neither subscribe nor publish', without(none, '&acache:i', '+publish')],
  ])('answers from Redis every time: %s', async (_what, rules) => {
    await allow(rules);
    const [a, b] = await startTwo(url);
    expect(a.states.filter((state) => state === 'refused')).toHaveLength(2);
    const loader = counting('loaded');
    expect(await a.cache.get('loaded', loader)).toBe('loaded');
    expect(await b.cache.get('loaded', loader)).toBe('loaded');
    expect(loader.calls).toBe(1);
    await a.cache.set('key', 'old', { tags: ['tag'] });
    await a.cache.flush();
    expect(await b.cache.get('key')).toBe('old');
    await a.cache.set('key', 'new', { tags: ['tag'] });
    expect(await b.cache.get('key')).toBe('new');
    await a.cache.delete('key');
    expect(await b.cache.get('key')).toBeUndefined();
    await a.cache.set('key', 'again', { tags: ['tag'] });
    await a.cache.invalidateTags('tag');
    expect(await b.cache.get('key')).toBeUndefined();
    await a.cache.set('key', 'again');
    await a.cache.clear();
    expect(await b.cache.get('key')).toBeUndefined();
    await a.cache.flush();
    expect(a.tier.getMetrics().unsent).toBe(0);
  });
});

describe('a user who may hear what is published, and publish nothing', () => {
  it.each(['pubsub', 'auto'] as const)(
    'serves nothing old with coherence %s',
    async (coherence) => {
      await allow(without(pubsub, '+publish'));
      const [a, b] = await startTwo(url, { coherence, staleness: 200 });
      await a.cache.set('key', 'old');
      await b.cache.get('key', () => 'old');
      await a.cache.set('key', 'new');
      await until('the old value to go', async () => (await b.cache.get('key')) !== 'old', 1000);
      expect(b.tier.getMetrics().coherent).toBe(false);
    },
  );
});

describe('a user who may not ask for INFO', () => {
  it('can do everything', async () => {
    // ioredis says that it skips its check.
    jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    await allow(without(tracking, '+info'));
    const [a, b] = await startCoherent(url, { lockTtl: 60 });
    await everyCall(a, b);
    expect(new Set(await refused())).toEqual(new Set(['info']));
  });
});

describe('a user who may not touch the keys', () => {
  it("gets its loaders' values", async () => {
    await allow(tracking.replace('~acache:*', '~other:*'));
    const { cache, errors } = await startProcess(url);
    const loader = counting('loaded');
    expect(await cache.get('key', loader)).toBe('loaded');
    expect(await cache.get('key', loader)).toBe('loaded');
    // Memory keeps for a while what was loaded while the tier did not work.
    expect(loader.calls).toBe(1);
    await cache.set('key', 'set');
    expect(await cache.get('key')).toBe('set');
    await cache.delete('key');
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getMany(['one', 'two'], async (keys) => [...keys])).toEqual(
      new Map([
        ['one', 'one'],
        ['two', 'two'],
      ]),
    );
    await cache.invalidateTags('tag');
    await cache.clear();
    expect(errors).not.toEqual([]);
    await expect(cache.flush()).rejects.toThrow();
  });

  it('works from when it may', async () => {
    await allow(tracking.replace('~acache:*', '~other:*'));
    const { cache, tier } = await startProcess(url);
    await cache.set('key', 'set');
    await allow(tracking);
    await until('what was kept to be sent', () => tier.getMetrics().unsent === 0);
    const loader = counting('loaded');
    expect(await (await startProcess(url)).cache.get('key', loader)).toBe('loaded');
    expect(await cache.get('key', loader)).toBe('loaded');
    expect(loader.calls).toBe(1);
  });

  it('says why when it is not let in, and not with what', async () => {
    const { cache, events } = await startProcess(url.replace('secret', 'wrongword'));
    const loader = counting('loaded');
    expect(await cache.get('key', loader)).toBe('loaded');
    const { detail } = events.find(({ state }) => state === 'disconnected') ?? {};
    expect(detail).toMatchObject({
      reason: expect.objectContaining({ message: expect.stringContaining('WRONGPASS') }),
    });
  });
});
