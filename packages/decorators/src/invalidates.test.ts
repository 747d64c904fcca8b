import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import {
  freshTag,
  invalidationCases,
  type Database,
  type Users,
} from '../test/invalidation-cases.js';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { asCached, cached, invalidates } from './index.js';
import type { InvalidatesOptions } from './index.js';

failOnUnhandledRejections();

describe('invalidates around a function', () => {
  invalidationCases((read, write, { load, save }) => ({
    find: read(load),
    update: write(save),
  }));
});

describe('invalidates on a TC39 method', () => {
  invalidationCases((read, write, database) => {
    class Repository implements Users {
      readonly #database: Database = database;

      @read
      async find(id: number): Promise<string> {
        return this.#database.load(id);
      }

      @write
      async update(id: number): Promise<string> {
        return this.#database.save(id);
      }
    }
    return new Repository();
  });
});

describe('invalidates on a private and on a static TC39 method', () => {
  invalidationCases((read, write, database) => {
    class Repository {
      @read
      async #find(id: number): Promise<string> {
        return database.load(id);
      }
      find(id: number) {
        return this.#find(id);
      }

      @write
      static async #update(id: number, ..._rest: unknown[]): Promise<string> {
        return database.save(id);
      }
      update(id: number, ...rest: unknown[]) {
        return Repository.#update(id, ...rest);
      }
    }
    return new Repository();
  });
});

describe('a function that invalidates', () => {
  it('keeps its name, length, `this` and result', async () => {
    async function rename(this: { name: string }, _id: number, name: string): Promise<string> {
      return `${this.name} to ${name}`;
    }
    const wrapped = invalidates({ tags: [] })(rename);

    expect([wrapped.name, wrapped.length]).toEqual(['rename', 2]);
    expect(await wrapped.call({ name: 'a' }, 1, 'b')).toBe('a to b');
  });

  it('that is sync becomes async, with what it returns or throws', async () => {
    const error = new Error('no');
    const result = invalidates({ tags: [] })((n: number) => n * 2)(2);
    expect(result).toBeInstanceOf(Promise);
    expect(await result).toBe(4);
    const failed = invalidates({ tags: [] })(() => {
      throw error;
    })();

    await expect(failed).rejects.toBe(error);
  });

  it('that throws at once has made invalid all the same', async () => {
    const cache = new AsyncCache();
    let invalidations = 0;
    cache.on('invalidate', () => invalidations++);
    const fail = invalidates({ cache, tags: ['t'] })(() => {
      throw new Error('no');
    });
    await expect(fail()).rejects.toThrow('no');

    expect(invalidations).toBe(2);
  });

  it('runs each time, also at once', async () => {
    const write = jest.fn(async (id: number) => id);
    const wrapped = invalidates({ tags: [] })(write);
    await Promise.all([wrapped(1), wrapped(1)]);

    expect(write).toHaveBeenCalledTimes(2);
  });

  it('leaves no stale value either', async () => {
    const clock = fakeClock();
    const tag = freshTag();
    let calls = 0;
    const read = cached(async () => ++calls, {
      clock,
      ttl: 10,
      staleWhileRevalidate: '1h',
      staleIfError: '1h',
      tags: () => [tag],
    });
    await read();
    await clock.advance(20);
    await invalidates({ tags: [tag] })(async () => undefined)();

    expect(await read()).toBe(2);
  });

  it('keeps from being kept what it reads itself before it writes', async () => {
    const tag = freshTag();
    let value = 'old';
    const read = cached(async () => value, { tags: () => [tag] });
    const write = invalidates({ tags: [tag] })(async () => {
      const before = await read();
      value = `${before} changed`;
      return read();
    });

    expect(await write()).toBe('old');
    expect(await read()).toBe('old changed');
  });

  it('finds what instances keep apart under a key in a cache that is given', async () => {
    const cache = new AsyncCache();
    class Repository {
      calls = 0;
      @cached({ cache, key: (id: number) => `user:${id}` })
      async find(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
      @cached({ cache, key: (id: number) => ({ user: id }) })
      async findByObject(id: number): Promise<string> {
        return `${id}:${++this.calls}`;
      }
    }
    const [a, b] = [new Repository(), new Repository()];
    const all = async () => {
      const answers = [];
      for (const { find, findByObject } of [a, b].map((of) => ({
        find: asCached(of, 'find'),
        findByObject: asCached(of, 'findByObject'),
      }))) {
        answers.push(await find(1), await find(2), await findByObject(1));
      }
      return answers;
    };
    const before = await all();
    expect(await all()).toEqual(before);
    const write = invalidates({ cache, keys: (id: number) => [`user:${id}`] })(
      async (_id: number) => undefined,
    );
    await write(1);

    expect(await all()).toEqual(['1:4', '2:2', '1:3', '1:4', '2:2', '1:3']);
    await invalidates({ cache, keys: [{ user: 1 }] })(async () => undefined)();
    expect(await all()).toEqual(['1:4', '2:2', '1:5', '1:4', '2:2', '1:5']);
  });
});

describe('an option of invalidates that cannot be meant', () => {
  it.each<[options: unknown, message: string]>([
    [{}, 'invalidates needs tags or keys, got neither'],
    [{ tags: undefined }, 'invalidates needs tags or keys, got neither'],
    [{ cache: new AsyncCache() }, 'invalidates needs tags or keys, got neither'],
    [{ tags: 'user' }, "tags must be an array or a function that returns one, got 'user'"],
    [{ keys: 5 }, 'keys must be an array or a function that returns one, got 5'],
    [{ tags: null }, 'tags must be an array or a function that returns one, got null'],
    [{ tags: [], keys: {} }, 'keys must be an array or a function that returns one, got an object'],
    [
      { tags: [], cache: new Map() },
      'cache must be a Cache such as new AsyncCache(), got an instance of Map',
    ],
    [{ tags: [], cache: null }, 'cache must be a Cache such as new AsyncCache(), got null'],
    [undefined, 'the options of invalidates must be an object, got undefined'],
    [null, 'the options of invalidates must be an object, got null'],
    ['user', "the options of invalidates must be an object, got 'user'"],
  ])('is told at once: %p', (options, message) => {
    let error: unknown;
    try {
      invalidates(options as InvalidatesOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'ERR_ACACHE_INVALID_OPTION', message });
  });

  it('is told at once: tags that are no tags', () => {
    expect(() => invalidates({ tags: [5] as never })).toThrow(
      'tags must hold texts that are not empty, got 5',
    );
    expect(() => invalidates({ tags: [''] })).toThrow(
      "tags must hold texts that are not empty, got ''",
    );
  });
});
