import { deferred, settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';

describe('tags', () => {
  it('remove together what carries them, before the call returns', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('a', 1, { tags: ['user', 'eu'] });
    await cache.set('b', 2, { tags: ['user'] });
    await cache.set('c', 3, { tags: ['eu'] });
    await cache.set('d', 4);
    const invalidated = cache.invalidateTags('user');

    expect(['a', 'b', 'c', 'd'].filter((key) => cache.has(key))).toEqual(['c', 'd']);
    expect(cache.size).toBe(2);
    await expect(invalidated).resolves.toBeUndefined();
  });

  it('can be named several at once; an unknown one or none changes nothing', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('a', 1, { tags: ['t1'] });
    await cache.set('b', 2, { tags: ['t2'] });
    await cache.set('c', 3, { tags: ['t3'] });
    await cache.invalidateTags();
    await cache.invalidateTags('unknown');
    expect(cache.size).toBe(3);
    await cache.invalidateTags('t1', 't2', 't1');

    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([false, false, true]);
  });

  it('leave no stale value either', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({
      clock,
      ttl: 1_000,
      staleWhileRevalidate: '1h',
      staleIfError: '1h',
    });
    await cache.set('fresh', 1, { tags: ['t'] });
    await cache.invalidateTags('t');
    expect(await cache.get('fresh')).toBeUndefined();

    await cache.set('stale', 1, { tags: ['t'] });
    await clock.advance(2_000);
    await cache.invalidateTags('t');
    await expect(cache.get('stale', () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    );
  });

  it('come from the call, from a function of value and key, and from the loader, together', async () => {
    const cache = new AsyncCache<string, number>();
    const tags = jest.fn((value: number, key: string) => [`value:${value}`, `key:${key}`]);
    const load = async (): Promise<void> => {
      await cache.get('k', {
        tags,
        loader: async (_key, context) => {
          context.tag('first', 'second');
          await Promise.resolve();
          context.tag('third');
          return 7;
        },
      });
      await cache.get('list', { tags: ['listed'], loader: () => 7 });
    };
    for (const tag of ['value:7', 'key:k', 'first', 'second', 'third']) {
      await load();
      expect(cache.has('k')).toBe(true);
      await cache.invalidateTags(tag);
      expect([tag, cache.has('k')]).toEqual([tag, false]);
    }
    expect(tags).toHaveBeenCalledWith(7, 'k');
    await cache.invalidateTags('listed');
    expect(cache.has('list')).toBe(false);
  });

  it('of a value that was replaced or deleted do not follow its key', async () => {
    const cache = new AsyncCache<string, number>();
    await cache.set('a', 1, { tags: ['t'] });
    await cache.set('a', 2);
    await cache.set('b', 1, { tags: ['t'] });
    await cache.delete('b');
    await cache.set('b', 2);
    await cache.set('c', 1, { tags: ['t'] });
    await cache.clear();
    await cache.set('a', 2);
    await cache.set('b', 2);
    await cache.set('c', 2);
    await cache.invalidateTags('t');

    expect(cache.size).toBe(3);
  });

  it('of a value that is set again right after do not count as invalidated', async () => {
    const cache = new AsyncCache<string, number>();
    for (let round = 0; round < 200; round++) {
      await cache.set('k', round - 1, { tags: ['t'] });
      const invalidated = cache.invalidateTags('t');
      await cache.set('k', round, { tags: ['t'] });
      await invalidated;

      expect(await cache.get('k')).toBe(round);
    }
  });

  it('of a stale value are replaced by those of its refresh', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    const load = (tag: string) =>
      cache.get('k', { tags: [tag], loader: () => Promise.resolve(tag) });
    await load('old');
    await clock.advance(1_500);
    await load('new');
    await settle();
    await cache.invalidateTags('old');
    expect(cache.peek('k')).toBe('new');
    await cache.invalidateTags('new');

    expect(cache.has('k')).toBe(false);
  });

  it('of an expired value still count', async () => {
    const cache = new AsyncCache<string, string>({ staleWhileRevalidate: '1h' });
    await cache.set('k', 'v', { tags: ['t'] });
    await cache.expire('k');
    await cache.invalidateTags('t');

    expect(await cache.get('k')).toBeUndefined();
  });

  it('survive eviction and reuse of a slot', async () => {
    const cache = new AsyncCache<number, number>({ maxSize: 2 });
    for (let key = 0; key < 50; key++) await cache.set(key, key, { tags: [`t${key % 2}`] });
    await cache.invalidateTags('t0');

    expect([cache.has(48), cache.has(49)]).toEqual([false, true]);
  });

  it('that a loader decides invalidate what it loads meanwhile', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const get = cache.get('k', async (_key, context) => {
      const value = await load.promise;
      context.tag('t');
      return value;
    });
    await cache.invalidateTags('t');
    load.resolve('v');

    expect(await get).toBe('v');
    expect(cache.has('k')).toBe(false);
  });

  it('are any text', async () => {
    const cache = new AsyncCache<string, number>();
    for (const tag of ['__proto__', 'constructor', '\0', 'a b', '*', 'a,b']) {
      await cache.set('k', 1, { tags: [tag] });
      await cache.set('other', 1, { tags: [`${tag}x`] });
      await cache.invalidateTags(tag);
      expect([tag, cache.has('k'), cache.has('other')]).toEqual([tag, false, true]);
    }
  });

  it('an array of tags that changes after the call changes nothing', async () => {
    const cache = new AsyncCache<string, number>();
    const tags = ['a'];
    await cache.set('k', 1, { tags });
    tags[0] = 'b';
    await cache.invalidateTags('b');
    expect(cache.has('k')).toBe(true);
    await cache.invalidateTags('a');

    expect(cache.has('k')).toBe(false);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no tags');
      },
    ],
    ['gives no list', () => 'user' as never],
  ])('a tags function that %s costs the caller nothing and is reported', async (_what, tags) => {
    const cache = new AsyncCache<string, number>();
    const sources: string[] = [];
    cache.on('error', ({ source }) => sources.push(source));

    expect(await cache.get('k', { tags, loader: () => 1 })).toBe(1);
    expect(sources).toEqual(['tags']);
  });
});
