import { deferred, settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import type { AsyncCacheOptions } from './index.js';

function present(cache: AsyncCache<number, number>, upTo: number): number[] {
  return Array.from({ length: upTo }, (_, key) => key).filter((key) => cache.has(key));
}

async function filled(options: AsyncCacheOptions<number, number>, count: number) {
  const cache = new AsyncCache<number, number>(options);
  for (let key = 0; key < count; key++) await cache.set(key, key);
  return cache;
}

describe('maxSize', () => {
  it('is 128 by default', async () => {
    const cache = await filled({}, 129);

    expect(cache.size).toBe(128);
    expect(cache.has(0)).toBe(false);
    expect(cache.getMetrics().evictions).toBe(1);
  });

  it.each([null, Infinity])('%p is unbounded', async (maxSize) => {
    const cache = await filled({ maxSize }, 5_000);

    expect(cache.size).toBe(5_000);
    expect(cache.getMetrics().evictions).toBe(0);
  });

  it('0 stores nothing, and callers share loads', async () => {
    const cache = new AsyncCache<string, number>({ maxSize: 0 });
    const load = deferred<number>();
    const loader = jest.fn(() => load.promise);
    const gets = [cache.get('k', loader), cache.get('k', loader)];
    load.resolve(1);

    expect(await Promise.all(gets)).toEqual([1, 1]);
    expect(loader).toHaveBeenCalledTimes(1);
    await cache.set('s', 1);
    expect(cache.size).toBe(0);
    expect(cache.has('s')).toBe(false);
    await cache.get('k', loader);
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it('1 keeps the last', async () => {
    const cache = await filled({ maxSize: 1 }, 3);

    expect(present(cache, 3)).toEqual([2]);
    expect(cache.getMetrics().evictions).toBe(2);
  });

  it('2 keeps the two most recently used', async () => {
    const cache = await filled({ maxSize: 2 }, 2);
    await cache.get(0);
    await cache.set(2, 2);
    expect(present(cache, 3)).toEqual([0, 2]);

    await cache.set(0, 9);
    await cache.set(3, 3);
    expect(present(cache, 4)).toEqual([0, 3]);
  });

  it('peek and has are no use', async () => {
    const cache = await filled({ maxSize: 2 }, 2);
    cache.peek(0);
    cache.has(0);
    await cache.set(2, 2);

    expect(present(cache, 3)).toEqual([1, 2]);
  });

  it('getMany and a joined load are use', async () => {
    const cache = await filled({ maxSize: 2 }, 2);
    await cache.getMany([0]);
    await cache.set(2, 2);

    expect(present(cache, 3)).toEqual([0, 2]);
  });

  it('a delete makes room', async () => {
    const cache = await filled({ maxSize: 2 }, 2);
    await cache.delete(1);
    await cache.set(2, 2);

    expect(present(cache, 3)).toEqual([0, 2]);
    expect(cache.getMetrics().evictions).toBe(0);
  });

  it('loads that run take no room, however many', async () => {
    const cache = new AsyncCache<number, number>({ maxSize: 2 });
    const loads = Array.from({ length: 10 }, () => deferred<number>());
    const gets = loads.map((load, key) => cache.get(key, () => load.promise));
    loads.forEach((load, key) => load.resolve(key));

    expect(await Promise.all(gets)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(cache.size).toBe(2);
  });

  it('expired entries do not count as live', async () => {
    const cache = await filled({ maxSize: 3 }, 3);
    await cache.expire(2);

    expect(cache.size).toBe(2);
  });

  it.each([1, 2, 7, 64])('strict LRU: equals a reference on any trace (%p)', async (maxSize) => {
    const cache = new AsyncCache<number, number>({ maxSize });
    const reference = new Map<number, number>();
    let seed = maxSize * 7_919;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const touch = (key: number, value: number): void => {
      reference.delete(key);
      reference.set(key, value);
      if (reference.size > maxSize) reference.delete(reference.keys().next().value!);
    };
    for (let step = 0; step < 4_000; step++) {
      const key = random(maxSize * 2 + 1);
      const kind = random(10);
      if (kind < 5) {
        const value = await cache.get(key, () => step);
        expect(value).toBe(reference.get(key) ?? step);
        touch(key, value);
      } else if (kind < 7) {
        void cache.set(key, step);
        touch(key, step);
      } else if (kind < 8) {
        expect(await cache.delete(key)).toBe(reference.delete(key));
      } else if (kind < 9) {
        expect(cache.peek(key)).toBe(reference.get(key));
      } else {
        const found = await cache.get(key);
        expect(found).toBe(reference.get(key));
        if (found !== undefined) touch(key, found);
      }
      expect(cache.size).toBe(reference.size);
    }
    for (const [key, value] of reference) expect(cache.peek(key)).toBe(value);
  });
});

describe('maxWeight', () => {
  const weighing = (maxWeight: number, options: AsyncCacheOptions<string, string> = {}) =>
    new AsyncCache<string, string>({ maxWeight, weigh: (value) => value.length, ...options });

  it('bounds the sum, and evicts the least recently used', async () => {
    const cache = weighing(10);
    await cache.set('a', 'xxxx');
    await cache.set('b', 'xxxx');
    await cache.get('a');
    await cache.set('c', 'xxxx');

    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, false, true]);
    await cache.set('d', 'xxxxxxxxxx');
    expect(cache.size).toBe(1);
    expect(cache.peek('d')).toBe('xxxxxxxxxx');
  });

  it('is reached exactly before anything goes', async () => {
    const cache = weighing(8);
    await cache.set('a', 'xxxx');
    await cache.set('b', 'xxxx');

    expect(cache.size).toBe(2);
  });

  it('returns an entry over it, stores it not, and removes what was there', async () => {
    const cache = weighing(5);
    await cache.set('k', 'old');
    await cache.set('other', 'x');

    expect(await cache.get('k', { refresh: true, loader: () => 'too long' })).toBe('too long');
    expect(cache.has('k')).toBe(false);
    expect(cache.has('other')).toBe(true);
    await cache.set('other', 'too long');
    expect(cache.size).toBe(0);
  });

  it('counts an entry that is replaced, deleted or expired no more', async () => {
    const cache = weighing(10);
    await cache.set('a', 'xxxxxxxx');
    await cache.set('a', 'x');
    await cache.set('b', 'xxxxxxxx');
    expect(cache.size).toBe(2);
    await cache.delete('b');
    await cache.set('c', 'xxxxxxxxx');
    expect([cache.has('a'), cache.has('c')]).toEqual([true, true]);
    await cache.clear();
    await cache.set('d', 'xxxxxxxxxx');

    expect(cache.has('d')).toBe(true);
  });

  it('holds beside maxSize', async () => {
    const cache = weighing(100, { maxSize: 2 });
    for (const key of ['a', 'b', 'c']) await cache.set(key, 'x');

    expect(cache.size).toBe(2);
  });

  it('an entry of no weight takes none', async () => {
    const cache = weighing(0);
    await cache.set('a', '');
    await cache.set('b', '');
    await cache.set('c', 'x');

    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, true, false]);
  });

  it('holds beyond where sums are exact', async () => {
    const most = Number.MAX_VALUE;
    const cache = new AsyncCache<string, number>({ maxWeight: most, weigh: (value) => value });
    await cache.set('a', most);
    await cache.set('b', most);
    await cache.set('c', 1);

    expect(cache.peek('c')).toBe(1);
  });

  it('asks for a weight once, when it is stored, with value and key', async () => {
    const weigh = jest.fn((value: string, _key: string) => value.length);
    const cache = new AsyncCache<string, string>({ maxWeight: 10, weigh });
    await cache.get('k', () => 'abc');
    await cache.get('k');
    await cache.delete('k');

    expect(weigh.mock.calls).toEqual([['abc', 'k']]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no weight');
      },
    ],
    ['gives NaN', () => NaN],
    ['gives a negative weight', () => -1],
    ['gives a text', () => '5' as never],
  ])('a weigh that %s costs the caller nothing and is reported', async (_what, weigh) => {
    const cache = new AsyncCache<string, string>({ maxWeight: 10, weigh });
    const sources: string[] = [];
    cache.on('error', ({ source }) => sources.push(source));

    expect(await cache.get('k', () => 'v')).toBe('v');
    await settle();
    expect(sources).toEqual(['weigh']);
  });
});
