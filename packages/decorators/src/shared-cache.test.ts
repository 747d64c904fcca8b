import { AsyncCache, makeKey } from '@acache/core';
import { fakeClock, memoryTier } from '@acache/core/testing';
import { deferred, settle } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { WRAPPERS } from '../test/wrappers.js';
import { cached } from './index.js';

failOnUnhandledRejections();

describe.each(WRAPPERS)('%s on a cache that is given', (form, wrap) => {
  const who = form.replace(/\(.*/s, '');

  async function findUser(id: number, _full = false): Promise<string> {
    return `user ${id}`;
  }

  describe('keeps a result', () => {
    it('under the key that makeKey makes of name and arguments', async () => {
      const cache = new AsyncCache();
      const find = wrap(findUser, { cache });
      await find(1);
      await find(2, true);

      expect(cache.peek(makeKey('findUser', [1]))).toBe('user 1');
      expect(cache.peek(makeKey('findUser', [2, true]))).toBe('user 2');
      expect(cache.size).toBe(2);
    });

    it('under the name that is given', async () => {
      const cache = new AsyncCache();
      await wrap(findUser, { cache, name: 'users' })(1);
      await wrap(async (id: number) => `anonymous ${id}`, { cache, name: 'other' })(1);

      expect(cache.peek(makeKey('users', [1]))).toBe('user 1');
      expect(cache.peek(makeKey('other', [1]))).toBe('anonymous 1');
    });

    it('under a key without the arguments that are skipped', async () => {
      const cache = new AsyncCache();
      async function findIn(_database: () => void, id: number): Promise<number> {
        return id;
      }
      await wrap(findIn, { cache, skipArgs: 1 })(() => undefined, 7);

      expect(cache.peek(makeKey('findIn', [() => undefined, 7], 1))).toBe(7);
      expect(cache.peek(makeKey('findIn', [7]))).toBe(7);
    });

    it.each<[what: string, key: unknown]>([
      ['a text', 'user:1'],
      ['a number', 1],
      ['an object, by value', { user: 1 }],
      ['an array, by value', ['user', 1]],
    ])('under the key that `key` makes, as it is: %s', async (_what, key) => {
      const cache = new AsyncCache();
      const find = wrap(findUser, { cache, key: () => key });
      await find(1);

      expect(cache.peek(key)).toBe('user 1');
      expect(cache.size).toBe(1);
      expect(await find.invalidateCache(1)).toBe(true);
      expect(cache.has(key)).toBe(false);
    });

    it('with tags', async () => {
      const cache = new AsyncCache();
      const find = wrap(findUser, { cache, tags: (id: number) => [`user:${id}`, 'users'] });
      await find(1);
      await find(2);
      await cache.invalidateTags('user:1');
      expect([cache.has(makeKey('findUser', [1])), cache.size]).toEqual([false, 1]);
      await cache.invalidateTags('users');

      expect(cache.size).toBe(0);
    });

    it('as its own ttl, stale windows and timeouts have it', async () => {
      const clock = fakeClock();
      const cache = new AsyncCache({ clock, ttl: '1h' });
      const loads = [deferred<string>(), deferred<string>(), deferred<string>()];
      let begun = 0;
      async function load(): Promise<string> {
        return loads[begun++]!.promise;
      }
      const fn = wrap(load, {
        cache,
        ttl: 1_000,
        staleWhileRevalidate: 1_000,
        staleIfError: 3_000,
        timeout: 50,
        softTimeout: 10,
      });
      loads[0]!.resolve('first');
      expect(await fn()).toBe('first');
      await clock.advance(1_500);
      expect(await fn()).toBe('first');
      expect(begun).toBe(2);
      loads[1]!.reject(new Error('down'));
      await settle();
      await clock.advance(1_000);
      const slow = fn();
      await clock.advance(10);
      expect(await slow).toBe('first');
      await clock.advance(2_000);
      const late = expect(fn()).rejects.toMatchObject({ code: 'ERR_ACACHE_LOAD_TIMEOUT' });
      await clock.advance(50);
      await late;
      loads[2]!.resolve('third');
      await settle();

      expect(await fn()).toBe('third');
    });

    it('by a ttl that depends on the result', async () => {
      const clock = fakeClock();
      const cache = new AsyncCache({ clock });
      const fn = wrap(findUser, { cache, ttl: (user: string) => user.length * 1_000 });
      await fn(1);
      await clock.advance(5_999);
      expect(cache.size).toBe(1);
      await clock.advance(1);

      expect(cache.has(makeKey('findUser', [1]))).toBe(false);
    });
  });

  describe('is told from others on it', () => {
    it('so that they never see its results', async () => {
      const cache = new AsyncCache();
      const first = wrap(async (id: number) => `first ${id}`, { cache, name: 'first' });
      const second = wrap(async (id: number) => `second ${id}`, { cache, name: 'second' });

      expect(await Promise.all([first(1), second(1)])).toEqual(['first 1', 'second 1']);
      expect(await Promise.all([first(1), second(1)])).toEqual(['first 1', 'second 1']);
    });

    it('which refuses one without a name when it is wrapped', () => {
      const cache = new AsyncCache();
      let error: unknown;
      try {
        wrap(async () => 1, { cache });
      } catch (thrown) {
        error = thrown;
      }

      expect(error).toMatchObject({
        code: 'ERR_ACACHE_INVALID_OPTION',
        message: `${who} needs a name for an anonymous function on a cache that is shared: { cache, name: '…' }`,
      });
    });

    it('which refuses another one of its name when it is wrapped', async () => {
      const cache = new AsyncCache();
      const other = (() => async function findUser() {})();
      const first = wrap(findUser, { cache });
      expect(() => wrap(other, { cache })).toThrow(
        `${who} needs a name: another function on the same cache is called 'findUser', too`,
      );
      wrap(other, { cache, name: 'other' });
      wrap(other, { cache: new AsyncCache() });

      expect(await first(1)).toBe('user 1');
    });

    it('and is the same however often it is wrapped', async () => {
      const cache = new AsyncCache();
      const find = jest.fn(findUser);
      Object.defineProperty(find, 'name', { value: 'find' });
      await wrap(find, { cache })(1);
      await wrap(find, { cache })(1);

      expect(find).toHaveBeenCalledTimes(1);
    });
  });

  describe('clears, refreshes and counts', () => {
    it('its own results alone', async () => {
      const cache = new AsyncCache();
      const users = wrap(findUser, { cache, name: 'users' });
      const keyed = wrap(findUser, { cache, name: 'keyed', key: (id: number) => `k${id}` });
      await cache.set('mine', 1);
      await users(1);
      await users(2);
      await keyed(1);
      await users.clearCache();

      expect([cache.has('mine'), cache.has('k1'), cache.size]).toEqual([true, true, 2]);
      await keyed.clearCache();
      expect([cache.has('mine'), cache.size]).toEqual([true, 1]);
    });

    it('a call that runs: what it brings is not kept', async () => {
      const cache = new AsyncCache();
      const load = deferred<string>();
      const find = jest.fn(() => load.promise);
      const fn = wrap(find, { cache, name: 'find' });
      const call = fn();
      await fn.clearCache();
      load.resolve('old');

      expect(await call).toBe('old');
      expect(cache.size).toBe(0);
    });

    it('what is in the cache by now', async () => {
      const cache = new AsyncCache();
      let calls = 0;
      const fn = wrap(async (id: number) => `${id}:${++calls}`, { cache, name: 'fn' });
      await fn(1);
      expect(await fn.refresh(1)).toBe('1:2');
      expect(cache.peek(makeKey('fn', [1]))).toBe('1:2');
      await cache.set(makeKey('fn', [1]), 'set');

      expect(await fn(1)).toBe('set');
      expect(await fn.invalidateCache(1)).toBe(true);
      expect(await fn.invalidateCache(1)).toBe(false);
    });

    it('its own calls alone', async () => {
      const cache = new AsyncCache();
      const users = wrap(findUser, { cache, name: 'users' });
      const others = wrap(findUser, { cache, name: 'others' });
      await users(1);
      await users(1);
      await others(1);
      await cache.get('mine', () => 1);

      expect(users.getMetrics()).toMatchObject({ hits: 1, misses: 1, loads: 1, hitRate: 0.5 });
      expect(others.getMetrics()).toMatchObject({ hits: 0, misses: 1, loads: 1, hitRate: 0 });
      expect(cache.getMetrics()).toMatchObject({ hits: 1, misses: 3 });
      await users.clearCache();
      expect(users.getMetrics()).toMatchObject({ hits: 0, misses: 0, loads: 0, loadTimeMs: 0 });
      expect(others.getMetrics()).toMatchObject({ misses: 1 });
    });
  });

  it('rejects once that is closed', async () => {
    const cache = new AsyncCache();
    const fn = wrap(findUser, { cache, name: 'users' });
    await cache.close();
    const closed = { code: 'ERR_ACACHE_CLOSED' };

    await expect(fn(1)).rejects.toMatchObject(closed);
    await expect(fn.refresh(1)).rejects.toMatchObject(closed);
    await expect(fn.invalidateCache(1)).rejects.toMatchObject(closed);
    await expect(fn.clearCache()).rejects.toMatchObject(closed);
  });
});

describe('a cache with a tier', () => {
  it('gives the results of a function to another process', async () => {
    const tier = memoryTier();
    const find = jest.fn(async (id: number) => id);
    const here = cached(find, { cache: new AsyncCache({ tier, name: 'app' }), name: 'find' });
    const there = cached(find, { cache: new AsyncCache({ tier, name: 'app' }), name: 'find' });
    await here(1);
    await there(1);
    expect(find).toHaveBeenCalledTimes(1);
    expect(there.getMetrics()).toMatchObject({ hits: 1, tierHits: 1, loads: 0 });
    await here.clearCache();
    await settle();
    await there(1);

    expect(find).toHaveBeenCalledTimes(2);
  });
});
