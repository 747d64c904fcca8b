import { AsyncCache } from '@acache/core';
import { redisTier } from '@acache/redis-tier';
import {
  startProxy,
  startRedis,
  type RedisServer,
  type TcpProxy,
} from '../../../tools/redis/index.js';
import { Gate, mustNotLoad, sleep, until, World } from './world.js';

let redis: RedisServer;
let proxy: TcpProxy;
const world = new World(() => redis.url);
const far = new World(() => proxy.url);
beforeAll(async () => {
  redis = await startRedis();
  proxy = await startProxy(redis);
});
afterEach(async () => {
  proxy.shape({});
  await proxy.resume();
  await Promise.all([world.close(), far.close()]);
});
afterAll(async () => {
  await proxy.stop();
  await redis.stop();
});

const links = () => proxy.connections.filter((connection) => connection.heard('subscribe'));
/** Lets what others do be heard of later, as a busy process or network does. */
const lagNews = (lag: number) => links().forEach((link) => link.shape({ lag }, 'toClient'));

describe('close', () => {
  it.each(['delete', 'invalidateTags', 'clear'] as const)(
    'sends a %s that was made before the connection was there',
    async (how) => {
      const reader = await world.process<string, string>({ name: world.name() });
      await reader.set('k', 'old', { tags: ['t'] });
      const tier = redisTier(redis.url, { commandTimeout: 1000 });
      const brief = new AsyncCache<string, string>({ name: reader.name, tier });
      if (how === 'delete') void brief.delete('k');
      else if (how === 'clear') void brief.clear();
      else void brief.invalidateTags('t');
      await brief.close();
      await until('the old value to go', async () => (await reader.get('k')) === undefined, 300);
    },
  );

  it.each(['before', 'after'] as const)(
    'sends a set that was made %s it was ready',
    async (when) => {
      const reader = await world.process<string, string>({ name: world.name() });
      const tier = redisTier(redis.url, { commandTimeout: 1000 });
      const brief = new AsyncCache<string, string>({ name: reader.name, tier });
      if (when === 'after') await brief.ready;
      void brief.set('k', 'v');
      await brief.close();
      expect(await reader.get('k')).toBe('v');
    },
  );
});

describe('what happens after an invalidation elsewhere that was not heard of yet, with tracking', () => {
  it.each(['invalidateTags', 'clear'] as const)('a set after %s stays', async (how) => {
    const name = world.name();
    const a = await world.process<string, string>({ name });
    const b = await far.process<string, string>({ name });
    await b.set('warm', 'x', { tags: ['t'] });
    await sleep(30);
    lagNews(200);
    if (how === 'clear') await a.clear();
    else await a.invalidateTags('t');
    await b.set('k', 'v', { tags: ['t'] });
    expect(await a.get('k')).toBe('v');
    await sleep(250);
    expect(await b.get('k')).toBe('v');
  });

  it('a set after it is found, and not loaded over', async () => {
    const name = world.name();
    const a = await world.process<string, string>({ name });
    const b = await far.process<string, string>({ name });
    await b.set('warm', 'x', { tags: ['t'] });
    await sleep(30);
    lagNews(200);
    await a.invalidateTags('t');
    await a.set('k', 'v', { tags: ['t'] });
    expect(await b.get('k', () => 'loaded')).toBe('v');
    expect(await a.get('k')).toBe('v');
  });
});

describe.each(['tracking', 'pubsub', 'none'] as const)(
  'invalidateTags, coherence %s',
  (coherence) => {
    it.each(['behind a stale value', 'asked for'] as const)(
      'wins over a refresh %s of an entry with the tag',
      async (how) => {
        const options = { name: world.name(), ttl: '1m', staleWhileRevalidate: '1m' } as const;
        const a = await far.process<string, string>(options, { coherence });
        const b = await world.process<string, string>(options, { coherence });
        await b.set('k', 'first', { tags: ['t'] });
        const isStale = how === 'behind a stale value';
        if (isStale) await b.expire('k');
        await sleep(30);
        const old = new Gate();
        lagNews(100);
        const got = a.get('k', { loader: old.load, refresh: !isStale });
        await old.started;
        await b.invalidateTags('t');
        old.resolve('old');
        await got;
        await sleep(150);
        const fresh = await world.process<string, string>(options, { coherence });
        expect(await fresh.get('k')).toBeUndefined();
      },
    );
  },
);

describe('a set of what has no form in bytes', () => {
  it('removes the older value in every process, no later than any other write', async () => {
    const [a, b] = await world.two();
    await a.set('k', 'older');
    expect(await b.get('k', mustNotLoad)).toBe('older');
    await a.set('k', () => 'no bytes');
    await sleep(100);
    expect(await b.get('k')).toBeUndefined();
  });
});

describe('refreshAhead, coherence none', () => {
  it('refreshes once for all processes', async () => {
    const all = await world.three<string, number>(
      { ttl: 400, refreshAhead: 0.5 },
      { coherence: 'none' },
    );
    let loads = 0;
    const load = async () => {
      await sleep(20);
      return (loads += 1);
    };
    await all[0].get('k', load);
    await Promise.all(all.map((each) => each.get('k', mustNotLoad)));
    await sleep(220);
    expect(await Promise.all(all.map((each) => each.get('k', load)))).toEqual([1, 1, 1]);
    await sleep(300);
    expect(loads).toBe(2);
  });
});

describe('what is told in one turn', () => {
  it.each(['tracking', 'pubsub', 'none'] as const)(
    'reaches Redis in its order, with %s',
    async (coherence) => {
      const [a, b] = await world.two<string, string>({}, { coherence });
      // By now the stamps are known, so that nothing must be asked for first.
      await a.set('warm', 'v');
      await Promise.all([a.set('k', 'gone'), a.delete('k')]);
      await a.flush();
      expect(await b.get('k')).toBeUndefined();
      await Promise.all([a.delete('k'), a.set('k', 'stays')]);
      await a.flush();
      expect(await b.get('k')).toBe('stays');
      await Promise.all([a.set('stale', 'v'), a.expire('stale')]);
      await a.flush();
      expect(await b.get('stale')).toBeUndefined();
    },
  );
});

describe('a bulk that is read in parts', () => {
  it('keeps no value of an early part that changed while a later one was read', async () => {
    const keys = Array.from({ length: 500 }, (_, at) => `k${at}`);
    const name = world.name();
    const b = await world.process<string, string>({ name, maxSize: null });
    const a = await far.process<string, string>({ name, maxSize: null });
    await b.setMany(keys.map((key) => [key, 'old']));
    const data = proxy.connections.filter((connection) => !connection.heard('subscribe'));
    for (const line of data) line.shape({ lag: 60 }, 'toClient');
    const reading = a.getMany(keys);
    await sleep(90);
    await b.set('k0', 'new');
    await reading;
    for (const line of data) line.shape({}, 'toClient');
    await until('the news to arrive', () => a.peek('k0') !== 'old');
    expect(await a.get('k0')).toBe('new');
  });
});
