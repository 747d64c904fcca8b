import type { CacheEventName } from '@acache/core';
import type { RedisServer } from '../../../tools/redis/index.js';
import { untilHeard, untilWaiting } from './heard.js';
import { failOnUnhandledRejections } from './illness.js';
import { coherentModes, Gate, mustNotLoad, World } from './world.js';
import { redisForAll } from './processes.js';

failOnUnhandledRejections();

let redis: RedisServer;
redisForAll((server) => (redis = server));
const world = new World(() => redis.url);

describe.each(coherentModes)('the metrics of caches that share a tier, with %s', (coherence) => {
  it('count each caller once, in its own process', async () => {
    const [a, b] = await world.two({}, { coherence });
    const load = new Gate();
    const here = [a.get('k', load.load), a.get('k', load.load), a.get('k', load.load)];
    await load.started;
    const there = [b.get('k', mustNotLoad), b.get('k', mustNotLoad)];
    await untilWaiting(b);
    load.resolve('v');
    await Promise.all([...here, ...there, a.get('k')]);
    expect(a.getMetrics()).toMatchObject({
      hits: 0,
      misses: 4,
      joined: 3,
      loads: 1,
      tierHits: 0,
      loadErrors: 0,
      tierErrors: 0,
      size: 1,
    });
    // What the other process has loaded comes from the tier.
    expect(b.getMetrics()).toMatchObject({ hits: 2, misses: 0, tierHits: 2, loads: 0, size: 1 });
    await b.get('k');
    await b.get('nothing');
    expect(b.getMetrics()).toMatchObject({ hits: 3, misses: 1, tierHits: 2, loads: 0 });
    const c = await world.process({ name: a.name }, { coherence });
    const found = await c.getWithMeta('k', mustNotLoad);
    expect(found).toMatchObject({ status: 'hit', source: 'tier', value: 'v' });
    expect(c.getMetrics()).toMatchObject({ hits: 1, misses: 0, tierHits: 1, loads: 0 });
    await c.getMany(['k', 'm', 'n'], async (keys) => keys);
    expect(c.getMetrics()).toMatchObject({ hits: 2, misses: 2, tierHits: 1, loads: 2 });
  });
});

describe.each(coherentModes)('what a cache tells of itself, with %s', (coherence) => {
  it('is about its own memory: peek, has, size, and what delete answers', async () => {
    const [a, b] = await world.two({}, { coherence });
    const memory = () => [b.peek('k'), b.has('k'), b.size];
    await a.set('k', 'v');
    expect(memory()).toEqual([undefined, false, 0]);
    expect(await b.delete('k')).toBe(false);
    expect(await b.get('k')).toBeUndefined();
    await a.set('k', 'v');
    await b.get('k');
    expect(memory()).toEqual(['v', true, 1]);
    expect(await b.delete('k')).toBe(true);
    expect(memory()).toEqual([undefined, false, 0]);
  });

  it('is about what was called here: its events', async () => {
    const [a, b] = await world.two({}, { coherence });
    const events: CacheEventName[] = ['hit', 'miss', 'load', 'error', 'set', 'delete', 'clear'];
    const told: string[] = [];
    for (const event of events) {
      b.on(event, ({ key }) => told.push(key === undefined ? event : `${event} ${key}`));
    }
    await a.set('k', 'v');
    await b.get('k');
    await a.delete('k');
    await a.clear();
    await b.get('l', () => 'l');
    await b.set('m', 'm');
    await b.delete('m');
    await b.clear();
    expect(told.sort()).toEqual(['clear', 'delete m', 'hit k', 'load l', 'miss l', 'set m']);
    await untilHeard(b, a);
  });
});
