import { AsyncCache } from '@acache/core';
import { memoryPersistence, memoryTier } from '@acache/core/testing';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { DECORATORS } from '../test/wrappers.js';
import { AsyncTTL, cached, invalidates } from './index.js';

failOnUnhandledRejections();

const INVALID = 'ERR_ACACHE_INVALID_OPTION';

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(DECORATORS)('an option of %s that cannot be meant', (who, decorator) => {
  it.each<[options: unknown, message: string]>([
    [{ skipArgs: -1 }, 'skipArgs must be a whole number of at least 0, got -1'],
    [{ skipArgs: 1.5 }, 'skipArgs must be a whole number of at least 0, got 1.5'],
    [{ skipArgs: '1' }, "skipArgs must be a whole number of at least 0, got '1'"],
    [{ skipArgs: NaN }, 'skipArgs must be a whole number of at least 0, got NaN'],
    [{ skipArgs: null }, 'skipArgs must be a whole number of at least 0, got null'],
    [{ key: 'id' }, "key must be a function, got 'id'"],
    [{ key: null }, 'key must be a function, got null'],
    [{ tags: ['user'] }, 'tags must be a function, got an array'],
    [{ scope: 'global' }, "scope must be 'instance' or 'class', got 'global'"],
    [{ scope: null }, "scope must be 'instance' or 'class', got null"],
    [{ cache: null }, 'cache must be a Cache such as new AsyncCache(), got null'],
    [{ cache: {} }, 'cache must be a Cache such as new AsyncCache(), got an object'],
    [
      { cache: new Map() },
      'cache must be a Cache such as new AsyncCache(), got an instance of Map',
    ],
    [{ ttl: '5 minutes' }, "ttl must be a duration such as 5000 or '5s', got '5 minutes'"],
    [{ ttl: -1 }, "ttl must be a duration such as 5000 or '5s', got -1"],
    [{ maxSize: 1.5 }, 'maxSize must be a whole number of entries, null or Infinity, got 1.5'],
    [{ jitter: 2 }, 'jitter must be a fraction from 0 to 1, got 2'],
    [{ timeout: 'soon' }, "timeout must be a duration such as 5000 or '5s', got 'soon'"],
    [{ name: '' }, "name must be a text that is not empty, got ''"],
    [{ name: 5 }, 'name must be a text that is not empty, got 5'],
  ])('is told at once: %p', (options, message) => {
    expect(errorOf(() => decorator(options as object))).toMatchObject({ code: INVALID, message });
  });

  it.each<[options: unknown, what: string]>([
    [5, '5'],
    ['5m', "'5m'"],
    [true, 'true'],
  ])('is told at once: %p in the place of all options', (options, what) => {
    expect(errorOf(() => decorator(options as object))).toMatchObject({
      code: INVALID,
      message: `the options of ${who} must be an object, got ${what}`,
    });
  });

  it('is told at once: null in the place of all options', () => {
    expect(errorOf(() => decorator(null as never))).toMatchObject({
      code: INVALID,
      message: `the options of ${who} must be an object, got null`,
    });
  });

  describe('besides a cache', () => {
    const cache = new AsyncCache();
    it.each([
      ['maxSize', 5],
      ['maxWeight', 5],
      ['weigh', () => 1],
      ['policy', 'lru'],
      ['jitter', 0.1],
      ['refreshAhead', 0.5],
      ['errorTtl', '1s'],
      ['clone', structuredClone],
      ['tier', memoryTier()],
      ['persistence', memoryPersistence()],
      ['batcher', { load: () => undefined }],
      ['clock', { now: () => 0 }],
    ])('is what the cache decides: %s', (name, value) => {
      expect(errorOf(() => decorator({ cache, name: 'n', [name]: value }))).toMatchObject({
        code: INVALID,
        message: `${name} cannot be given besides cache, which decides it for all that is in it`,
      });
    });

    it('is told with all others of that kind', () => {
      const options = { cache, clone: structuredClone, ttl: 5, maxSize: 5 };
      expect(errorOf(() => decorator(options))).toMatchObject({
        message:
          'maxSize, clone cannot be given besides cache, which decides it for all that is in it',
      });
    });

    it.each<[options: object, message: string]>([
      [{ ttl: '5 minutes' }, "ttl must be a duration such as 5000 or '5s', got '5 minutes'"],
      [
        { staleWhileRevalidate: -1 },
        "staleWhileRevalidate must be a duration such as 5000 or '5s', got -1",
      ],
      [{ staleIfError: NaN }, "staleIfError must be a duration such as 5000 or '5s', got NaN"],
      [{ timeout: 'soon' }, "timeout must be a duration such as 5000 or '5s', got 'soon'"],
      [{ softTimeout: {} }, "softTimeout must be a duration such as 5000 or '5s', got an object"],
      [{ name: '' }, "name must be a text that is not empty, got ''"],
      [{ name: 5 }, 'name must be a text that is not empty, got 5'],
    ])('is told at once: %p', (options, message) => {
      const decorate = () => decorator({ cache, name: 'n', ...options })(async () => 1);
      expect(errorOf(decorate)).toMatchObject({ code: INVALID, message });
    });
  });

  it('is a tier without a name, which is the namespace there', () => {
    const wrap = decorator({ tier: memoryTier() });
    async function findUser(): Promise<void> {}

    expect(errorOf(() => wrap(findUser))).toMatchObject({
      code: INVALID,
      message: 'name is required with a tier: it is the namespace there',
    });
  });
});

describe('what is put in the place of options', () => {
  async function findUser(id: number): Promise<number> {
    return id;
  }

  it('is a function, of a decorator that takes options only', () => {
    expect(errorOf(() => AsyncTTL(findUser as never))).toMatchObject({
      code: INVALID,
      message: 'the options of AsyncTTL must be an object, got function findUser',
    });
    expect(errorOf(() => invalidates(findUser as never))).toMatchObject({
      code: INVALID,
      message: 'the options of invalidates must be an object, got function findUser',
    });
  });

  it('is no object, as the second argument of cached', () => {
    expect(errorOf(() => cached(findUser, '5m' as never))).toMatchObject({
      code: INVALID,
      message: "the options of cached must be an object, got '5m'",
    });
    expect(errorOf(() => cached(findUser, null as never))).toMatchObject({
      code: INVALID,
      message: 'the options of cached must be an object, got null',
    });
  });

  it('of cached as a second argument is checked as the first would be', () => {
    expect(() => cached(findUser, { skipArgs: -1 })).toThrow('skipArgs must be a whole number');
  });
});

describe('a function with a tier of its own', () => {
  it('is known there by its name', async () => {
    const tier = memoryTier();
    const find = jest.fn(async (id: number) => id);
    const here = cached(find, { tier, name: 'find' });
    const there = cached(find, { tier, name: 'find' });
    const other = cached(find, { tier, name: 'other' });
    await here(1);
    await there(1);
    await other(1);

    expect(find).toHaveBeenCalledTimes(2);
    expect(there.getMetrics()).toMatchObject({ hits: 1, tierHits: 1, loads: 0 });
  });
});
