import { copyFile } from 'node:fs/promises';
import { contentOf, inOwnFolder, openCache } from './looking.js';

const text = {
  serialize: (value: unknown): Uint8Array => Buffer.from(String(value)),
  deserialize: (bytes: Uint8Array): unknown => Buffer.from(bytes).toString(),
};

jest.setTimeout(30_000);

describe('odd keys and values in a file', () => {
  it('keeps keys apart that look alike, in any encoding and of any length', async () => {
    await inOwnFolder(async (_, file) => {
      const keys = [
        '',
        '\0',
        '\ud800',
        '\udc00',
        '\ud801',
        '\ufffd',
        '\ud800\ud800',
        1,
        '1',
        0,
        NaN,
        'NaN',
        1n,
        true,
        'true',
        null,
        'null',
        undefined,
        'undefined',
        [],
        {},
        [[]],
        [1],
        ['1'],
        { a: 1 },
        { a: '1' },
        new Date(5),
        new Map([[1, 2]]),
        new Set([1]),
        /x/g,
        new Uint8Array([1, 2]),
        '__proto__',
        's1:a',
        'x'.repeat(2e5),
        `${'x'.repeat(2e5)}y`,
        '\ud800'.repeat(70_000),
        '\u00e9',
        'e\u0301',
      ];
      const cache = openCache(file);
      for (const [at, key] of keys.entries()) await cache.set(key, at);
      expect(cache.size).toBe(keys.length);
      await cache.flush();
      await cache.close();
      expect([...(await contentOf(file, keys)).values()]).toEqual([...keys.keys()]);
    });
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    [
      'a getter that throws',
      {
        get x() {
          throw new Error('boom');
        },
      },
    ],
  ])('does not bring back the value that %s replaced, whenever it did', async (_, value) => {
    await inOwnFolder(async (folder, file) => {
      const cache = openCache(file);
      await cache.setMany([
        ['k', 'old'],
        ['j', 'kept'],
      ]);
      await cache.flush();
      await cache.set('k', value);
      await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_UNSERIALIZABLE' });
      await copyFile(file, `${folder}/image`);
      await cache.flush();
      await cache.close();
      for (const at of [file, `${folder}/image`])
        expect(await contentOf(at, ['k', 'j'])).toEqual(new Map([['j', 'kept']]));
    });
  });

  it('takes changes that a value makes while it is written', async () => {
    await inOwnFolder(async (_, file) => {
      const cache = openCache(file);
      let reads = 0;
      await cache.set('gone', 1);
      await cache.set('k', {
        get x() {
          if (reads++ === 0)
            void Promise.all([cache.set('k', 'newer'), cache.delete('gone'), cache.set('more', 1)]);
          return 1;
        },
      });
      await cache.flush();
      await cache.flush();
      await cache.flush();
      await cache.close();
      expect(await contentOf(file, ['k', 'gone', 'more'])).toEqual(
        new Map<string, unknown>([
          ['k', 'newer'],
          ['more', 1],
        ]),
      );
    });
  });

  it.each<[string, unknown]>([
    ['a text', 'abc'],
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an array', [1]],
    ['a promise', Promise.resolve(new Uint8Array(1))],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['a DataView', new DataView(new ArrayBuffer(4))],
    ['a Float64Array', new Float64Array(2)],
    ['a proxy', new Proxy(new Uint8Array(4), {})],
  ])('refuses %s from a serializer, and keeps its neighbours', async (_, output) => {
    await inOwnFolder(async (__, file) => {
      const serializer = {
        ...text,
        serialize: (value: unknown) =>
          value === 'odd' ? (output as Uint8Array) : text.serialize(value),
      };
      const cache = openCache(file, { serializer });
      await cache.set('k', 'old');
      await cache.flush();
      await cache.setMany([
        ['before', 'b'],
        ['k', 'odd'],
        ['after', 'a'],
      ]);
      await expect(cache.flush()).rejects.toThrow();
      await expect(cache.flush()).resolves.toBeUndefined();
      await cache.flush();
      await cache.close();
      expect(await contentOf(file, ['before', 'k', 'after'], { serializer })).toEqual(
        new Map([
          ['before', 'b'],
          ['after', 'a'],
        ]),
      );
    });
  });

  it('copies what a serializer gives, and gives copies to it', async () => {
    await inOwnFolder(async (_, file) => {
      const shared = Buffer.alloc(300_000);
      const serializer = {
        serialize: (value: unknown) => shared.fill(value as number),
        deserialize: (bytes: Uint8Array) => {
          const first = bytes[0];
          bytes.fill(0);
          return first;
        },
      };
      const keys = Array.from({ length: 20 }, (__, at) => at);
      const cache = openCache(file, { serializer });
      for (const key of keys) void cache.set(key, key);
      await cache.flush();
      await cache.close();
      const again = openCache(file, { serializer });
      for (const key of keys) expect(await again.get(key)).toBe(key);
      for (const key of keys.slice(0, 15)) void again.delete(key);
      await again.flush();
      await again.close();
      expect([...(await contentOf(file, keys, { serializer })).values()]).toEqual(keys.slice(15));
    });
  });
});
