import { AsyncCache } from '@acache/core';
import { settle } from '../../../tools/testing/deferred.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { counted } from '../test/counted.js';
import { createAgentCache, type AgentCacheRuntime, type AgentCacheSession } from './index.js';

failOnUnhandledRejections();

let runtime: AgentCacheRuntime;
let session: AgentCacheSession;

beforeEach(() => {
  runtime = createAgentCache({ cache: new AsyncCache({ maxSize: null }) });
  session = runtime.session({ loopDetection: false });
});

class Point {
  readonly x = 1;
}
class Vector {
  readonly x = 1;
}

/** A tool whose answers say how often it ran. */
const counting = (name = 'get') => {
  let runs = 0;
  return runtime.read({ name }, async (..._args: unknown[]) => ++runs);
};

describe('arguments', () => {
  it('of any two values that differ have answers of their own', async () => {
    const lists: unknown[][] = [
      ...[[], [undefined], [null], [1], ['1'], [1n], [true], ['true'], [0], [-0], [NaN], ['']],
      ...[[[]], [{}], [[undefined]], [{ a: undefined }], [{ a: null }], [new Map()], [new Set()]],
      ...[[new Date(0)], ['1970-01-01T00:00:00.000Z'], [new Map([['a', 1]])], [[['a', 1]]]],
      ...[[{ a: 1 }], [{ a: '1' }], [{ a: '1,b:2' }], [{ a: '1', b: 2 }], [{ a: { b: 2 } }]],
      ...[[1, 2], [[1, 2]], ['1,2'], ['1', '2'], [/a/], ['/a/'], [new Uint8Array([1])], [[1]]],
      ...[[new Point()], [new Vector()], [{ x: 1 }], [new URL('http://a/')], ['http://a/']],
      ...[['a', undefined], ['a'], ['a', null], [{ id: 'a:b' }], [{ id: 'a', b: undefined }]],
    ];
    const get = counting();
    await session.run(async () => {
      const answers: number[] = [];
      for (const args of lists) answers.push(await get(...args));
      expect(answers).toEqual(lists.map((_, at) => at + 1));
      for (const [at, args] of lists.entries()) expect(await get(...args)).toBe(at + 1);
    });
  });

  it('are the same in whatever order their parts are', async () => {
    const get = counting();
    const bare = Object.assign(Object.create(null) as object, { b: 2, a: 1 });
    await session.run(async () => {
      expect([await get({ a: 1, b: 2 }), await get({ b: 2, a: 1 }), await get(bare)]).toEqual([
        1, 1, 1,
      ]);
      expect([await get(new Set([1, 2])), await get(new Set([2, 1]))]).toEqual([2, 2]);
    });
  });

  it('that cannot be compared leave the call uncached, whatever they do', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const throwing = {
      get id(): never {
        throw new Error('getter');
      },
    };
    let deep: unknown = 1;
    for (let at = 0; at < 100_000; at++) deep = [deep];
    const odd = [() => 1, Symbol('a'), cycle, throwing, revoked.proxy, new WeakMap(), deep];
    const read = counted(async (_: unknown) => 1);
    const get = runtime.read({ name: 'get', resource: 'x:{id}' }, read);
    const set = runtime.mutate({ name: 'set', resource: 'x:{id}' }, async (_: unknown) => 2);
    await session.run(async () => {
      for (const value of odd) expect([await get(value), await set(value)]).toEqual([1, 2]);
    });
    expect(read.runs).toBe(odd.length);
    warn.mockRestore();
  });

  it('may be large', async () => {
    const get = counting();
    const large = () => Array.from({ length: 10_000 }, (_, id) => ({ id, text: 'x'.repeat(10) }));
    const other = large();
    other[8_000]!.text = 'y';
    await session.run(async () => {
      expect([await get(large()), await get(large()), await get(other)]).toEqual([1, 1, 2]);
    });
  });

  it('are taken as they are when the call begins, for the key and for the resource', async () => {
    const stock = new Map([['a', 0]]);
    const get = runtime.read({ name: 'get', resource: 'x:{id}' }, async (of: { id: string }) => {
      const { id } = of;
      of.id = 'changed by the tool';
      await settle();
      return stock.get(id);
    });
    const set = runtime.mutate({ name: 'set', resource: 'x:{id}' }, async (of: { id: string }) => {
      const { id } = of;
      of.id = 'changed by the tool';
      await settle();
      stock.set(id, 1);
    });
    await session.run(async () => {
      expect(await get({ id: 'a' })).toBe(0);
      const changed = { id: 'a' };
      const asked = get(changed);
      changed.id = 'changed by the caller';
      expect(await asked).toBe(0);
      expect(await get({ id: 'changed by the caller' })).toBeUndefined();
      await set({ id: 'a' });
      expect(await get({ id: 'a' })).toBe(1);
    });
  });
});

it('ids of sessions are taken for nothing else', async () => {
  const session = counting('get');
  const ids = ['g', 'global', '*', 'a', 'a:b', 'a%3Ab', 'a|b', 'é', 'e\u0301', '\0', '__proto__'];
  const answers = new Set<number>();
  for (const id of ids) {
    answers.add(await runtime.session({ id, loopDetection: false }).run(() => session('x')));
  }
  expect(answers.size).toBe(ids.length);
});

it('names of tools may be those of properties', async () => {
  const names = ['__proto__', 'constructor'];
  const tools = names.map((name) => counting(name));
  await session.run(async () => {
    for (const tool of tools) expect([await tool(), await tool()]).toEqual([1, 1]);
  });
  const { byTool } = session.getMetrics();
  expect(Object.keys(byTool)).toEqual(names);
  expect(Object.getOwnPropertyDescriptor(byTool, '__proto__')?.value).toMatchObject({ calls: 2 });
});
