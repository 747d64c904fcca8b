import { fakeClock } from '@acache/core/testing';
import { deferred, settle } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { WRAPPERS } from '../test/wrappers.js';
import { cached } from './index.js';

failOnUnhandledRejections();

describe.each(WRAPPERS)('%s', (_form, wrap) => {
  describe('a call', () => {
    it('is answered by what an earlier one with the same arguments brought', async () => {
      const add = jest.fn(async (a: number, b: number) => a + b);
      const cachedAdd = wrap(add);

      expect(await cachedAdd(1, 2)).toBe(3);
      expect(await cachedAdd(1, 2)).toBe(3);
      expect(await cachedAdd(2, 1)).toBe(3);
      expect(add.mock.calls).toEqual([
        [1, 2],
        [2, 1],
      ]);
    });

    it('joins the one that runs', async () => {
      const load = deferred<string>();
      const find = jest.fn(() => load.promise);
      const cachedFind = wrap(find);
      const calls = [cachedFind(), cachedFind(), cachedFind()];
      load.resolve('value');

      expect(await Promise.all(calls)).toEqual(['value', 'value', 'value']);
      expect(find).toHaveBeenCalledTimes(1);
      expect(cachedFind.getMetrics()).toMatchObject({ hits: 0, misses: 3, joined: 2, loads: 1 });
    });

    it('of a sync function is answered by a promise', async () => {
      const double = jest.fn((n: number) => n * 2);
      const cachedDouble = wrap(double);
      const first = cachedDouble(2);

      expect(first).toBeInstanceOf(Promise);
      expect([await first, await cachedDouble(2)]).toEqual([4, 4]);
      expect(double).toHaveBeenCalledTimes(1);
    });

    it.each([
      [
        'throws',
        (error: Error) => () => {
          throw error;
        },
      ],
      ['rejects', (error: Error) => () => Promise.reject(error)],
    ])('that %s rejects with the very error, and is not kept', async (_what, failing) => {
      const error = new Error('down');
      const fail = jest.fn(failing(error));
      const cachedFail = wrap(fail);
      for (let call = 0; call < 2; call++) {
        const result = cachedFail();
        expect(result).toBeInstanceOf(Promise);
        await expect(result).rejects.toBe(error);
      }
      expect(fail).toHaveBeenCalledTimes(2);
      expect(cachedFail.getMetrics()).toMatchObject({ misses: 2, loads: 2, loadErrors: 2 });
    });

    it('gives all who joined the same error', async () => {
      const load = deferred();
      const cachedFail = wrap(() => load.promise);
      const calls = [cachedFail(), cachedFail()];
      const error = new Error('down');
      load.reject(error);
      const outcomes = await Promise.allSettled(calls);

      expect(
        outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason === error),
      ).toEqual([true, true]);
    });

    it.each([[undefined], [null], [0], [''], [false]])('keeps %p', async (value) => {
      const fn = jest.fn(() => value);
      const cachedFn = wrap(fn);

      expect([await cachedFn(), await cachedFn()]).toEqual([value, value]);
      expect(fn).toHaveBeenCalledTimes(1);
    });

    it('forwards `this`, which is no part of the key', async () => {
      const object = {
        name: 'first',
        find: wrap(async function (this: { name: string }, id: number) {
          return `${this.name} ${id}`;
        }),
      };
      expect(await object.find(1)).toBe('first 1');
      object.name = 'second';
      expect(await object.find(1)).toBe('first 1');
      expect(await object.find(2)).toBe('second 2');
      expect(await object.find.call({ name: 'third' }, 3)).toBe('third 3');
    });

    it('may call itself with other arguments', async () => {
      let calls = 0;
      const fibonacci: (n: number) => Promise<number> = wrap(async (n: number) => {
        calls++;
        return n < 2 ? n : (await fibonacci(n - 1)) + (await fibonacci(n - 2));
      });

      expect(await fibonacci(30)).toBe(832_040);
      expect(calls).toBe(31);
    });

    it('hands over all arguments, also those that have no parameter', async () => {
      const fn = jest.fn(async (...args: unknown[]) => args.length);
      const cachedFn = wrap(fn);

      expect(await cachedFn('a', undefined, { b: 1 })).toBe(3);
      expect(fn).toHaveBeenCalledWith('a', undefined, { b: 1 });
    });

    it.each([
      ['a function', () => 1],
      ['a symbol', Symbol('s')],
      ['a promise', Promise.resolve(1)],
      [
        'a cycle',
        (() => {
          const cycle: unknown[] = [];
          cycle.push(cycle);
          return cycle;
        })(),
      ],
    ])('with %s among its arguments rejects', async (_what, argument) => {
      const fn = jest.fn(async (_argument: unknown) => 1);
      const cachedFn = wrap(fn);
      const rejection = { code: 'ERR_ACACHE_UNKEYABLE' };

      await expect(cachedFn(argument)).rejects.toMatchObject(rejection);
      await expect(cachedFn.refresh(argument)).rejects.toMatchObject(rejection);
      await expect(cachedFn.invalidateCache(argument)).rejects.toMatchObject(rejection);
      expect(fn).not.toHaveBeenCalled();
    });
  });

  describe('what is wrapped', () => {
    it('keeps its name and length', () => {
      async function findUser(_id: number, _name: string, _full = false): Promise<void> {}
      const wrapped = wrap(findUser);

      expect([wrapped.name, wrapped.length]).toEqual(['findUser', 2]);
      expect(wrap(async () => 1).name).toBe('');
    });

    it('has a cache of its own each time', async () => {
      const fn = jest.fn(async (id: number) => id);
      const first = wrap(fn);
      const second = wrap(fn);
      await first(1);
      await second(1);

      expect(fn).toHaveBeenCalledTimes(2);
      await first.clearCache();
      expect([first.getMetrics().size, second.getMetrics().size]).toEqual([0, 1]);
    });

    it('can be a bound, an arrow or a native function, or a proxy of one', async () => {
      const half = wrap(
        function (this: { by: number }, n: number) {
          return n / this.by;
        }.bind({ by: 2 }),
      );
      const max = wrap(Math.max);
      const proxy = wrap(new Proxy((n: number) => n + 1, {}));

      expect(await Promise.all([half(8), max(3, 9), proxy(1)])).toEqual([4, 9, 2]);
    });

    it('lets its controls be replaced', async () => {
      const wrapped = wrap(async (id: number) => id);
      const refresh = jest.fn(async () => 5);
      expect(() => Object.assign(wrapped, { refresh })).not.toThrow();

      expect(await wrapped.refresh(1)).toBe(5);
    });

    it('can be wrapped again', async () => {
      const fn = jest.fn(async (id: number) => id);
      const outer = wrap(wrap(fn));
      await outer(1);
      await outer.clearCache();

      expect(await outer(1)).toBe(1);
      expect(fn).toHaveBeenCalledTimes(1);
    });
  });

  describe('refresh', () => {
    it('calls anew, whatever is cached, and keeps the result', async () => {
      let calls = 0;
      const fn = wrap(async (id: number) => `${id}:${++calls}`);
      await fn(1);

      expect(await fn.refresh(1)).toBe('1:2');
      expect(await fn(1)).toBe('1:2');
      expect(await fn.refresh(2)).toBe('2:3');
      expect(await fn(2)).toBe('2:3');
      expect(fn.getMetrics()).toMatchObject({ hits: 2, misses: 3, loads: 3 });
    });

    it('does not wait for a call that runs, whose result is not kept', async () => {
      const loads = [deferred<string>(), deferred<string>()];
      let begun = 0;
      const fn = wrap(() => loads[begun++]!.promise);
      const before = fn();
      const refreshed = fn.refresh();
      loads[1]!.resolve('new');
      expect(await refreshed).toBe('new');
      loads[0]!.resolve('old');

      expect(await before).toBe('old');
      expect(await fn()).toBe('new');
    });

    it('that fails rejects', async () => {
      const error = new Error('down');
      const outcomes = [Promise.resolve('value'), Promise.reject(error)];
      let calls = 0;
      const fn = wrap(() => outcomes[calls++]!);
      await fn();
      await expect(fn.refresh()).rejects.toBe(error);
    });

    it('needs no `this`', async () => {
      const { refresh } = wrap(async (id: number) => id);

      expect(await refresh(3)).toBe(3);
    });
  });

  describe('invalidateCache', () => {
    it('forgets the result for these arguments alone', async () => {
      const find = jest.fn(async (id: number) => id);
      const fn = wrap(find);
      await fn(1);
      await fn(2);

      expect(await fn.invalidateCache(1)).toBe(true);
      expect(await fn.invalidateCache(1)).toBe(false);
      await fn(1);
      await fn(2);
      expect(find.mock.calls).toEqual([[1], [2], [1]]);
    });

    it('keeps a call that runs from being kept', async () => {
      const load = deferred<string>();
      const find = jest.fn(() => load.promise);
      const fn = wrap(find);
      const call = fn();
      await fn.invalidateCache();
      load.resolve('old');

      expect(await call).toBe('old');
      await fn();
      expect(find).toHaveBeenCalledTimes(2);
    });
  });

  describe('clearCache', () => {
    it('forgets all results, and counts from 0 again', async () => {
      const find = jest.fn(async (id: number) => id);
      const fn = wrap(find);
      await fn(1);
      await fn(2);
      await fn(2);
      await fn.clearCache();
      expect(fn.getMetrics()).toMatchObject({ hits: 0, misses: 0, loads: 0, size: 0 });
      await fn(1);

      expect(find).toHaveBeenCalledTimes(3);
    });
  });

  describe('getMetrics', () => {
    it('tells what was counted for this function', async () => {
      const fn = wrap(async (id: number) => id);
      expect(fn.getMetrics()).toMatchObject({ hits: 0, misses: 0, hitRate: 0 });
      await fn(1);
      await fn(1);
      await fn(2);
      await fn(1);

      expect(fn.getMetrics()).toMatchObject({
        hits: 2,
        misses: 2,
        hitRate: 0.5,
        loads: 2,
        size: 2,
      });
    });
  });

  describe('skipArgs', () => {
    it('leaves arguments at the start out of the key', async () => {
      const find = jest.fn(async (database: () => string, id: number) => database() + String(id));
      const fn = wrap(find, { skipArgs: 1 });

      expect(await fn(() => 'a', 1)).toBe('a1');
      expect(await fn(() => 'b', 1)).toBe('a1');
      expect(await fn(() => 'b', 2)).toBe('b2');
      expect(await fn.refresh(() => 'c', 1)).toBe('c1');
      expect(await fn.invalidateCache(() => 'd', 1)).toBe(true);
      expect(await fn(() => 'e', 1)).toBe('e1');
    });

    it('of more than there are leaves all out', async () => {
      const find = jest.fn(async (..._args: unknown[]) => 1);
      const fn = wrap(find, { skipArgs: 5 });
      await fn(1);
      await fn(2, 3);

      expect(find).toHaveBeenCalledTimes(1);
    });
  });

  describe('key', () => {
    it('decides what a call is cached by, from all its arguments', async () => {
      const find = jest.fn(async (user: { id: number; name: string }, _full: boolean) => user.name);
      const key = jest.fn(({ id }: { id: number }, full: boolean) => [id, full]);
      const fn = wrap(find, { key, skipArgs: 1 });

      expect(await fn({ id: 1, name: 'a' }, true)).toBe('a');
      expect(await fn({ id: 1, name: 'b' }, true)).toBe('a');
      expect(await fn({ id: 1, name: 'b' }, false)).toBe('b');
      expect(await fn.invalidateCache({ id: 1, name: 'c' }, true)).toBe(true);
      expect(key).toHaveBeenCalledWith({ id: 1, name: 'a' }, true);
    });

    it('that throws rejects the call', async () => {
      const error = new Error('no key');
      const find = jest.fn(async () => 1);
      const fn = wrap(find, {
        key: () => {
          throw error;
        },
      });

      await expect(fn()).rejects.toBe(error);
      await expect(fn.refresh()).rejects.toBe(error);
      await expect(fn.invalidateCache()).rejects.toBe(error);
      expect(find).not.toHaveBeenCalled();
    });
  });

  describe('tags', () => {
    it('are asked for at every call, with all its arguments', async () => {
      const tags = jest.fn((_database: object, id: number) => [`user:${id}`]);
      const fn = wrap(async (_database: object, id: number) => id, { tags, skipArgs: 1 });
      const database = {};
      await fn(database, 1);
      await fn(database, 1);
      await fn.refresh(database, 2);

      expect(tags.mock.calls).toEqual([
        [database, 1],
        [database, 1],
        [database, 2],
      ]);
    });

    it.each([
      ['a text', 'user', "tags must be an array, got 'user'"],
      ['nothing', undefined, 'tags must be an array, got undefined'],
      ['numbers', [1], 'tags must hold texts that are not empty, got 1'],
    ])('that are %s reject the call', async (_what, tags, message) => {
      const find = jest.fn(async () => 1);
      const fn = wrap(find, { tags: () => tags as never });
      const rejection = { code: 'ERR_ACACHE_INVALID_OPTION', message };

      await expect(fn()).rejects.toMatchObject(rejection);
      await expect(fn.refresh()).rejects.toMatchObject(rejection);
      expect(find).not.toHaveBeenCalled();
    });

    it('whose function throws reject the call', async () => {
      const error = new Error('no tags');
      const fn = wrap(async () => 1, {
        tags: () => {
          throw error;
        },
      });

      await expect(fn()).rejects.toBe(error);
    });
  });

  describe('the options of a cache', () => {
    it('`ttl` ends a result, and may depend on it', async () => {
      const clock = fakeClock();
      const find = jest.fn(async (id: number) => ({ id }));
      const ttl = ({ id }: { id: number }) => id * 1_000;
      const fn = wrap(find, { clock, ttl });
      await fn(1);
      await fn(2);
      await clock.advance(1_000);
      await fn(1);
      await fn(2);

      expect(find.mock.calls).toEqual([[1], [2], [1]]);
    });

    it('`staleWhileRevalidate` serves the stale result while one call runs behind it', async () => {
      const clock = fakeClock();
      let calls = 0;
      const fn = wrap(async () => ++calls, { clock, ttl: 1_000, staleWhileRevalidate: '1m' });
      await fn();
      await clock.advance(2_000);

      expect(await Promise.all([fn(), fn()])).toEqual([1, 1]);
      await settle();
      expect(await fn()).toBe(2);
      expect(fn.getMetrics()).toMatchObject({ staleHits: 2, loads: 2 });
    });

    it('`staleIfError` serves the stale result when the function fails, sync or async', async () => {
      const clock = fakeClock();
      let calls = 0;
      const fn = wrap(
        () => {
          calls++;
          if (calls === 2) throw new Error('down');
          return calls === 3 ? Promise.reject(new Error('down')) : calls;
        },
        { clock, ttl: 1_000, staleIfError: '1m' },
      );
      await fn();
      await clock.advance(2_000);

      expect([await fn(), await fn(), await fn()]).toEqual([1, 1, 4]);
    });

    it('`errorTtl` remembers a failure', async () => {
      const clock = fakeClock();
      const fail = jest.fn(() => Promise.reject(new Error('down')));
      const fn = wrap(fail, { clock, errorTtl: 500 });
      await expect(fn()).rejects.toThrow('down');
      await expect(fn()).rejects.toThrow('down');
      expect(fail).toHaveBeenCalledTimes(1);
      await clock.advance(500);
      await expect(fn()).rejects.toThrow('down');

      expect(fail).toHaveBeenCalledTimes(2);
    });

    it('`timeout` lets callers go', async () => {
      const clock = fakeClock();
      const load = deferred();
      const fn = wrap(() => load.promise, { clock, timeout: 50 });
      const call = expect(fn()).rejects.toMatchObject({ code: 'ERR_ACACHE_LOAD_TIMEOUT' });
      await clock.advance(50);
      await call;
      load.resolve('late');
      await settle();

      expect(await fn()).toBe('late');
    });

    it('`maxSize` and `clone` hold', async () => {
      const fn = wrap(async (id: number) => ({ id }), { maxSize: 1, clone: structuredClone });
      await fn(1);
      await fn(2);
      const [one, other] = [await fn(2), await fn(2)];

      expect(fn.getMetrics()).toMatchObject({ size: 1, evictions: 1 });
      expect(one).toEqual(other);
      expect(one).not.toBe(other);
    });

    it('that are undefined are not given', async () => {
      const fn = wrap(async (id: number) => id, {
        key: undefined,
        tags: undefined,
        cache: undefined,
        scope: undefined,
        skipArgs: undefined,
        ttl: undefined,
        maxSize: undefined,
        name: undefined,
        tier: undefined,
      } as never);

      expect(await fn(1)).toBe(1);
    });

    it('that change after wrapping change nothing', async () => {
      const options = { skipArgs: 0, key: undefined as (() => string) | undefined };
      const fn = wrap(async (id: number) => id, options);
      options.skipArgs = 1;
      options.key = () => 'same';

      expect([await fn(1), await fn(2)]).toEqual([1, 2]);
    });
  });
});

describe('cached', () => {
  it('takes a function without options', async () => {
    const fn = cached(async (id: number) => id);

    expect(await fn(1)).toBe(1);
  });

  it('is called to decorate, or with a function', () => {
    const decorate = cached();

    expect(typeof decorate).toBe('function');
    expect(decorate(async () => 1).getMetrics().size).toBe(0);
  });
});
