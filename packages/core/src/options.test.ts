import { AsyncCache, CacheError, InvalidOptionError, type AsyncCacheOptions } from './index.js';
import { fakeClock } from './testing.js';

type Bad = readonly [option: string, value: unknown, says: string | RegExp];

function construct(options: unknown): AsyncCache {
  return new AsyncCache(options as never);
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a call throws at once or rejects with. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('options of a cache', () => {
  const badDurations: readonly (readonly [value: unknown, says: string | RegExp])[] = [
    [-1, '-1'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    ['5 minutes', "'5 minutes'"],
    ['5', "'5'"],
    ['', "''"],
    ['-5s', "'-5s'"],
    ['5S', "'5S'"],
    [' 5s', "' 5s'"],
    ['5s ', "'5s '"],
    ['5s5', "'5s5'"],
    ['Infinitys', "'Infinitys'"],
    ['NaNms', "'NaNms'"],
    ['1e400ms', /1e400ms/],
    ['0x10s', /0x10s/],
    ['s', "'s'"],
    ['1w', "'1w'"],
    [5n, '5'],
    [true, 'true'],
    [{}, /object|\{\}/],
    [[5], /\[|array/i],
    [Symbol('x'), /symbol/i],
    [new Date(5), /Date|date|object/],
  ];
  const bad: readonly Bad[] = [
    ...[
      'ttl',
      'staleWhileRevalidate',
      'staleIfError',
      'timeout',
      'softTimeout',
      'errorTtl',
    ].flatMap((option) => badDurations.map(([value, says]): Bad => [option, value, says])),
    ...['jitter', 'refreshAhead'].flatMap((option): Bad[] => [
      [option, 2, '2'],
      [option, 1.0001, '1.0001'],
      [option, -0.1, '-0.1'],
      [option, NaN, 'NaN'],
      [option, '0.5', "'0.5'"],
      [option, true, 'true'],
    ]),
    ['maxSize', 1.5, '1.5'],
    ['maxSize', -1, '-1'],
    ['maxSize', NaN, 'NaN'],
    ['maxSize', -Infinity, '-Infinity'],
    ['maxSize', '10', "'10'"],
    ['maxSize', 10n, '10'],
    ['maxSize', true, 'true'],
    ['maxSize', {}, /object|\{\}/],
    ['weigh', 5, '5'],
    ['weigh', 'length', "'length'"],
    ['policy', 'fifo', "'fifo'"],
    ['policy', 5, '5'],
    ['policy', {}, /object|\{\}/],
    ['clone', true, 'true'],
    ['clone', 'structuredClone', "'structuredClone'"],
    ['name', 5, '5'],
    ['name', '', "''"],
    ['name', null, 'null'],
    ['tier', {}, /object|\{\}/],
    ['tier', 'redis://localhost', "'redis://localhost'"],
    ['persistence', 'file.db', "'file.db'"],
    ['persistence', {}, /object|\{\}/],
    ['batcher', () => [], /function/],
    ['clock', Date, /function|class/],
    ['clock', {}, /object|\{\}/],
  ];

  it.each(bad.map(([option, value, says]) => ({ option, value, says })))(
    'refuses $option: $value and says what it got',
    ({ option, value, says }) => {
      const error = thrownBy(() => construct({ name: 'n', [option]: value }));

      expect(error).toBeInstanceOf(InvalidOptionError);
      expect(error).toBeInstanceOf(CacheError);
      expect((error as CacheError).code).toMatch(/^ERR_ACACHE_/);
      expect((error as Error).message).toContain(option);
      if (typeof says === 'string') expect((error as Error).message).toContain(says);
      else expect((error as Error).message).toMatch(says);
    },
  );

  it.each([NaN, -1, '10', true])('refuses maxWeight: %p', (maxWeight) => {
    const error = thrownBy(() => construct({ maxWeight, weigh: () => 1 }));

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain('maxWeight');
  });

  it.each([null, 5, 'fast', true, () => ({})])('refuses %p in place of options', (options) => {
    expect(thrownBy(() => construct(options))).toBeInstanceOf(InvalidOptionError);
  });

  it('requires a name with a tier', () => {
    const error = thrownBy(() => construct({ tier: { attach: () => ({}) } }));

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain('name');
  });

  it('is called default when nobody names it', () => {
    expect(new AsyncCache().name).toBe('default');
    expect(new AsyncCache({ name: 'users' }).name).toBe('users');
  });

  it.each([
    {},
    { ttl: null },
    { ttl: 0 },
    { ttl: '250ms' },
    { ttl: '5s', staleWhileRevalidate: '10m', staleIfError: '2h', timeout: '1s', errorTtl: '1d' },
    { ttl: () => '1s' },
    { jitter: 0, refreshAhead: 0 },
    { jitter: 1, refreshAhead: 1 },
    { maxSize: null },
    { maxSize: Infinity },
    { maxSize: 0 },
    { maxWeight: 0, weigh: () => 1 },
    { clone: false },
    { clone: structuredClone },
    { policy: 'lru' },
    { ttl: undefined, maxSize: undefined, jitter: undefined, name: undefined, clone: undefined },
  ])('takes %p', (options) => {
    expect(construct(options)).toBeInstanceOf(AsyncCache);
  });

  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1.5s', 1_500],
    [40, 40],
  ])('reads %p as %p milliseconds', async (ttl, ms) => {
    const cache = construct({ ttl, clock: fakeClock() });
    await cache.set('k', 1);

    expect((await cache.getWithMeta('k')).ttlLeft).toBe(ms);
  });
});

describe('options of one call', () => {
  const badGets: readonly (readonly [string, unknown])[] = [
    ['ttl', '5 minutes'],
    ['ttl', -1],
    ['ttl', NaN],
    ['ttl', {}],
    ['staleWhileRevalidate', -1],
    ['staleIfError', '5 minutes'],
    ['timeout', NaN],
    ['timeout', '5 minutes'],
    ['softTimeout', -5],
    ['loader', 5],
    ['batchLoader', 5],
    ['tags', 'user'],
    ['tags', [1]],
    ['tags', 5],
    ['signal', {}],
    ['signal', 'stop'],
  ];

  it.each(badGets)('get refuses %s: %p, and loads nothing', async (option, value) => {
    const cache = construct({ batcher: { load: () => Promise.resolve(1) } });
    const loader = jest.fn(() => 1);

    const error = await failureOf(() =>
      cache.get('k', { ...(option === 'batchLoader' ? {} : { loader }), [option]: value } as never),
    );

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain(option);
    expect(loader).not.toHaveBeenCalled();
    expect(cache.size).toBe(0);
  });

  it.each([5, 'loader', null])('get refuses %p in place of a loader', async (loader) => {
    const error = await failureOf(() => new AsyncCache().get('k', loader as never));

    expect(error).toBeInstanceOf(InvalidOptionError);
  });

  it.each([
    ['ttl', '5 minutes'],
    ['ttl', -1],
    ['ttl', () => 5],
    ['staleWhileRevalidate', NaN],
    ['staleIfError', {}],
    ['tags', 'user'],
    ['tags', [1]],
  ])('set refuses %s: %p, and what was there stays', async (option, value) => {
    const cache = new AsyncCache();
    await cache.set('k', 'old');

    const error = await failureOf(() => cache.set('k', 'new', { [option]: value } as never));

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain(option);
    expect(cache.peek('k')).toBe('old');
  });

  it('setMany stores none when an option is bad', async () => {
    const cache = new AsyncCache();

    const error = await failureOf(() => cache.setMany([['a', 1]], { ttl: '5 minutes' as never }));

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(cache.size).toBe(0);
  });

  it.each(['timeout', 'ttl', 'loadMany', 'tags'])('getMany refuses a bad %s', async (option) => {
    const loadMany = jest.fn(() => Promise.resolve([1]));

    const error = await failureOf(() =>
      new AsyncCache().getMany(['k'], { loadMany, [option]: '5 minutes' } as never),
    );

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(loadMany).not.toHaveBeenCalled();
  });

  it.each([0, -1, 1.5, NaN, '4'])('warmup refuses concurrency: %p', async (concurrency) => {
    const loader = jest.fn(() => 1);

    const error = await failureOf(() =>
      new AsyncCache().warmup({ a: loader }, { concurrency: concurrency as never }),
    );

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain('concurrency');
    expect(loader).not.toHaveBeenCalled();
  });

  it('a loader that decides a bad ttl fails and says what it got', async () => {
    const cache = new AsyncCache();

    const error = await failureOf(() =>
      cache.get('k', (_key, context) => {
        context.ttl('5 minutes' as never);
        return 1;
      }),
    );

    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toContain("'5 minutes'");
    expect(cache.has('k')).toBe(false);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no ttl');
      },
    ],
    ['gives a bad duration', () => '5 minutes'],
    ['gives NaN', () => NaN],
  ])('a ttl function that %s costs the caller nothing and is reported', async (_what, ttl) => {
    const cache = construct({ ttl });
    const errors: unknown[] = [];
    cache.on('error', (event) => errors.push(event));

    expect(await cache.get('k', () => 'loaded')).toBe('loaded');

    expect(errors).toEqual([expect.objectContaining({ source: 'ttl', error: expect.any(Error) })]);
  });

  it('batchLoader without a batcher is refused', async () => {
    const error = await failureOf(() =>
      new AsyncCache().get('k', { batchLoader: () => Promise.resolve([1]) }),
    );

    expect(error).toBeInstanceOf(CacheError);
    expect((error as CacheError).code).toBe('ERR_ACACHE_NO_BATCHER');
  });
});

it.each([
  [() => undefined, 'add is no function in undefined'],
  [() => ({ add: () => undefined }), 'use is no function in'],
  [
    () => new Proxy({}, { get: (_, name) => (name === 'knowsKeys' ? 'no' : () => undefined) }),
    "knowsKeys of a policy must be true or false, got 'no'",
  ],
])('refuses a policy factory that makes no policy: %p', (policy, message) => {
  const options = { policy } as unknown as AsyncCacheOptions;
  expect(() => new AsyncCache(options)).toThrow(InvalidOptionError);
  expect(() => new AsyncCache(options)).toThrow(message);
});
