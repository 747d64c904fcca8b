import { createDriver, type Driver, type DriverParts } from '../drivers/driver.js';
import { DEFAULT_SETTINGS, KINDS, type Settings } from '../settings.js';
import type { CheckResult } from './check.js';
import { Rigs } from './rig.js';
import { runChecks } from './run-checks.js';

async function resultsOf(rigs: Rigs): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of runChecks(rigs)) results.push(result);
  return results;
}

const failed = (results: readonly CheckResult[]) =>
  results.filter(({ pass }) => !pass).map(({ id, evidence }) => ({ id, evidence }));

describe('the checks', () => {
  const variants: Partial<Settings>[] = [
    {},
    { ttl: null, maxSize: null },
    { ttl: '5m', staleWhileRevalidate: '1m', staleIfError: '1h' },
    { ttl: 1500, staleIfError: 700, policy: 'tinylfu', maxSize: 400 },
    { ttl: 0 },
    { maxSize: 0 },
    { maxSize: 1, maxBatchSize: 1 },
    { maxSize: 20_000, window: 0, maxBatchSize: 7, skipArgs: 0 },
  ];

  it.each(KINDS.flatMap((kind) => variants.map((change) => ({ kind, ...change }))))(
    'pass with %j',
    async (change) => {
      const results = await resultsOf(new Rigs({ ...DEFAULT_SETTINGS, ...change }));
      expect(failed(results)).toEqual([]);
      expect(results.map(({ id }) => id)).toEqual([
        'herd',
        'batching',
        'ttl',
        'order',
        'metrics',
        'races',
      ]);
      expect(results.every(({ evidence }) => evidence.length > 0)).toBe(true);
    },
  );

  const settings: Settings = { ...DEFAULT_SETTINGS, kind: 'AsyncCache', maxSize: 4 };
  type Break = (driver: Driver, parts: DriverParts) => Driver;
  const faults: [what: string, ids: string[], broken: Break][] = [
    [
      'shares no loads',
      ['herd', 'metrics', 'races'],
      (driver, { source }) => ({
        ...driver,
        get: async (id) => {
          const held = await driver.cache.get(driver.keyOf(id, 1));
          if (held !== undefined) return { item: held };
          const item = await source.find(id);
          await driver.cache.set(driver.keyOf(id, 1), item);
          return { item };
        },
      }),
    ],
    [
      'ignores maxBatchSize',
      ['batching'],
      (_, parts) =>
        createDriver({ ...parts, settings: { ...parts.settings, maxBatchSize: 100_000 } }),
    ],
    [
      'lives longer than its ttl',
      ['ttl'],
      (_, parts) => createDriver({ ...parts, settings: { ...parts.settings, ttl: '61s' } }),
    ],
    [
      'has room for more',
      ['order'],
      (_, parts) => createDriver({ ...parts, settings: { ...parts.settings, maxSize: 5 } }),
    ],
    [
      'stores what was deleted while it was loaded',
      ['races'],
      (driver) => ({
        ...driver,
        get: async (id, connection) => {
          const answer = await driver.get(id, connection);
          await driver.cache.set(driver.keyOf(id, connection), answer.item);
          return answer;
        },
      }),
    ],
    [
      'does not answer',
      ['herd', 'ttl', 'metrics', 'races'],
      (driver) => ({ ...driver, get: () => Promise.reject(new Error('no')) }),
    ],
  ];

  it.each(faults)('fail, with the evidence, for a cache that %s', async (_, ids, broken) => {
    const rigs = new Rigs({ ...settings, maxBatchSize: 10 }, {}, (parts) =>
      broken(createDriver(parts), parts),
    );
    const found = failed(await resultsOf(rigs));
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(found.every(({ evidence }) => /expected|could not/.test(evidence.join()))).toBe(true);
  });
});
