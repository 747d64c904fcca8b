import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
} from '@opentelemetry/sdk-metrics';
import { opentelemetry, type Caches, type MetricsOptions } from './index.js';

function setUp(
  caches: Caches,
  options?: MetricsOptions,
  temporality = AggregationTemporality.CUMULATIVE,
) {
  const exporter = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = opentelemetry(caches, provider.getMeter('test'), options);
  const collect = async (): Promise<Record<string, unknown>> => {
    exporter.reset();
    await reader.forceFlush();
    const [exported] = exporter.getMetrics();
    const metrics = exported?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    return Object.fromEntries(
      metrics.map(({ dataPoints, descriptor }) => [
        `${descriptor.name} ${descriptor.unit} ${(descriptor as { type?: string }).type}`,
        (dataPoints as DataPoint<number>[]).map(({ attributes, value }) => ({
          ...attributes,
          value,
        })),
      ]),
    );
  };
  return { collect, provider, stop };
}

describe('opentelemetry', () => {
  it('shows caches by the SDK, in its names and units', async () => {
    const cache = new AsyncCache<string, string>({ name: 'users', clock: fakeClock() });
    await Promise.all([cache.get('k', () => 'v'), cache.get('k', () => 'v')]);
    await cache.get('k');
    const tiers = { redis: { getMetrics: () => ({ down: false, outages: 2 }) } };
    const { collect, provider } = setUp([cache], { tiers });
    expect(await collect()).toMatchInlineSnapshot(`
      {
        "acache.entry.count {entry} OBSERVABLE_UP_DOWN_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 1,
          },
        ],
        "acache.evictions {entry} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
        "acache.expirations {entry} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
        "acache.load.errors {error} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
        "acache.load.time s OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
        "acache.loads {load} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 1,
          },
        ],
        "acache.requests {request} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "acache.request.result": "hit",
            "value": 2,
          },
          {
            "acache.cache.name": "users",
            "acache.request.result": "stale",
            "value": 0,
          },
          {
            "acache.cache.name": "users",
            "acache.request.result": "miss",
            "value": 1,
          },
          {
            "acache.cache.name": "users",
            "acache.request.result": "joined",
            "value": 0,
          },
        ],
        "acache.tier.down 1 OBSERVABLE_UP_DOWN_COUNTER": [
          {
            "acache.tier.name": "redis",
            "value": 0,
          },
        ],
        "acache.tier.errors {error} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
        "acache.tier.events {event} OBSERVABLE_COUNTER": [
          {
            "acache.tier.event": "outages",
            "acache.tier.name": "redis",
            "value": 2,
          },
        ],
        "acache.tier.hits {request} OBSERVABLE_COUNTER": [
          {
            "acache.cache.name": "users",
            "value": 0,
          },
        ],
      }
    `);
    await provider.shutdown();
  });

  it('counts how long loads take', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ name: 'users', clock });
    const { collect, provider, stop } = setUp([cache], { loadBuckets: [0.1, 1] });
    await cache.get('k', async () => {
      await clock.advance(250);
      return 'v';
    });
    const name = 'acache.load.duration s HISTOGRAM';
    const buckets = { boundaries: [0.1, 1], counts: [0, 1, 0] };
    const expected = [
      { 'acache.cache.name': 'users', value: expect.objectContaining({ buckets, sum: 0.25 }) },
    ];
    expect((await collect())[name]).toEqual(expected);
    stop();
    await cache.get('other', () => 'v');
    expect((await collect())[name]).toEqual(expected);
    await provider.shutdown();
  });

  it('counts on when a cache is cleared, also where the deltas are exported', async () => {
    const cache = new AsyncCache<string, string>({ name: 'c' });
    for (const [temporality, expected] of [
      [AggregationTemporality.CUMULATIVE, [1, 2, 3]],
      [AggregationTemporality.DELTA, [1, 1, 1]],
    ] as const) {
      await cache.clear();
      const { collect, provider } = setUp([cache], {}, temporality);
      for (const value of expected) {
        await cache.get('k', () => 'v');
        expect((await collect())['acache.loads {load} OBSERVABLE_COUNTER']).toEqual([
          { 'acache.cache.name': 'c', value },
        ]);
        await cache.clear();
        await collect();
      }
      await provider.shutdown();
    }
  });

  it('reads a cache once at each collection, and never after it was stopped', async () => {
    const cache = new AsyncCache({ name: 'c' });
    const getMetrics = jest.spyOn(cache, 'getMetrics');
    const { collect, provider, stop } = setUp(() => [cache]);
    expect(getMetrics).not.toHaveBeenCalled();
    await collect();
    expect(getMetrics).toHaveBeenCalledTimes(1);
    stop();
    await collect();
    expect(getMetrics).toHaveBeenCalledTimes(1);
    await provider.shutdown();
  });
});
