import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsyncCache, type CacheMetrics } from '@acache/core';
import { fakeClock, memoryTier } from '@acache/core/testing';
import { Registry } from 'prom-client';
import { collectGarbage } from '../test/garbage.js';
import { prometheus, type Caches, type MetricsOptions, type ObservedCache } from './index.js';

function setUp(caches: Caches, options?: MetricsOptions) {
  const registry = new Registry();
  const unregister = prometheus(caches, registry, options);
  /** The lines of a scrape that are no comments. */
  const scrape = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => /^[^#]/.test(line));
  return { registry, scrape, unregister };
}

const METRICS: CacheMetrics = {
  ...{ hits: 0, misses: 0, size: 0, hitRate: 0, staleHits: 0, joined: 0, loads: 0, loadErrors: 0 },
  ...{ evictions: 0, expirations: 0, tierHits: 0, tierErrors: 0, loadTimeMs: 0 },
};

/** A cache whose numbers the test sets. */
function counting(name: string, metrics: Partial<CacheMetrics> = {}) {
  const cache = { name, metrics, getMetrics: () => ({ ...METRICS, ...cache.metrics }) };
  return cache;
}

describe('prometheus', () => {
  it('shows caches at a real endpoint', async () => {
    const clock = fakeClock();
    const users = new AsyncCache<string, string>({
      name: 'users',
      clock,
      ttl: '1s',
      staleWhileRevalidate: '1s',
      maxSize: 2,
      tier: memoryTier(),
    });
    const load = async (): Promise<string> => {
      await clock.advance(250);
      return 'v';
    };
    await Promise.all([users.get('a', load), users.get('a', load)]);
    await users.get('a');
    await clock.advance(1500);
    await users.get('a', load);
    await clock.advance(0);
    await users.get('failing', () => Promise.reject(new Error('no'))).catch(() => undefined);
    await users.get('b', load);
    await users.get('c', load);

    const registry = new Registry();
    prometheus([users], registry);
    const server = createServer((_, response) => {
      void registry.metrics().then((text) => {
        response.setHeader('content-type', registry.contentType).end(text);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
      expect(await response.text()).toMatchInlineSnapshot(`
        "# HELP acache_requests_total Callers who asked for a value: served fresh (hit), served stale, by a load of their own (miss), by the load of another caller (joined).
        # TYPE acache_requests_total counter
        acache_requests_total{cache="users",result="hit"} 1
        acache_requests_total{cache="users",result="stale"} 1
        acache_requests_total{cache="users",result="miss"} 4
        acache_requests_total{cache="users",result="joined"} 1

        # HELP acache_loads_total Loads begun.
        # TYPE acache_loads_total counter
        acache_loads_total{cache="users"} 5

        # HELP acache_load_errors_total Loads that failed.
        # TYPE acache_load_errors_total counter
        acache_load_errors_total{cache="users"} 1

        # HELP acache_load_seconds_total Seconds that all settled loads took together.
        # TYPE acache_load_seconds_total counter
        acache_load_seconds_total{cache="users"} 1

        # HELP acache_evictions_total Entries removed by the policy for room.
        # TYPE acache_evictions_total counter
        acache_evictions_total{cache="users"} 1

        # HELP acache_expirations_total Entries removed because their time had passed.
        # TYPE acache_expirations_total counter
        acache_expirations_total{cache="users"} 0

        # HELP acache_tier_hits_total Hits that the tier answered.
        # TYPE acache_tier_hits_total counter
        acache_tier_hits_total{cache="users"} 0

        # HELP acache_tier_errors_total Calls of the tier that failed or were not answered.
        # TYPE acache_tier_errors_total counter
        acache_tier_errors_total{cache="users"} 0

        # HELP acache_entries Live entries in memory.
        # TYPE acache_entries gauge
        acache_entries{cache="users"} 2

        # HELP acache_load_duration_seconds Seconds that each load took, failed ones included.
        # TYPE acache_load_duration_seconds histogram
        acache_load_duration_seconds_bucket{le="0.001",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.0025",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.005",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.01",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.025",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.05",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.1",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.25",cache="users"} 0
        acache_load_duration_seconds_bucket{le="0.5",cache="users"} 0
        acache_load_duration_seconds_bucket{le="1",cache="users"} 0
        acache_load_duration_seconds_bucket{le="2.5",cache="users"} 0
        acache_load_duration_seconds_bucket{le="5",cache="users"} 0
        acache_load_duration_seconds_bucket{le="10",cache="users"} 0
        acache_load_duration_seconds_bucket{le="+Inf",cache="users"} 0
        acache_load_duration_seconds_sum{cache="users"} 0
        acache_load_duration_seconds_count{cache="users"} 0
        "
      `);
    } finally {
      server.close();
      await users.close();
    }
  });

  it('counts how long loads take, across clears, and of no cache twice', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ name: 'users', clock });
    const { scrape, unregister } = setUp([cache, cache], { loadBuckets: [0.1, 1] });
    const loadIn = async (key: string, ms: number): Promise<void> => {
      await cache.get(key, async () => {
        await clock.advance(ms);
        if (ms === 5000) throw new Error('too late');
        return 'v';
      });
    };
    await loadIn('a', 100);
    await loadIn('b', 250);
    await cache.clear();
    await loadIn('c', 5000).catch(() => undefined);
    await cache.get('b', () => 'v');
    await cache.get('b');
    const times = async (): Promise<string[]> =>
      (await scrape()).filter((line) => line.startsWith('acache_load_duration'));
    expect(await times()).toEqual([
      'acache_load_duration_seconds_bucket{le="0.1",cache="users"} 2',
      'acache_load_duration_seconds_bucket{le="1",cache="users"} 3',
      'acache_load_duration_seconds_bucket{le="+Inf",cache="users"} 4',
      'acache_load_duration_seconds_sum{cache="users"} 5.35',
      'acache_load_duration_seconds_count{cache="users"} 4',
    ]);
    unregister();
    expect(await times()).toEqual([]);
  });

  it('hears of no loads any more once it is taken out', () => {
    const off = jest.fn();
    const cache = { ...counting('users'), on: jest.fn(() => off) };
    const { unregister } = setUp([cache, counting('tells of none')]);
    expect(cache.on).toHaveBeenCalledTimes(1);
    expect(off).not.toHaveBeenCalled();
    unregister();
    expect(off).toHaveBeenCalledTimes(1);
  });

  it.each(['stopped twice', 'cleared before'])(
    'takes out nothing of the next one, %s',
    async (how) => {
      const cache = counting('users', { loads: 5 });
      const { registry, scrape, unregister } = setUp([cache]);
      if (how === 'stopped twice') unregister();
      else registry.clear();
      prometheus([cache], registry);
      unregister();
      expect(await scrape()).toContain('acache_loads_total{cache="users"} 5');
    },
  );

  it('shows no load times of what tells of none, or of what is closed', async () => {
    const closed = new AsyncCache({ name: 'closed' });
    await closed.close();
    const { scrape } = setUp([counting('silent'), closed]);
    expect((await scrape()).filter((line) => line.includes('duration'))).toEqual([]);
  });

  it('hears of the loads of a cache from the first scrape on where a function gives it', async () => {
    const caches = new Map<string, AsyncCache>();
    const { scrape } = setUp(() => caches);
    const cache = new AsyncCache();
    caches.set('late', cache);
    await cache.get('a', () => 1);
    await scrape();
    await cache.get('b', () => 1);
    expect(await scrape()).toContain('acache_load_duration_seconds_count{cache="late"} 1');
    caches.delete('late');
    await scrape();
    await cache.get('c', () => 1);
    caches.set('late', cache);
    expect(await scrape()).toContain('acache_load_duration_seconds_count{cache="late"} 1');
  });

  it.each([[[]], [[0]], [[1, 1]], [[2, 1]], [[Infinity]], ['1'], [[NaN]]])(
    'refuses %p as bounds of load times',
    (loadBuckets) => {
      const caches = [counting('users')];
      expect(() => setUp(caches, { loadBuckets: loadBuckets as number[] })).toThrow('loadBuckets');
    },
  );

  it('counts on when a cache is cleared', async () => {
    const cache = new AsyncCache<string, string>({ name: 'c' });
    const { scrape } = setUp([cache]);
    for (let round = 1; round <= 3; round++) {
      await cache.get('k', () => 'v');
      expect(await scrape()).toContain(`acache_requests_total{cache="c",result="miss"} ${round}`);
      await cache.clear();
      expect(await scrape()).toContain(`acache_requests_total{cache="c",result="miss"} ${round}`);
    }
  });

  it('reads nothing but at a scrape, and then each cache once', async () => {
    const cache = counting('c');
    const getMetrics = jest.spyOn(cache, 'getMetrics');
    const { registry } = setUp([cache]);
    expect(getMetrics).not.toHaveBeenCalled();
    await registry.metrics();
    expect(getMetrics).toHaveBeenCalledTimes(1);
    await registry.getMetricsAsJSON();
    expect(getMetrics).toHaveBeenCalledTimes(2);
  });

  it('takes a cache, a list, pairs, a map, an object, or a function that gives any of these', async () => {
    const [a, b] = [counting('a'), counting('b')];
    const given: [Caches, string[]][] = [
      [a, ['a']],
      [
        [a, b],
        ['a', 'b'],
      ],
      [new Set([a]), ['a']],
      [
        [
          ['one', a],
          ['two', b],
        ],
        ['one', 'two'],
      ],
      [new Map([['one', a]]), ['one']],
      [{ one: a, two: b }, ['one', 'two']],
      [() => [a], ['a']],
      [() => ({ two: b }), ['two']],
    ];
    for (const [caches, labels] of given) {
      const { scrape } = setUp(caches);
      const entries = (await scrape()).filter((line) => line.startsWith('acache_entries'));
      expect(entries).toEqual(labels.map((label) => `acache_entries{cache="${label}"} 0`));
    }
  });

  it('tells two caches of one name apart', async () => {
    const [one, other] = [counting('c', { size: 1 }), counting('c', { size: 2 })];
    const { scrape } = setUp([one, other]);
    expect(await scrape()).toEqual(
      expect.arrayContaining(['acache_entries{cache="c"} 1', 'acache_entries{cache="c#2"} 2']),
    );
  });

  it('has no label that a key could reach, and escapes names', async () => {
    const cache = new AsyncCache<string, string>({ name: 'a "b"\n\\c' });
    for (let key = 0; key < 50; key++) await cache.get(`key ${key}`, () => 'v');
    const { scrape } = setUp([cache]);
    const lines = await scrape();
    expect(lines.join('\n')).not.toContain('key');
    expect(lines).toContain('acache_entries{cache="a \\"b\\"\\n\\\\c"} 50');
  });

  it('shows `maxCaches` at most, with one warning', async () => {
    const warnings: string[] = [];
    const { scrape } = setUp(
      ['a', 'b', 'c', 'd'].map((name) => counting(name)),
      {
        maxCaches: 2,
        onWarning: (message) => warnings.push(message),
      },
    );
    await scrape();
    const entries = (await scrape()).filter((line) => line.startsWith('acache_entries'));
    expect(entries).toHaveLength(2);
    expect(warnings).toEqual([
      "@acache/metrics shows 2 caches at most, and leaves out 'c' and any other: raise maxCaches, or give fewer",
    ]);
  });

  it('shows the others where one cache, or the list of them, fails', async () => {
    const failing: ObservedCache = {
      name: 'failing',
      getMetrics: () => {
        throw new Error('no');
      },
    };
    expect(await setUp([failing, counting('c')]).scrape()).toContain('acache_entries{cache="c"} 0');
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    const list = () => {
      throw new Error('no list');
    };
    expect(await setUp(list, { onWarning }).scrape()).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it('shows what tiers count, each under its label', async () => {
    const redis = {
      getMetrics: () => ({ down: true, coherent: false, outages: 3, unsent: 5, own: 1 }),
    };
    const { scrape } = setUp([], { tiers: { redis } });
    expect(await scrape()).toEqual([
      'acache_tier_events_total{tier="redis",event="outages"} 3',
      'acache_tier_down{tier="redis"} 1',
      'acache_tier_coherent{tier="redis"} 0',
      'acache_tier_unsent{tier="redis"} 5',
    ]);
  });

  it('names counters as OpenMetrics wants them, and can still be taken out', async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const unregister = prometheus([counting('c', { loads: 1 })], registry);
    const text = await registry.metrics();
    expect(text).toContain('# TYPE acache_loads counter\nacache_loads_total{cache="c"} 1\n');
    unregister();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('says so where a registry shows caches already, and changes nothing', async () => {
    const { registry, unregister } = setUp([counting('c')]);
    const before = await registry.metrics();
    expect(() => prometheus([counting('d')], registry)).toThrow(
      'the registry has a metric acache_requests_total already',
    );
    expect(await registry.metrics()).toBe(before);
    unregister();
    prometheus([counting('d')], registry);
    expect(await registry.metrics()).toContain('cache="d"');
  });

  it('keeps no cache alive that was in a list', async () => {
    let caches: ObservedCache[] = [counting('kept'), counting('dropped')];
    const { scrape } = setUp(caches);
    expect(await scrape()).toContain('acache_entries{cache="dropped"} 0');
    caches = caches.slice(0, 1);
    await collectGarbage();
    const lines = await scrape();
    expect(lines).toContain('acache_entries{cache="kept"} 0');
    expect(lines.join()).not.toContain('dropped');
    expect(caches).toHaveLength(1);
  });

  it.each([
    [undefined, 'caches must be a cache, a list of caches or a function that gives one'],
    [7, 'caches must be a cache'],
    [[{}], 'caches[0] must have getMetrics'],
    [{ users: 1 }, 'caches.users must have getMetrics, got 1'],
  ])('says what it got instead of caches: %p', (caches, message) => {
    expect(() => setUp(caches as never)).toThrow(message);
  });

  it.each([
    [{ maxCaches: 0 }, 'maxCaches must be a whole number above 0, got 0'],
    [{ onWarning: 1 }, 'onWarning must be a function, got 1'],
    [{ tiers: 1 }, 'tiers must be an object of tiers by label, got 1'],
    [{ tiers: { redis: {} } }, 'tiers.redis must have getMetrics'],
  ])('says what it got instead of an option: %p', (options, message) => {
    expect(() => setUp([], options as never)).toThrow(message);
  });
});
