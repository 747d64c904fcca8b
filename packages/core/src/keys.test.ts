import { AsyncCache, CacheError, encodeKey, makeKey } from './index.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

/** Keys of which no two are one. */
const different: readonly unknown[] = [
  1,
  '1',
  1n,
  0,
  '0',
  '-0',
  true,
  'true',
  false,
  'false',
  null,
  'null',
  undefined,
  'undefined',
  NaN,
  'NaN',
  Infinity,
  'Infinity',
  '',
  ' ',
  '\0',
  '\0\0',
  '\0\0\0',
  '\u0001',
  '\uD800',
  '\uDC00',
  '\uFFFD',
  'é',
  'e\u0301',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '[object Object]',
  '{}',
  '[]',
  '[1]',
  '["user",1]',
  'user,1',
  Symbol('s'),
  Symbol('s'),
  Symbol.for('s'),
  {},
  [],
  [1],
  ['1'],
  [1n],
  [[1]],
  [null],
  [undefined],
  ['user', 1],
  ['user', '1'],
  ['user,1'],
  { user: 1 },
  { user: '1' },
  { 0: 'user', 1: 1 },
  { a: 1, b: 2 },
  { a: 1, b: undefined },
  { a: { b: 1 } },
  { 'a.b': 1 },
  { a: [1] },
  [{ a: 1 }],
  [0],
  [-0],
  [NaN],
  ['__proto__'],
  JSON.parse('{"__proto__":1}'),
  JSON.parse('{"__proto__":{"a":1}}'),
  JSON.parse('{"constructor":1}'),
  new Date(0),
  new Date(1),
  [new Date(0)],
  new Map([['a', 1]]),
  new Map([[1, 'a']]),
  new Set(['a']),
  new Set([1]),
  [new Set()],
  [new Map()],
  new URL('https://example.org/'),
  /a/,
  /a/g,
  new Uint8Array([1]),
  new Uint16Array([1]),
  new Point(1, 2),
  new Point(2, 1),
  { x: 1, y: 2 },
];

/** Texts that look like what an object's key might have become inside. */
const lookalikes = [['user', 1], { a: 1 }, [1], {}, [], [''], ['\0']].flatMap((key) => {
  const inside = [encodeKey(key), makeKey('', [key]), makeKey('get', [key]), JSON.stringify(key)];
  return inside.flatMap((text) => [text, `\0${text}`, `\0\0${text}`, `\0\0\0${text}`]);
});

