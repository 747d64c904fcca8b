import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { AsyncLRU, cached } from './index.js';

failOnUnhandledRejections();

const YEAR = 365 * 86_400_000;

describe.each([
  ['AsyncLRU', AsyncLRU],
  ['cached', cached],
])('%s', (_name, decorator) => {
  it('keeps 128 results, and those for good', async () => {
    const clock = fakeClock();
    const find = jest.fn(async (id: number) => id);
    const fn = decorator({ clock })(find);
    for (let id = 0; id < 128; id++) await fn(id);
    await clock.advance(10 * YEAR);
    for (let id = 0; id < 128; id++) await fn(id);
    expect(find).toHaveBeenCalledTimes(128);
    await fn(128);

    expect(fn.getMetrics()).toMatchObject({ size: 128, hits: 128, evictions: 1 });
  });

  it('lets the least recently used go for room', async () => {
    const find = jest.fn(async (id: number) => id);
    const fn = decorator({ maxSize: 2 })(find);
    for (const id of [1, 2, 1, 3, 1, 2]) await fn(id);

    expect(find.mock.calls).toEqual([[1], [2], [3], [2]]);
  });

  it('keeps as many as there are without a bound, and none with maxSize 0', async () => {
    const unbounded = decorator({ maxSize: null })(async (id: number) => id);
    const none = decorator({ maxSize: 0 })(async (id: number) => id);
    for (let id = 0; id < 200; id++) await Promise.all([unbounded(id), none(id)]);

    expect([unbounded.getMetrics().size, none.getMetrics().size]).toEqual([200, 0]);
  });

  it('keeps results in a cache that is given as long as that does', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache({ clock, ttl: 1_000 });
    const find = jest.fn(async (id: number) => id);
    const fn = decorator({ cache, name: 'find' })(find);
    await fn(1);
    await clock.advance(999);
    await fn(1);
    expect(find).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await fn(1);

    expect(find).toHaveBeenCalledTimes(2);
  });
});
