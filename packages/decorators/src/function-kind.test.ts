import { failOnUnhandledRejections } from '../test/unhandled.js';
import { WRAPPERS } from '../test/wrappers.js';
import { invalidates } from './index.js';
import type { AnyFunction } from './index.js';

failOnUnhandledRejections();

const all = [
  ...WRAPPERS.map(([name, wrap]) => [name, wrap, name.replace(/\(.*/s, '')] as const),
  ['invalidates(options)(fn)', (fn: AnyFunction) => invalidates({ tags: [] })(fn), 'invalidates'],
] as const;

async function* pages(): AsyncGenerator<number> {
  yield 1;
}
function* numbers(): Generator<number> {
  yield 1;
}
class User {}
const why = 'what one caller has read of it is gone for the next';

describe.each(all)('%s', (_form, wrap, who) => {
  const wrapAny = wrap as (fn: unknown) => AnyFunction;

  it.each<[what: string, fn: unknown, message: string]>([
    [
      'an async generator',
      pages,
      `${who} takes a function that returns its result at once or promises it, got a generator 'pages': ${why}`,
    ],
    [
      'a generator',
      numbers,
      `${who} takes a function that returns its result at once or promises it, got a generator 'numbers': ${why}`,
    ],
    [
      'a generator without a name',
      (() => function* () {})(),
      `${who} takes a function that returns its result at once or promises it, got a generator: ${why}`,
    ],
    [
      'an async generator that is a method of an object',
      { async *pages() {} }.pages,
      `${who} takes a function that returns its result at once or promises it, got a generator 'pages': ${why}`,
    ],
    ['a class', User, `${who} takes a function, got the class User`],
    ['a subclass', class Admin extends User {}, `${who} takes a function, got the class Admin`],
    [
      'a class without a name',
      (() => class {})(),
      `${who} takes a function, got the class expression`,
    ],
  ])('refuses %s when it is wrapped', (_what, fn, message) => {
    let error: unknown;
    try {
      wrapAny(fn);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'ERR_ACACHE_INVALID_OPTION', message });
  });

  it('takes a method of an object', async () => {
    const object = { one: async () => 1, async two() {}, three() {}, async classify() {} };
    for (const fn of Object.values(object)) {
      expect(typeof wrapAny(fn)).toBe('function');
    }
  });

  it('takes a method whose name is `class`', async () => {
    const school = {
      class(id: number) {
        return Promise.resolve(`class ${id}`);
      },
      class$(id: number) {
        return Promise.resolve(`class ${id}`);
      },
    };
    for (const fn of Object.values(school)) {
      expect(await wrapAny(fn)(1)).toBe('class 1');
    }
  });

  it.each([
    ['a generator', numbers],
    ['an async generator', pages],
  ])(
    'refuses a call that returns %s, as one compiled for an older platform does',
    async (_w, f) => {
      const down = jest.fn(() => f());
      Object.defineProperty(down, 'name', { value: 'down' });
      const fn = wrapAny(down);
      for (let call = 0; call < 2; call++) {
        await expect(fn()).rejects.toMatchObject({
          code: 'ERR_ACACHE_GENERATOR',
          message: `down returned a generator, which cannot be cached: ${why}`,
        });
      }
      expect(down).toHaveBeenCalledTimes(2);
    },
  );

  it('tells a generator of a function without a name', async () => {
    const fn = wrapAny(
      (
        () => () =>
          numbers()
      )(),
    );

    await expect(fn()).rejects.toThrow('an anonymous function returned a generator');
  });

  it.each([
    ['an array', [1]],
    ['a Map', new Map()],
    ['a text', 'text'],
    ['bytes', new Uint8Array(2)],
    ['an iterable', { [Symbol.iterator]: () => [][Symbol.iterator]() }],
    ['a linked list with `next`', { next: { next: null } }],
    ['null', null],
    ['a function', () => 1],
  ])('takes a function that returns %s', async (_what, value) => {
    expect(await wrapAny(() => value)()).toBe(value);
  });
});

describe.each(WRAPPERS)('%s', (_form, wrap) => {
  it('refuses a call that promises a generator', async () => {
    const fn = wrap(async () => pages());

    await expect(fn()).rejects.toMatchObject({ code: 'ERR_ACACHE_GENERATOR' });
  });

  it('refuses a refresh that returns a generator', async () => {
    const fn = wrap(() => numbers());

    await expect(fn.refresh()).rejects.toMatchObject({ code: 'ERR_ACACHE_GENERATOR' });
  });
});

describe.each(all.slice(1))('%s', (_form, wrap, who) => {
  it.each([
    ['nothing', undefined, 'undefined'],
    ['a text', 'find', "'find'"],
    ['a promise', Promise.resolve(), 'an instance of Promise'],
  ])('refuses %s', (_what, value, described) => {
    expect(() => (wrap as (fn: unknown) => unknown)(value)).toThrow(
      `${who} takes a function, got ${described}`,
    );
  });
});
