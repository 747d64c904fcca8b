import { AsyncCache, type Cache } from '@acache/core';
import { cached, invalidates } from '../src/index.js';
import type {
  CachedDecorator,
  CachedOptions,
  InvalidatesDecorator,
  InvalidatesOptions,
} from '../src/index.js';
import { deferred, settle, type Deferred } from './deferred.js';

/** Reads and writes users, each as the test settles it. */
export interface Database {
  readonly load: (id: number) => Promise<string>;
  readonly save: (id: number, ...rest: unknown[]) => Promise<string>;
}

/** What is decorated: two functions, or two methods of one instance. */
export interface Users {
  find: (id: number) => Promise<string>;
  update: (id: number, ...rest: unknown[]) => Promise<string>;
}

/** Makes users whose `find` loads and whose `update` saves. */
export type MakeUsers = (
  read: CachedDecorator<CachedOptions>,
  write: InvalidatesDecorator<InvalidatesOptions>,
  database: Database,
) => Users;

interface Scene {
  readonly users: Users;
  /** The calls of the database that have begun, oldest first. */
  readonly loads: Deferred<string>[];
  readonly saves: Deferred<string>[];
  /** Reads, answered at once by `value`. */
  read(value: string): Promise<string>;
}

let count = 0;

/** A tag that no other test has, since all share the caches that `invalidates` reaches by itself. */
export const freshTag = (): string => `tag ${++count}`;

