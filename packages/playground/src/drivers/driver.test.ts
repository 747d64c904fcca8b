import { fakeClock } from '@acache/core/testing';
import { DEFAULT_SETTINGS, KINDS, type Settings } from '../settings.js';
import { Source } from '../source.js';
import { timeOf } from '../time.js';
import { createDriver } from './driver.js';

function driverOf(change: Partial<Settings>) {
  const clock = fakeClock();
  const source = new Source({ latency: 0, failures: 0 }, timeOf(clock));
  const settings = { ...DEFAULT_SETTINGS, window: 0, ...change };
  const driver = createDriver({ settings, source, name: 'test', clock });
  return { driver, source, clock };
}

describe.each(KINDS.map((kind) => ({ kind })))('a driver of $kind', ({ kind }) => {
  it('loads an item once for all who ask', async () => {
    const { driver, source } = driverOf({ kind });
    const answers = await Promise.all([1, 2, 3].map((call) => driver.get('item 1', call)));
    expect(answers.map(({ item }) => item.text)).toEqual(Array(3).fill('item 1, from load 1'));
    expect(source.loads).toBe(1);
    expect(driver.cache.peek(driver.keyOf('item 1', 9))?.load).toBe(1);
    await driver.cache.close();
  });

  it('loads anew when it is told to', async () => {
    const { driver } = driverOf({ kind });
    await driver.get('item 1', 1);
    expect((await driver.refresh('item 1', 2)).item.load).toBe(2);
    expect((await driver.get('item 1', 3)).item.load).toBe(2);
    await driver.cache.close();
  });

  it('tags items, and those of a warm-up', async () => {
    const { driver } = driverOf({ kind });
    await driver.get('item 1', 1);
    await driver.cache.warmup([[driver.keyOf('item 2', 0), driver.loaderOf('item 2')]]);
    await driver.cache.invalidateTags('odd');
    expect(driver.cache.size).toBe(1);
    await driver.cache.invalidateTags('even');
    expect(driver.cache.size).toBe(0);
    await driver.cache.close();
  });

  it('passes on that a load failed', async () => {
    const { driver, source } = driverOf({ kind });
    source.backend = { latency: 0, failures: 1 };
    await expect(driver.get('item 1', 1)).rejects.toThrow('the database is down (load 1)');
    await driver.cache.close();
  });
});

it('has the connection in the key where skipArgs skips nothing', async () => {
  const { driver, source } = driverOf({ kind: 'AsyncTTL', skipArgs: 0 });
  await driver.get('item 1', 1);
  await driver.get('item 1', 2);
  expect(source.loads).toBe(2);
  await driver.cache.close();
});
