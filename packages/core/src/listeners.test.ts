import { nextTurn } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { memoryTier } from './testing.js';

type Cache = AsyncCache<string, string>;

const KEYS = ['j', 'k', 'l'];

const fill: readonly (readonly [how: string, fill: (cache: Cache) => Promise<unknown>])[] = [
  ['set', (cache) => cache.set('k', 'old', { tags: ['t'] })],
  [
    'setMany',
    (cache) =>
      cache.setMany(
        KEYS.map((key) => [key, 'old']),
        { tags: ['t'] },
      ),
  ],
  ['a load', (cache) => cache.get('k', { loader: () => 'old', tags: ['t'] })],
  [
    'a bulk of loads',
    (cache) => cache.getMany(KEYS, { loadMany: (keys) => keys.map(() => 'old'), tags: ['t'] }),
  ],
];
const answers: readonly (readonly [
  how: string,
  left: string | undefined,
  answer: (cache: Cache) => Promise<unknown>,
])[] = [
  ['delete', undefined, (cache) => cache.delete('k')],
  ['invalidateTags', undefined, (cache) => cache.invalidateTags('t')],
  ['clear', undefined, (cache) => cache.clear()],
  ['set', 'new', (cache) => cache.set('k', 'new')],
];

describe.each(['memory alone', 'a tier'])('a listener, with %s', (where) => {
  const tier = where === 'a tier';
  const setUp = (): Cache =>
    new AsyncCache<string, string>({ name: 'listened', ...(tier && { tier: memoryTier() }) });

  describe.each(fill)('told of %s', (_, filled) => {
    it.each(answers)('has the last word by %s', async (_, left, answer) => {
      const cache = setUp();
      let isAnswered = false;
      let answered: Promise<unknown> | undefined;
      for (const event of ['set', 'loaded'] as const) {
        cache.on(event, ({ key }) => {
          if (key !== 'k' || isAnswered) return;
          // It is told of what it does, too.
          isAnswered = true;
          answered = answer(cache);
        });
      }
      await filled(cache);
      await answered;
      await nextTurn();
      expect([cache.peek('k'), await cache.get('k')]).toEqual([left, left]);
    });
  });

  it.each<[event: 'delete' | 'invalidate' | 'clear' | 'expire', cause: (cache: Cache) => unknown]>([
    ['delete', (cache) => cache.delete('k')],
    ['invalidate', (cache) => cache.invalidateTags('t')],
    ['clear', (cache) => cache.clear()],
    ['expire', (cache) => cache.expire('k')],
  ])('told of %s may set the key again', async (event, cause) => {
    const cache = setUp();
    await cache.set('k', 'old', { tags: ['t'] });
    let set: Promise<unknown> | undefined;
    cache.on(event, () => {
      set ??= cache.set('k', 'new', { tags: ['t'] });
    });
    await cause(cache);
    await set;
    expect([cache.peek('k'), await cache.get('k')]).toEqual(['new', 'new']);
  });

  it('told of an eviction may delete what evicted', async () => {
    const cache = new AsyncCache<string, string>({
      name: 'small',
      maxSize: 1,
      ...(tier && { tier: memoryTier() }),
    });
    await cache.set('j', 'old');
    let deleted: Promise<unknown> | undefined;
    cache.on('evict', () => {
      deleted ??= cache.delete('k');
    });
    await cache.set('k', 'old');
    await deleted;
    expect([cache.peek('k'), await cache.get('k')]).toEqual([undefined, undefined]);
  });

  it('is told of what happened in its order', async () => {
    const cache = new AsyncCache<string, string>({
      name: 'small',
      maxSize: 1,
      ...(tier && { tier: memoryTier() }),
    });
    const told: string[] = [];
    for (const event of ['set', 'evict', 'delete'] as const) {
      cache.on(event, ({ key }) => told.push(`${event} ${key}`));
    }
    await cache.setMany([
      ['a', '1'],
      ['b', '2'],
    ]);
    await cache.delete('b');
    expect(told).toEqual(['set a', 'evict a', 'set b', 'delete b']);
  });
});
