import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { AsyncTTL } from './index.js';

failOnUnhandledRejections();

describe('AsyncTTL', () => {
  it('keeps a result for 60 seconds', async () => {
    const clock = fakeClock();
    const find = jest.fn(async (id: number) => id);
    const fn = AsyncTTL({ clock })(find);
    await fn(1);
    await clock.advance(59_999);
    await fn(1);
    expect(find).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await fn(1);

    expect(find).toHaveBeenCalledTimes(2);
  });

  it('keeps 1024 results', async () => {
    const fn = AsyncTTL({ clock: fakeClock() })(async (id: number) => id);
    for (let id = 0; id < 1_025; id++) await fn(id);

    expect(fn.getMetrics()).toMatchObject({ size: 1_024, evictions: 1 });
  });

  it.each([
    ['a number', 1_000, 1_000],
    ['a text', '2s', 2_000],
    ['a function of the result', (value: number) => value * 1_000, 3_000],
  ] as const)('takes %s for ttl', async (_what, ttl, ms) => {
    const clock = fakeClock();
    const find = jest.fn(async () => 3);
    const fn = AsyncTTL({ clock, ttl })(find);
    await fn();
    await clock.advance(ms - 1);
    await fn();
    expect(find).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await fn();

    expect(find).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['null keeps a result for good', null, 1],
    ['0 keeps none', 0, 2],
    ['undefined is as none given', undefined, 1],
  ])('with a ttl of %s', async (_what, ttl, calls) => {
    const clock = fakeClock();
    const find = jest.fn(async () => 1);
    const fn = AsyncTTL({ clock, ttl, maxSize: undefined } as { ttl: null })(find);
    await fn();
    await clock.advance(ttl === null ? 1e12 : 0);
    await fn();

    expect(find).toHaveBeenCalledTimes(calls);
  });

  it('keeps a result for 60 seconds in a cache that is given, too', async () => {
    const clock = fakeClock();
    const find = jest.fn(async (id: number) => id);
    const cache = new AsyncCache({ clock, maxSize: 2 });
    const fn = AsyncTTL({ cache, name: 'find' })(find);
    await fn(1);
    await clock.advance(59_999);
    await fn(1);
    expect(find).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await fn(1);

    expect(find).toHaveBeenCalledTimes(2);
  });
});
