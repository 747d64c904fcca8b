import fc from 'fast-check';
import { makeKey } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { failOnUnhandledRejections } from '../test/unhandled.js';
import { cached } from './index.js';

failOnUnhandledRejections();

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

/** Lists of arguments that a function may tell apart, and some that it may not. */
const LISTS: readonly unknown[][] = [
  [],
  [undefined],
  [undefined, undefined],
  [null],
  [0],
  [-0],
  [NaN],
  [NaN],
  [1],
  ['1'],
  [1n],
  [true],
  ['true'],
  [[1]],
  [[[1]]],
  [['1']],
  [[0]],
  [[-0]],
  [1, undefined],
  [1, 2],
  [[1, 2]],
  [''],
  ['\0'],
  ['\0[n1;]'],
  ['a', 'b'],
  ['a,b'],
  [{}],
  [{ a: 1, b: 2 }],
  [{ b: 2, a: 1 }],
  [{ a: 1, b: '2' }],
  [{ a: 1, b: 2, c: undefined }],
  [new Map([['a', 1]])],
  [new Map([['a', 1]])],
  [new Set([1, 2])],
  [new Set([2, 1])],
  [new Date(0)],
  [new Date(0)],
  [new Date(1)],
  [/a/g],
  [/a/i],
  [new Point(1, 2)],
  [new Point(1, 2)],
  [new Uint8Array([1])],
  [new Uint16Array([1])],
];

/** Whether a call with `b` is answered by the result of one with `a`. */
async function shared(a: readonly unknown[], b: readonly unknown[], skipArgs = 0) {
  let calls = 0;
  const fn = cached(async (..._args: unknown[]) => ++calls, { skipArgs });
  await fn(...a);
  return (await fn(...b)) === 1;
}

describe('a function with a cache of its own', () => {
  it('tells arguments apart as makeKey does', async () => {
    const wrong: unknown[] = [];
    for (const a of LISTS) {
      for (const b of LISTS) {
        const same = makeKey('fn', a) === makeKey('fn', b);
        if ((await shared(a, b)) !== same) wrong.push({ a, b, same });
      }
    }

    expect(wrong).toEqual([]);
  });

  it('tells any arguments apart as makeKey does, skipped ones left out', async () => {
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(undefined, null, 0, -0, NaN, '', '\0', 1, '1', true),
      fc.string({ maxLength: 3 }),
      fc.integer({ min: -2, max: 2 }),
    );
    const value = fc.oneof(
      leaf,
      fc.array(leaf, { maxLength: 2 }),
      fc.record({ a: leaf, b: leaf }, { requiredKeys: [] }),
    );
    const args = fc.array(value, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(args, args, fc.nat(2), async (a, b, skipArgs) => {
        const same = makeKey('fn', a, skipArgs) === makeKey('fn', b, skipArgs);
        expect(await shared(a, b, skipArgs)).toBe(same);
      }),
      { numRuns: 300 },
    );
  });

  it('goes by what the arguments were when it was called', async () => {
    const find = jest.fn(async (query: { page: number }, ids: number[]) => [query.page, ...ids]);
    const fn = cached(find);
    const query = { page: 1 };
    const ids = [1];
    const first = fn(query, ids);
    query.page = 2;
    ids.push(2);
    await first;
    await fn(query, ids);
    await fn({ page: 1 }, [1]);
    await fn({ page: 2 }, [1, 2]);

    expect(find).toHaveBeenCalledTimes(2);
  });

  it('goes by what the arguments were before the function changed them', async () => {
    const drain = jest.fn(async (ids: number[]) => ids.splice(0).length);
    const fn = cached(drain);

    expect(await fn([1, 2])).toBe(2);
    expect(await fn([1, 2])).toBe(2);
    expect(await fn([])).toBe(0);
    expect(drain).toHaveBeenCalledTimes(2);
  });

  it('asks an object for its own idea of a key', async () => {
    class Session {
      readonly at = Math.random();
      constructor(readonly user: number) {}
      toCacheKey() {
        return this.user;
      }
    }
    const find = jest.fn(async (session: Session) => session.user);
    const fn = cached(find);
    await fn(new Session(1));
    await fn(new Session(1));
    await fn(new Session(2));

    expect(find).toHaveBeenCalledTimes(2);
  });

  it('is named by its function in errors, unless it is given a name', async () => {
    const clock = fakeClock();
    async function findUser(): Promise<never> {
      return new Promise(() => undefined);
    }
    const options = { clock, timeout: 5 };
    const calls = [cached(findUser, options)(), cached(findUser, { ...options, name: 'users' })()];
    const outcomes = Promise.allSettled(calls);
    await clock.advance(5);
    const messages = (await outcomes).map((outcome) =>
      String((outcome as PromiseRejectedResult).reason),
    );

    expect(messages[0]).toContain("cache 'findUser'");
    expect(messages[1]).toContain("cache 'users'");
  });
});