/** How `invalidates` behaves, whatever it is put on. */
export function invalidationCases(makeUsers: MakeUsers): void {
  function scene(read: CachedOptions, write: InvalidatesOptions): Scene {
    const loads: Deferred<string>[] = [];
    const saves: Deferred<string>[] = [];
    const begin = (list: Deferred<string>[]) => {
      const call = deferred<string>();
      list.push(call);
      return call.promise;
    };
    const users = makeUsers(cached(read), invalidates(write), {
      load: () => begin(loads),
      save: () => begin(saves),
    });
    return {
      users,
      loads,
      saves,
      async read(value) {
        const result = users.find(1);
        await settle();
        loads.at(-1)?.resolve(value);
        return result;
      },
    };
  }

  /** The ways in which `find` and `update` can be made to know each other. */
  const ties: readonly (readonly [string, () => [CachedOptions, InvalidatesOptions]])[] = [
    [
      'tags, in its own cache',
      () => {
        const tag = freshTag();
        return [{ tags: () => [tag] }, { tags: [tag] }];
      },
    ],
    [
      'tags by the arguments, in its own cache',
      () => {
        const tag = freshTag();
        const tags = (id: number) => [`${tag}:${id}`];
        return [{ tags }, { tags }];
      },
    ],
    [
      'keys, in its own cache',
      () => {
        const key = freshTag();
        return [{ key: () => key }, { keys: [key] }];
      },
    ],
    [
      'keys by the arguments, in its own cache',
      () => {
        const tag = freshTag();
        return [{ key: (id: number) => [tag, id] }, { keys: (id: number) => [[tag, id]] }];
      },
    ],
    [
      'tags, in a cache that is given',
      () => {
        const cache = new AsyncCache();
        const tags = (id: number) => [`user:${id}`];
        return [
          { cache, name: 'find', tags },
          { cache, tags },
        ];
      },
    ],
    [
      'keys, in a cache that is given',
      () => {
        const cache = new AsyncCache();
        const key = (id: number) => ({ user: id });
        return [
          { cache, name: 'find', key },
          { cache, keys: (id: number) => [{ user: id }] },
        ];
      },
    ],
    [
      "keys, in a cache that is given, with scope: 'class'",
      () => {
        const cache = new AsyncCache();
        const key = (id: number) => `user:${id}`;
        return [
          { cache, name: 'find', key, scope: 'class' },
          { cache, keys: (id: number) => [key(id)] },
        ];
      },
    ],
  ];

  describe.each(ties)('by %s', (_tie, options) => {
    it('makes a result invalid', async () => {
      const { users, loads, read, saves } = scene(...options());
      await read('old');
      expect(await users.find(1)).toBe('old');
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      expect(await update).toBe('saved');

      expect(await read('new')).toBe('new');
      expect(loads).toHaveLength(2);
    });

    it('does so before the write, too', async () => {
      const { users, loads, read, saves } = scene(...options());
      await read('old');
      const update = users.update(1);
      await settle();
      const reading = users.find(1);
      await settle();
      expect(loads).toHaveLength(2);
      saves[0]!.resolve('saved');
      await update;
      loads[1]!.resolve('during');

      expect(await reading).toBe('during');
    });

    it.each([
      ['resolves', (save: Deferred<string>) => save.resolve('saved'), 'saved'],
      ['rejects', (save: Deferred<string>) => save.reject('failed'), 'failed'],
    ])(
      'a read that begins before a write that %s, and ends after it, is not kept',
      async (_how, end, outcome) => {
        const { users, loads, read, saves } = scene(...options());
        const reading = users.find(1);
        await settle();
        const update = users.update(1).catch((error: unknown) => error);
        await settle();
        end(saves[0]!);
        expect(await update).toBe(outcome);
        loads[0]!.resolve('straddling');

        expect(await reading).toBe('straddling');
        expect(await read('new')).toBe('new');
      },
    );

    it('a read that begins before the write and ends during it is not kept', async () => {
      const { users, loads, read, saves } = scene(...options());
      const reading = users.find(1);
      await settle();
      const update = users.update(1);
      await settle();
      loads[0]!.resolve('straddling');
      expect(await reading).toBe('straddling');
      const again = users.find(1);
      await settle();
      expect(loads).toHaveLength(2);
      loads[1]!.resolve('during');
      expect(await again).toBe('during');
      saves[0]!.resolve('saved');
      await update;

      expect(await read('new')).toBe('new');
    });

    it.each([
      ['resolves', (save: Deferred<string>) => save.resolve('saved'), 'saved'],
      ['rejects', (save: Deferred<string>) => save.reject('failed'), 'failed'],
    ])(
      'a read that begins and ends during a write that %s is kept as long as that runs',
      async (_how, end, outcome) => {
        const { users, loads, read, saves } = scene(...options());
        const update = users.update(1).catch((error: unknown) => error);
        await settle();
        expect(await read('during')).toBe('during');
        expect(await users.find(1)).toBe('during');
        expect(loads).toHaveLength(1);
        end(saves[0]!);
        expect(await update).toBe(outcome);

        expect(await read('new')).toBe('new');
      },
    );

    it('a read that begins during the write and ends after it is not kept', async () => {
      const { users, loads, read, saves } = scene(...options());
      const update = users.update(1);
      await settle();
      const reading = users.find(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;
      const after = users.find(1);
      await settle();
      expect(loads).toHaveLength(2);
      loads[0]!.resolve('straddling');
      loads[1]!.resolve('new');

      expect([await reading, await after]).toEqual(['straddling', 'new']);
      expect(await read('newer')).toBe('new');
    });

    it('a read between two writes that overlap is not kept', async () => {
      const { users, read, saves } = scene(...options());
      const updates = [users.update(1), users.update(1)];
      await settle();
      saves[0]!.resolve('first');
      await updates[0];
      expect(await read('between')).toBe('between');
      saves[1]!.resolve('second');
      await updates[1];

      expect(await read('new')).toBe('new');
    });

    it('leaves a read alone that begins after it', async () => {
      const { users, loads, read, saves } = scene(...options());
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;
      await read('new');

      expect(await users.find(1)).toBe('new');
      expect(loads).toHaveLength(1);
    });
  });

  describe('tags and keys', () => {
    it('by the arguments are asked for once a call, and for all of them', async () => {
      const tags = jest.fn((..._args: unknown[]) => [freshTag()]);
      const keys = jest.fn((..._args: unknown[]) => [freshTag()]);
      const { users, saves } = scene({}, { tags, keys });
      const update = users.update(1, 'name', { full: true });
      await settle();
      saves[0]!.resolve('saved');
      await update;

      expect(tags.mock.calls).toEqual([[1, 'name', { full: true }]]);
      expect(keys.mock.calls).toEqual([[1, 'name', { full: true }]]);
    });

    it('may both be given', async () => {
      const cache = new AsyncCache();
      const { users, saves } = scene({}, { cache, tags: ['t'], keys: (id: number) => [id, 'k'] });
      await cache.set('tagged', 1, { tags: ['t'] });
      await cache.set(1, 1);
      await cache.set('k', 1);
      await cache.set('other', 1);
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;

      expect(cache.size).toBe(1);
    });

    it('may be none', async () => {
      const { users, saves } = scene({}, { tags: () => [], keys: [] });
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');

      expect(await update).toBe('saved');
    });

    it.each<[what: string, options: InvalidatesOptions, message: string]>([
      ['a text for tags', { tags: () => 'user' as never }, "tags must be an array, got 'user'"],
      [
        'nothing for tags',
        { tags: () => undefined as never },
        'tags must be an array, got undefined',
      ],
      ['a number for keys', { keys: () => 5 as never }, 'keys must be an array, got 5'],
      [
        'a number for a tag',
        { cache: new AsyncCache(), tags: () => [5] as never },
        'tags must hold texts that are not empty, got 5',
      ],
      [
        'an error',
        {
          tags: () => {
            throw new Error('no tags');
          },
        },
        'no tags',
      ],
      [
        'an error for keys',
        {
          tags: [],
          keys: () => {
            throw new Error('no keys');
          },
        },
        'no keys',
      ],
    ])('that come to %s reject before the write', async (_what, options, message) => {
      const { users, saves } = scene({}, options);

      await expect(users.update(1)).rejects.toThrow(message);
      expect(saves).toHaveLength(0);
    });

    it('that cannot be keys reject before the write, and nothing else', async () => {
      const { users, saves } = scene({}, { cache: new AsyncCache(), keys: () => [() => 1] });

      await expect(users.update(1)).rejects.toMatchObject({ code: 'ERR_ACACHE_UNKEYABLE' });
      expect(saves).toHaveLength(0);
    });

    it('are those of before the write, whatever becomes of the array', async () => {
      const tag = freshTag();
      const { users, loads, read, saves } = scene(
        { tags: () => [tag] },
        { tags: (_id: number, tags: string[]) => tags },
      );
      const tags = [tag];
      const update = users.update(1, tags);
      await settle();
      tags.length = 0;
      await read('during');
      saves[0]!.resolve('saved');
      await update;

      expect(await read('new')).toBe('new');
      expect(loads).toHaveLength(2);
    });
  });

  it('of keys that are symbols make invalid, too', async () => {
    const key = Symbol('key');
    const cache = new AsyncCache();
    const ties: [CachedOptions, InvalidatesOptions][] = [
      [{ key: () => key }, { keys: [key] }],
      [
        { key: () => key, cache, name: 'find', scope: 'class' },
        { keys: () => [key], cache },
      ],
    ];
    for (const options of ties) {
      const { users, read, saves } = scene(...options);
      await read('old');
      const update = users.update(1);
      update.catch(() => undefined);
      await settle();
      saves[0]?.resolve('saved');
      expect(await update).toBe('saved');
      expect(await read('new')).toBe('new');
    }
  });

  it('are those of before the write, whatever becomes of a key that is an object', async () => {
    const tag = freshTag();
    const { users, loads, read, saves } = scene(
      { key: () => ({ tag, at: 1 }) },
      { keys: (_id: number, key: object) => [key] },
    );
    const key = { tag, at: 1 };
    const update = users.update(1, key);
    await settle();
    key.at = 2;
    await read('during');
    saves[0]!.resolve('saved');
    await update;

    expect(await read('new')).toBe('new');
    expect(loads).toHaveLength(2);
  });

  describe('an invalidation', () => {
    /** A cache whose invalidations fail as the test has it. */
    function failingCache(fails: (invalidation: number) => boolean): Cache {
      const cache = new AsyncCache();
      let invalidations = 0;
      cache.invalidateTags = () =>
        fails(++invalidations) ? Promise.reject(new Error('cache is down')) : Promise.resolve();
      return cache;
    }

    it('that fails before the write keeps it from running', async () => {
      const cache = failingCache(() => true);
      const { users, saves } = scene({}, { cache, tags: ['t'] });

      await expect(users.update(1)).rejects.toThrow('cache is down');
      expect(saves).toHaveLength(0);
    });

    it('that fails after the write rejects', async () => {
      const cache = failingCache((invalidation) => invalidation === 2);
      const { users, saves } = scene({}, { cache, tags: ['t'] });
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');

      await expect(update).rejects.toThrow('cache is down');
    });

    it('that fails after a write that failed leaves the error of the write', async () => {
      const cache = failingCache((invalidation) => invalidation === 2);
      const { users, saves } = scene({}, { cache, tags: ['t'] });
      const update = users.update(1);
      await settle();
      const error = new Error('no write');
      saves[0]!.reject(error);

      await expect(update).rejects.toBe(error);
    });

    it('of a cache that is closed is none, and the write goes on', async () => {
      const cache = new AsyncCache();
      const { users, saves } = scene({}, { cache, tags: ['t'], keys: ['k'] });
      await cache.close();
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');

      expect(await update).toBe('saved');
    });

    it('of a cache that is closed meanwhile is none', async () => {
      const cache = new AsyncCache();
      const { users, saves } = scene({}, { cache, tags: ['t'], keys: ['k'] });
      const update = users.update(1);
      await settle();
      await cache.close();
      saves[0]!.resolve('saved');

      expect(await update).toBe('saved');
    });

    it('comes before and after the write', async () => {
      const cache = new AsyncCache();
      const log: string[] = [];
      cache.on('invalidate', () => log.push('invalidated'));
      const options: InvalidatesOptions = { cache, tags: ['t'] };
      const users = makeUsers(cached(), invalidates(options), {
        load: () => Promise.resolve(''),
        save: async () => {
          log.push('write begins');
          await settle();
          log.push('write ends');
          return 'saved';
        },
      });
      await users.update(1);

      expect(log).toEqual(['invalidated', 'write begins', 'write ends', 'invalidated']);
    });
  });

  describe('without a cache', () => {
    it('reaches functions with tags that have a cache of their own, and no others', async () => {
      const tag = freshTag();
      const calls = { tagged: 0, untagged: 0, given: 0 };
      const cache = new AsyncCache();
      const tags = () => [tag];
      const tagged = cached(async () => ++calls.tagged, { tags });
      const untagged = cached(async () => ++calls.untagged, { key: () => tag });
      const given = cached(async () => ++calls.given, { tags, cache, name: 'given' });
      const all = () => Promise.all([tagged(), untagged(), given()]);
      await cache.set('mine', 1, { tags: tags() });
      await all();
      const { users, saves } = scene({}, { tags });
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;

      expect(await all()).toEqual([2, 1, 1]);
      expect(cache.has('mine')).toBe(true);
    });

    it('reaches functions with a key that have a cache of their own, and no others', async () => {
      const key = freshTag();
      const calls = { keyed: 0, unkeyed: 0, given: 0 };
      const cache = new AsyncCache();
      const keyed = cached(async () => ++calls.keyed, { key: () => key });
      const unkeyed = cached(async (_key: string) => ++calls.unkeyed, { tags: () => [key] });
      const given = cached(async () => ++calls.given, { key: () => key, cache, name: 'given' });
      const all = () => Promise.all([keyed(), unkeyed(key), given()]);
      await all();
      const { users, saves } = scene({}, { keys: [key] });
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;

      expect(await all()).toEqual([2, 1, 1]);
    });

    it('reaches each instance of a class', async () => {
      const tag = freshTag();
      class Reader {
        calls = 0;
        readonly find: () => Promise<number> = cached(async () => ++this.calls, {
          tags: () => [tag],
        });
      }
      const readers = [new Reader(), new Reader()];
      for (const reader of readers) await reader.find();
      const { users, saves } = scene({}, { tags: [tag] });
      const update = users.update(1);
      await settle();
      saves[0]!.resolve('saved');
      await update;

      expect(await Promise.all(readers.map((reader) => reader.find()))).toEqual([2, 2]);
    });
  });

  it('with a cache leaves the caches of functions alone', async () => {
    const tag = freshTag();
    let calls = 0;
    const tagged = cached(async () => ++calls, { tags: () => [tag], key: () => tag });
    await tagged();
    const { users, saves } = scene({}, { cache: new AsyncCache(), tags: [tag], keys: [tag] });
    const update = users.update(1);
    await settle();
    saves[0]!.resolve('saved');
    await update;

    expect(await tagged()).toBe(1);
  });
}
