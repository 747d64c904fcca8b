import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { redisTier } from '@acache/redis-tier';
import type { RedisServer, TcpProxy } from '../../../tools/redis/index.js';
import { untilHeard } from './heard.js';
import { failOnUnhandledRejections, holdNews, proxyForEach } from './illness.js';
import { observe, redisForAll } from './processes.js';
import { Gate, mustNotLoad, until, World, type Process } from './world.js';

failOnUnhandledRejections();

let redis: RedisServer;
let proxy: TcpProxy;
const world = new World(() => redis.url);
const far = new World(() => proxy.url);
afterEach(() => proxy.resume());
redisForAll((server) => (redis = server));
proxyForEach(
  () => redis,
  (started) => (proxy = started),
);

describe('close', () => {
  /** One that is there, and one that is not connected yet. */
  async function startBrief(): Promise<[AsyncCache<string, string>, AsyncCache<string, string>]> {
    const reader = await world.process<string, string>({ name: world.name() });
    const tier = redisTier(redis.url, { commandTimeout: 1000 });
    return [reader, new AsyncCache<string, string>({ name: reader.name, tier })];
  }

  it.each(['delete', 'invalidateTags', 'clear'] as const)(
    'sends a %s that was made before the connection was there',
    async (how) => {
      const [reader, brief] = await startBrief();
      await reader.set('k', 'old', { tags: ['t'] });
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
      const [reader, brief] = await startBrief();
      if (when === 'after') await brief.ready;
      void brief.set('k', 'v');
      await brief.close();
      expect(await reader.get('k')).toBe('v');
    },
  );
});

describe('what happens after an invalidation elsewhere that was not heard of yet, with tracking', () => {
  /** The second one behind the proxy, which knows the stamp of the tag. */
  async function startWarm(): Promise<[Process<string, string>, Process<string, string>]> {
    const name = world.name();
    const a = await world.process<string, string>({ name });
    const b = await far.process<string, string>({ name });
    await b.set('warm', 'x', { tags: ['t'] });
    await untilHeard(b, a);
    return [a, b];
  }

  it.each(['invalidateTags', 'clear'] as const)('a set after %s stays', async (how) => {
    const [a, b] = await startWarm();
    holdNews(proxy);
    if (how === 'clear') await a.clear();
    else await a.invalidateTags('t');
    await b.set('k', 'v', { tags: ['t'] });
    expect(await a.get('k')).toBe('v');
    await proxy.resume();
    await untilHeard(b, a);
    expect(await b.get('k')).toBe('v');
  });

  it('a set after it is found, and not loaded over', async () => {
    const [a, b] = await startWarm();
    holdNews(proxy);
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
        if (coherence !== 'none') await untilHeard(a, b);
        const old = new Gate();
        holdNews(proxy);
        const got = a.get('k', { loader: old.load, refresh: !isStale });
        await old.started;
        await b.invalidateTags('t');
        old.resolve('old');
        await got;
        await until('the refresh to be refused', () => a.tier.getMetrics().refusals === 1);
        await proxy.resume();
        if (coherence !== 'none') await untilHeard(a, b);
        const fresh = await world.process<string, string>(options, { coherence });
        expect(await fresh.get('k')).toBeUndefined();
      },
    );
  },
);

describe('a set of what has no form in bytes', () => {
  it('removes the older value in every process, no later than any other write', async () => {
    const [a, b] = await world.two<string, string>();
    await a.set('k', 'older');
    expect(await b.get('k', mustNotLoad)).toBe('older');
    await a.set('k', (() => 'no bytes') as never);
    await untilHeard(b, a);
    expect(await b.get('k')).toBeUndefined();
  });
});

describe('refreshAhead, coherence none', () => {
  it('refreshes once for all processes', async () => {
    const clock = fakeClock();
    const all = await world.three<string, number>(
      { clock, ttl: 1000, refreshAhead: 0.5 },
      { coherence: 'none' },
    );
    await all[0].get('k', () => 1);
    await Promise.all(all.map((each) => each.get('k', mustNotLoad)));
    await clock.advance(600);
    const seen = await observe(redis);
    const newer = new Gate<number>();
    expect(await Promise.all(all.map((each) => each.get('k', newer.load)))).toEqual([1, 1, 1]);
    const claims = () =>
      seen.commands.filter(({ args: [name, ...args] }) => {
        return /^eval/i.test(name!) && args.some((arg) => arg.startsWith('acache:r:'));
      });
    await until('each to have asked for the right to load', () => claims().length === 3);
    await seen.stop();
    // The answers have come as well.
    await Promise.all(all.map((each) => each.flush()));
    newer.resolve(2);
    await until('the new value', () => all.some((each) => each.peek('k') === 2));
    expect(newer.calls).toBe(1);
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
    await untilHeard(a, b);
    const data = proxy.connections.filter((connection) => !connection.heard('subscribe'));
    // So long do answers take, that the second one can be held up on its way.
    for (const line of data) line.shape({ lag: 60 }, 'toClient');
    const reading = a.getMany(keys);
    await until('the second part to be asked for', () => data.some((line) => line.heard('k250}')));
    for (const line of data) line.hold('toClient');
    const { invalidations } = a.tier.getMetrics();
    await b.set('k0', 'new');
    await until('the news to arrive', () => a.tier.getMetrics().invalidations > invalidations);
    for (const line of data) {
      line.shape({}, 'toClient');
      line.resume();
    }
    await reading;
    expect(a.peek('k0')).not.toBe('old');
    expect(await a.get('k0')).toBe('new');
  });
});
