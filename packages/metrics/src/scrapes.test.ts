import { AsyncCache, type CacheMetrics } from '@acache/core';
import { Gauge, Registry } from 'prom-client';
import { collectGarbage } from '../test/garbage.js';
import { prometheus, type Caches } from './index.js';

const METRICS: CacheMetrics = {
  ...{ hits: 0, misses: 0, size: 0, hitRate: 0, staleHits: 0, joined: 0, loads: 0, loadErrors: 0 },
  ...{ evictions: 0, expirations: 0, tierHits: 0, tierErrors: 0, loadTimeMs: 0 },
};

/** A cache that has loaded so often. */
function loaded(name: string, loads: number) {
  const cache = { name, loads, getMetrics: () => ({ ...METRICS, loads: cache.loads }) };
  return cache;
}

function shown(caches: Caches) {
  const registry = new Registry();
  prometheus(caches, registry);
  /** The lines of a metric, without its name. */
  const linesOf = async (metric: string): Promise<string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`))
      .map((line) => line.slice(metric.length));
  return { registry, linesOf };
}

describe('a scrape', () => {
  it('is right where several run at once, and of one metric alone', async () => {
    const cache = loaded('c', 5);
    const { registry } = shown([cache]);
    const texts = await Promise.all([1, 2, 3].map(() => registry.metrics()));
    for (const text of texts) expect(text).toContain('acache_loads_total{cache="c"} 5\n');
    cache.loads = 9;
    const alone = await registry.getSingleMetricAsString('acache_loads_total');
    expect(alone).toContain('acache_loads_total{cache="c"} 9');
  });

  it('tells caches apart though one is named as the label of another', async () => {
    const names = ['u', 'u#2', 'u', 'u', 'u#2'];
    const { linesOf } = shown(names.map((name, at) => loaded(name, at + 1)));
    const lines = await linesOf('acache_loads_total');
    expect(new Set(lines.map((line) => line.split('} ')[0])).size).toBe(5);
    expect(lines.map((line) => line.split('} ')[1]).sort()).toEqual(['1', '2', '3', '4', '5']);
  });

  it('has a line for each name, whatever that is', async () => {
    const names = [
      '',
      '__proto__',
      'constructor',
      'a\nb',
      'a\\',
      'a\\n',
      '}',
      'ü\u2028',
      '{b="1"} 5 #',
    ];
    const { linesOf } = shown(names.map((name) => loaded(name, 1)));
    const lines = await linesOf('acache_loads_total');
    expect(lines).toHaveLength(names.length);
    for (const line of lines) expect(line).toMatch(/^\{cache="(?:[^"\\\n]|\\["\\n])*"\} 1$/);
  });

  it('shows what a generator gave once, each time', async () => {
    const caches = [loaded('a', 1), loaded('b', 2)];
    const generated = (function* () {
      yield* caches;
    })();
    const { linesOf } = shown(generated);
    const lines = ['{cache="a"} 1', '{cache="b"} 2'];
    expect(await linesOf('acache_loads_total')).toEqual(lines);
    expect(await linesOf('acache_loads_total')).toEqual(lines);
  });

  it('counts the loads of a cache that is listed twice once', async () => {
    const cache = new AsyncCache({ name: 'c' });
    const { linesOf } = shown([cache, cache]);
    await cache.get('k', () => 'v');
    expect(await linesOf('acache_load_duration_seconds_count')).toEqual(['{cache="c"} 1']);
  });

  it('counts the loads of a cache on where another has its label now', async () => {
    let cache = new AsyncCache({ name: 'c' });
    const { linesOf } = shown(() => [cache]);
    await linesOf('acache_loads_total');
    for (const key of [1, 2, 3]) await cache.get(key, () => 'v');
    expect(await linesOf('acache_load_duration_seconds_count')).toEqual(['{cache="c"} 3']);
    cache = new AsyncCache({ name: 'c' });
    await linesOf('acache_loads_total');
    await cache.get(1, () => 'v');
    expect(await linesOf('acache_loads_total')).toEqual(['{cache="c"} 4']);
    expect(await linesOf('acache_load_duration_seconds_count')).toEqual(['{cache="c"} 4']);
  });
});

describe('a registry', () => {
  it('that has another metric of one of our names gets none', () => {
    const registry = new Registry();
    new Gauge({ name: 'acache_tier_hits_total', help: 'another', registers: [registry] });
    expect(() => prometheus([loaded('c', 1)], registry)).toThrow('acache_tier_hits_total already');
    expect(registry.getMetricsAsArray()).toHaveLength(1);
  });

  it.each<[string, (cache: AsyncCache) => Caches]>([
    ['alone', (cache) => cache],
    ['in a map', (cache) => new Map([['c', cache]])],
    ['in an object', (cache) => ({ c: cache })],
    ['in pairs', (cache) => [['c', cache]]],
    ['in a set', (cache) => new Set([cache])],
  ])('keeps no cache alive that it was given %s', async (_, given) => {
    const registry = new Registry();
    const show = async (): Promise<WeakRef<AsyncCache>> => {
      const cache = new AsyncCache({ name: 'c' });
      prometheus(given(cache), registry);
      expect(await registry.metrics()).toContain('cache="c"');
      return new WeakRef(cache);
    };
    const cache = await show();
    await collectGarbage();
    expect(cache.deref()).toBeUndefined();
    expect(await registry.metrics()).not.toContain('cache="c"');
  });

  it('is not kept alive by a cache, once it is left alone', async () => {
    const cache = new AsyncCache({ name: 'c' });
    const show = async (): Promise<WeakRef<Registry>> => {
      const registry = new Registry();
      const stop = prometheus([cache], registry);
      await registry.metrics();
      stop();
      return new WeakRef(registry);
    };
    const registry = await show();
    await cache.get('k', () => 'v');
    await collectGarbage();
    expect(registry.deref()).toBeUndefined();
  });
});
