import { failOnUnhandledRejections } from '../test/outcome.js';
import { AsyncCache } from './index.js';

failOnUnhandledRejections();

/** Keys that differ, though texts, numbers or hashes of theirs may not. */
const odd: readonly unknown[] = [
  ...[-0, 1, NaN, Infinity, -Infinity, 0n, 1n, true, false, undefined, null, Symbol.for('x')],
  ...['', '\0', '\0\0', '\0a', 'a', 'undefined', 'null', 'NaN', '0', '1', '0n', 'true', 'false'],
  ...['{}', '[]', '\0{}', '\0[]', 'o', 'n0', 's0:'],
  ...[{}, { a: 1 }, [], [undefined], [0], [''], new Date(0), new Map(), new Set()],
];

type Asked = { readonly key: unknown };

describe('callers who come all at once, for keys that are nearly the same', () => {
  it.each<[string, (cache: AsyncCache<unknown, Asked>, key: unknown) => unknown]>([
    ['nothing', () => undefined],
    ['a delete', (cache, key) => cache.delete(key)],
    ['a set', (cache, key) => cache.set(key, { key })],
    ['a clear', (cache) => cache.clear()],
    ['an invalidation', (cache) => cache.invalidateTags('t')],
  ])('each get the value of their key, with %s between them', async (_, between) => {
    const cache = new AsyncCache<unknown, Asked>({ maxSize: null });
    const load = async (key: unknown): Promise<Asked> => {
      await Promise.resolve();
      return { key };
    };
    const asked: [unknown, Promise<Asked>][] = [];
    const ask = (key: unknown) => asked.push([key, cache.get(key, load)]);
    for (let round = 0; round < 3; round++) {
      for (const [at, key] of odd.entries()) {
        for (const other of [key, key, odd[0], odd[(at + 1) % odd.length], key]) ask(other);
        void between(cache, key);
        ask(key);
      }
      await Promise.resolve();
    }
    for (const [key, got] of asked) expect((await got).key).toBe(key);
  });

  it('share one load for each key, whose value stays under it', async () => {
    const cache = new AsyncCache<unknown, number>({ maxSize: null });
    let loads = 0;
    const load = async (): Promise<number> => Promise.resolve(loads++);
    const gets = odd.flatMap((key) => [cache.get(key, load), cache.get(key, load)]);
    await Promise.all(gets);
    expect(loads).toBe(odd.length);
    expect(odd.map((key) => cache.peek(key))).toEqual([...odd.keys()]);
  });

  it('share the load of what an object was when they asked', async () => {
    const cache = new AsyncCache<{ id: number }, number>();
    const load = ({ id }: { id: number }): Promise<number> => Promise.resolve(id);
    const key = { id: 1 };
    const first = cache.get(key, load);
    key.id = 2;
    const gets = [first, cache.get(key, load), cache.get({ id: 1 }, load)];
    expect(await Promise.all(gets)).toEqual([1, 2, 1]);
    expect(cache.peek({ id: 1 })).toBe(1);
  });
});
