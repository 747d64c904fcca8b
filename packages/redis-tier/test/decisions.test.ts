import type { AsyncCacheOptions, GetOptions } from '@acache/core';
import type { RedisServer } from '../../../tools/redis/index.js';
import { untilHeard, untilWaiting } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, Gate, mustNotLoad, until, World, type Process } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

const weighing: AsyncCacheOptions<string, string> = {
  maxWeight: 10,
  weigh: (value) => value.length,
};
const HEAVY = 'far too heavy for it';

type Texts = Process<string, string>;
const refreshed = (how: GetOptions<string, string>) => (process: Texts) =>
  process.get('k', { loader: () => 'unwanted', ...how, refresh: true });

describe.each(coherentModes)('a value that is not to be stored, with %s', (coherence) => {
  const ways: [how: string, way: (process: Texts) => Promise<unknown>][] = [
    [
      'skipStore of its loader',
      refreshed({ loader: (_, context) => (context.skipStore(), 'unwanted') }),
    ],
    ['a ttl of 0 of its loader', refreshed({ loader: (_, context) => (context.ttl(0), 'x') })],
    ['a ttl of 0', refreshed({ ttl: 0 })],
    ['a function that gives a ttl of 0', refreshed({ ttl: () => 0 })],
    ['the weight of what was loaded', refreshed({ loader: () => HEAVY })],
    ['a ttl of 0 of set', (process) => process.set('k', 'unwanted', { ttl: 0 })],
    ['the weight of what was set', (process) => process.set('k', HEAVY)],
  ];

  it.each(ways)('by %s takes the older one from all processes', async (_how, way) => {
    const all = await world.three<string, string>(weighing, { coherence });
    const [a, b, c] = all;
    await a.set('k', 'older');
    expect(await c.get('k')).toBe('older');
    await way(b);
    await until('all to forget it', () => !a.has('k') && !c.has('k'));
    for (const each of all) expect(await each.get('k')).toBeUndefined();
  });

  it('is none for another process, which loads for itself', async () => {
    const [a, b] = await world.two<string, string>({}, { coherence });
    const load = new Gate();
    const skipping = a.get('k', (key, context) => (context.skipStore(), load.load(key, context)));
    await load.started;
    const other = b.get('k', () => 'its own');
    await untilWaiting(b);
    load.resolve('for its callers');
    expect(await skipping).toBe('for its callers');
    expect(await other).toBe('its own');
  });
});

describe.each(coherentModes)('what a loader decides, with %s', (coherence) => {
  it('counts in every process: the ttl', async () => {
    const [a, b] = await world.two<string, string>({ ttl: '1m' }, { coherence });
    await a.get('long', (_, context) => (context.ttl('1h'), 'v'));
    await a.get('short', (_, context) => (context.ttl(150), 'v'));
    const { ttlLeft } = await b.getWithMeta('long', mustNotLoad);
    expect(ttlLeft).toBeGreaterThan(3_500_000);
    await until('the short one to be over', async () => (await b.get('short')) === undefined);
    expect(await a.get('short')).toBeUndefined();
    expect(await a.get('long')).toBe('v');
  });

  it('counts in every process: tags', async () => {
    const all = await world.three<string, string>({}, { coherence });
    const [a, b, c] = all;
    await a.get('x', (_, context) => (context.tag('t', 'ü:{}'), 'v'));
    await b.get('y', { loader: () => 'v', tags: (value, key) => [`${key}-${value}`] });
    expect(await Promise.all([c.get('x'), c.get('y')])).toEqual(['v', 'v']);
    await c.invalidateTags('ü:{}');
    expect(await c.get('x')).toBeUndefined();
    expect(await c.get('y')).toBe('v');
    await a.invalidateTags('y-v');
    await until('all to forget it', () => !b.has('y') && !c.has('y'));
    for (const each of all) {
      expect(await each.get('x')).toBeUndefined();
      expect(await each.get('y')).toBeUndefined();
    }
  });
});

describe.each(coherentModes)('ttls at the limits, with %s', (coherence) => {
  it('are the same in every process', async () => {
    const [a, b] = await world.two<string, string>({ jitter: 1, ttl: '1m' }, { coherence });
    const longest = Number.MAX_SAFE_INTEGER;
    await a.set('unending', 'v', { ttl: null });
    await a.set('long', 'v', { ttl: longest, staleIfError: longest });
    await a.set('jittered', 'v');
    for (const key of ['unending', 'long', 'jittered']) {
      const [here, there] = [await a.getWithMeta(key), await b.getWithMeta(key)];
      expect(there.value).toBe('v');
      if (key === 'unending') expect([here.ttlLeft, there.ttlLeft]).toEqual([null, null]);
      else expect(Math.abs(here.ttlLeft! - there.ttlLeft!)).toBeLessThan(2000);
    }
    await a.set('short', 'v', { ttl: 1 });
    await untilHeard(b, a);
    await until('the short one to be over', async () => (await b.get('short')) === undefined);
  });
});