describe('keys', () => {
  it('are told apart: each finds its own value', async () => {
    const keys = [...new Set([...different, ...lookalikes])];
    const cache = new AsyncCache<unknown, number>({ maxSize: null });
    for (const [at, key] of keys.entries()) {
      expect(cache.has(key)).toBe(false);
      await cache.set(key, at);
    }

    expect(cache.size).toBe(keys.length);
    for (const [at, key] of keys.entries()) expect(await cache.get(key)).toBe(at);
    for (const [at, key] of keys.entries()) {
      expect(await cache.delete(key)).toBe(true);
      expect(cache.size).toBe(keys.length - 1 - at);
    }
  });

  it('that are primitives are the same as in a Map', async () => {
    const cache = new AsyncCache();
    await cache.set(NaN, 'NaN');
    await cache.set(0, 'zero');
    const symbol = Symbol('s');
    await cache.set(symbol, 'symbol');
    await cache.set(10n, 'ten');

    expect(cache.peek(NaN)).toBe('NaN');
    expect(cache.peek(-0)).toBe('zero');
    expect(cache.peek(symbol)).toBe('symbol');
    expect(cache.peek(BigInt(10))).toBe('ten');
  });

  it('share the load that runs, whether it is the only one or not', async () => {
    for (const key of different) {
      const cache = new AsyncCache<unknown, string>();
      const load = jest.fn(() => Promise.resolve('value'));
      await Promise.all([cache.get(key, load), cache.get('other', load), cache.get(key, load)]);

      expect(load).toHaveBeenCalledTimes(2);
    }
  });

  it.each([
    [
      ['user', 1],
      ['user', 1],
    ],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [[{ a: [1, { b: null }] }], [{ a: [1, { b: null }] }]],
    [[NaN], [NaN]],
    [new Date(5), new Date(5)],
    [
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    [new Set([1, 2]), new Set([2, 1])],
    [[undefined], Array(1)],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ] as [unknown, unknown][])('%j finds what was stored under %j', async (stored, asked) => {
    const cache = new AsyncCache();
    await cache.set(stored, 'v');

    expect(cache.peek(asked)).toBe('v');
    expect(cache.has(asked)).toBe(true);
    expect(await cache.get(asked, () => 'loaded')).toBe('v');
    expect((await cache.getMany([asked])).get(asked)).toBe('v');
    expect(await cache.expire(asked)).toBe(true);
    await cache.set(stored, 'v');
    expect(await cache.delete(asked)).toBe(true);
    expect(cache.size).toBe(0);
  });

  it('by value share one load', async () => {
    const cache = new AsyncCache<unknown, number>();
    const loader = jest.fn(() => Promise.resolve(1));
    await Promise.all([
      cache.get({ id: 1, kind: 'user' }, loader),
      cache.get({ kind: 'user', id: 1 }, loader),
    ]);

    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('reach the loader and the functions of the options as they were given', async () => {
    const seen: unknown[] = [];
    const note =
      <T>(result: T) =>
      (_value: unknown, key: unknown) => (seen.push(key), result);
    const key = ['user', 1];
    const cache = new AsyncCache({
      ttl: note('1s' as const),
      maxWeight: 5,
      weigh: note(1),
      errorTtl: note(0),
    });
    await cache.get(key, {
      loader: (given: unknown) => (seen.push(given), 1),
      tags: note(['t']),
    });
    await cache.get(['user', 2], { loader: () => Promise.reject(new Error('x')) }).catch(() => 0);

    expect(seen).toHaveLength(5);
    for (const given of seen.slice(0, 4)) expect(given).toBe(key);
    expect(seen[4]).toEqual(['user', 2]);
  });

  it('that change after a call change nothing in the cache', async () => {
    const cache = new AsyncCache<unknown, number>();
    const key = { id: 1 };
    await cache.set(key, 1);
    key.id = 2;

    expect(cache.has(key)).toBe(false);
    expect(cache.peek({ id: 1 })).toBe(1);
    await cache.set({ id: 3 }, 3, { tags: ['t'] });
    await cache.invalidateTags('t');
    expect(cache.size).toBe(1);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ['a function', () => 1],
    ['a class', Point],
    ['a symbol inside', [Symbol('s')]],
    ['a function inside', { f: () => 1 }],
    ['a cycle', cycle],
  ])('that is %s is refused by every call, and nothing is loaded', async (_what, key) => {
    const cache = new AsyncCache();
    const loader = jest.fn(() => 1);
    const calls: (() => unknown)[] = [
      () => cache.get(key),
      () => cache.get(key, loader),
      () => cache.getWithMeta(key, loader),
      () => cache.getMany([key], { loader }),
      () => cache.peek(key) as unknown,
      () => cache.has(key),
      () => cache.set(key, 1),
      () =>
        cache.setMany([
          ['ok', 0],
          [key, 1],
        ]),
      () => cache.delete(key),
      () => cache.expire(key),
      () => cache.warmup([[key, loader]]),
    ];
    for (const call of calls.slice(0, -1)) {
      const error: unknown = await (async () => call())().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect([String(call), error]).toEqual([String(call), expect.any(CacheError)]);
      expect((error as CacheError).code).toBe('ERR_ACACHE_UNKEYABLE');
    }
    await (async () => calls.at(-1)!())().catch(() => undefined);
    expect(loader).not.toHaveBeenCalled();
    expect(cache.size).toBe(0);
    expect(cache.getMetrics()).toMatchObject({ loads: 0 });
  });

  it('called __proto__ pollute nothing', async () => {
    const cache = new AsyncCache<string, unknown>();
    const evil: unknown = JSON.parse('{"polluted":true}');
    await cache.set('__proto__', evil, { tags: ['__proto__', 'constructor'] });
    await cache.get('constructor', () => evil);
    await cache.getMany(['__proto__', 'a'], () =>
      Promise.resolve(JSON.parse('{"__proto__":{"polluted":true},"a":1}') as never),
    );
    await cache.warmup(JSON.parse('{}') as never);
    await cache.invalidateTags('__proto__');

    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.prototype).not.toHaveProperty('polluted');
    expect(cache.has('__proto__')).toBe(false);
    expect(cache.has('constructor')).toBe(true);
  });
});
