import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import { deferred, settle } from '../test/stores.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { keyvTier, type KeyvTierOptions } from './index.js';

failOnUnhandledRejections();

type Options = AsyncCacheOptions<string, string> & { tierOptions?: KeyvTierOptions };

/** Processes that share a store, on one clock. */
function world(): { clock: FakeClock; map: Map<string, string>; join: typeof join } {
  const clock = fakeClock();
  const map = new Map<string, string>();
  const join = ({ tierOptions, ...options }: Options = {}): AsyncCache<string, string> =>
    new AsyncCache<string, string>({
      name: 'users',
      ttl: '1h',
      clock,
      tier: keyvTier(map, tierOptions),
      ...options,
    });
  return { clock, map, join };
}

const never = (): never => {
  throw new Error('expected that nothing is loaded');
};

describe('caches on one store', () => {
  it('find what another process stored, and what an earlier one did', async () => {
    const { join } = world();
    await join().get('k', () => 'loaded');
    const later = join();
    expect(await later.getWithMeta('k', never)).toMatchObject({
      value: 'loaded',
      status: 'hit',
      source: 'tier',
    });
    expect(later.getMetrics().tierHits).toBe(1);
  });

  it('keep what came from the store in memory for `staleness`, and then look again', async () => {
    const { clock, join } = world();
    const [here, elsewhere] = [join(), join()];
    await here.set('k', 'old');
    expect(await elsewhere.get('k')).toBe('old');
    await here.set('k', 'new');
    await clock.advance(1999);
    expect(await elsewhere.get('k')).toBe('old');
    await clock.advance(1);
    expect(await elsewhere.get('k')).toBe('new');
  });

  it('serve nothing from memory with `staleness: 0`', async () => {
    const { join } = world();
    const tierOptions = { staleness: 0 };
    const [here, elsewhere] = [join({ tierOptions }), join({ tierOptions })];
    await here.set('k', 'old');
    expect(await elsewhere.get('k')).toBe('old');
    await here.delete('k');
    expect(await elsewhere.get('k')).toBeUndefined();
  });

  it.each(['delete', 'clear', 'expire', 'invalidateTags'] as const)(
    'find nothing that a process did away with before it ended: %s',
    async (how) => {
      const { join } = world();
      const before = join();
      await before.set('k', 'v', { tags: ['t'] });
      if (how === 'invalidateTags') await before.invalidateTags('t');
      else if (how === 'clear') await before.clear();
      else await before[how]('k');
      await before.close();
      expect(await join().get('k')).toBeUndefined();
    },
  );

  it('keep entries without the tag, and of other names', async () => {
    const { join } = world();
    const [users, orders] = [join(), join({ name: 'orders' })];
    await users.set('other', 'v', { tags: ['u'] });
    await orders.set('k', 'v', { tags: ['t'] });
    await users.invalidateTags('t');
    expect(await join().get('other')).toBe('v');
    await users.clear();
    expect(await join({ name: 'orders' }).get('k')).toBe('v');
  });

  it('hear of changes at once where they share a tier', async () => {
    const { clock, map } = world();
    const tier = keyvTier(map);
    const [one, other] = [0, 1].map(
      () => new AsyncCache<string, string>({ name: 'users', clock, tier }),
    ) as [AsyncCache<string, string>, AsyncCache<string, string>];
    await one.set('k', 'old', { tags: ['t'] });
    expect(await other.get('k')).toBe('old');
    await one.set('k', 'new', { tags: ['t'] });
    expect(await other.get('k')).toBe('new');
    await one.invalidateTags('t');
    expect(other.peek('k')).toBeUndefined();
    expect(await other.get('k')).toBeUndefined();
  });

  it('leave foreign keys alone', async () => {
    const { join, map } = world();
    map.set('acache-but-not-ours', 'x');
    map.set('keyv:users', 'y');
    const users = join();
    await users.set('k', 'v', { tags: ['t'] });
    await users.invalidateTags('t');
    await users.clear();
    await users.close();
    expect(map.get('acache-but-not-ours')).toBe('x');
    expect(map.get('keyv:users')).toBe('y');
    const ours = [...map.keys()].filter((key) => key.startsWith('acache:'));
    expect(ours.length).toBe(map.size - 2);
  });
});

/** What comes between a load and its end. */
const CHANGES: [string, (cache: AsyncCache<string, string>) => Promise<unknown>, unknown][] = [
  ['delete', (cache) => cache.delete('k'), undefined],
  ['set', (cache) => cache.set('k', 'set'), 'set'],
  ['expire', (cache) => cache.expire('k'), undefined],
  ['invalidateTags', (cache) => cache.invalidateTags('t'), undefined],
  ['clear', (cache) => cache.clear(), undefined],
];

describe.each(CHANGES)('a load that began before a %s', (_, change, left) => {
  it.each(['known before', 'named at its end'])(
    'is not in the store after it, in this process: tags %s',
    async (when) => {
      const { join } = world();
      const cache = join();
      const load = deferred<string>();
      const isLate = when === 'named at its end';
      const get = cache.get('k', {
        tags: isLate ? () => ['t'] : ['t'],
        loader: () => load.promise,
      });
      await settle();
      const changed = change(cache);
      load.resolve('loaded');
      expect(await get).toBe('loaded');
      await changed;
      await settle();
      expect(await join().get('k')).toBe(left);
    },
  );

  it('is not in the store after it, by another cache of the tier', async () => {
    const { clock, join, map } = world();
    const tier = keyvTier(map);
    const options = { name: 'users', clock, tier };
    const [one, other] = [
      new AsyncCache<string, string>(options),
      new AsyncCache<string, string>(options),
    ];
    const load = deferred<string>();
    const get = one.get('k', { tags: ['t'], loader: () => load.promise });
    await settle();
    await change(other);
    load.resolve('loaded');
    expect(await get).toBe('loaded');
    await settle();
    expect(await join().get('k')).toBe(left);
  });
});

describe('a load that began before another process', () => {
  it.each(['known before', 'named at its end'])(
    'invalidated its tag is not in the store after it: tags %s',
    async (when) => {
      const { join } = world();
      const [here, elsewhere] = [join(), join()];
      const load = deferred<string>();
      const isLate = when === 'named at its end';
      const get = here.get('k', {
        tags: isLate ? () => ['t'] : ['t'],
        loader: () => load.promise,
      });
      await settle();
      await elsewhere.invalidateTags('t');
      load.resolve('loaded');
      expect(await get).toBe('loaded');
      expect(await elsewhere.get('k')).toBeUndefined();
      expect(await join().get('k')).toBeUndefined();
    },
  );

  it('cleared everything is not in the store after it', async () => {
    const { join } = world();
    const [here, elsewhere] = [join(), join()];
    const load = deferred<string>();
    const get = here.get('k', () => load.promise);
    await settle();
    await elsewhere.clear();
    load.resolve('loaded');
    expect(await get).toBe('loaded');
    expect(await elsewhere.get('k')).toBeUndefined();
  });

  it('deleted its key is in the store all the same: there is no fence for that', async () => {
    const { join } = world();
    const [here, elsewhere] = [join(), join()];
    const load = deferred<string>();
    const get = here.get('k', () => load.promise);
    await settle();
    await elsewhere.delete('k');
    load.resolve('loaded');
    await get;
    expect(await elsewhere.get('k')).toBe('loaded');
  });
});

describe('what the store has lost', () => {
  it('brings nothing back: a tag whose stamp is gone ends its entries', async () => {
    const { join, map } = world();
    const cache = join();
    await cache.set('k', 'v', { tags: ['t'] });
    for (const key of map.keys()) if (key.includes(':t:')) map.delete(key);
    expect(await join().get('k')).toBeUndefined();
  });

  it('brings nothing back: a namespace whose stamp is gone begins anew', async () => {
    const { join, map } = world();
    const cache = join();
    await cache.set('k', 'v');
    for (const key of map.keys()) if (key.includes(':a:')) map.delete(key);
    const later = join();
    expect(await later.get('k')).toBeUndefined();
    await later.set('k', 'new');
    expect(await join().get('k')).toBe('new');
  });
});

it('leaves no timer behind where the store never answered', async () => {
  const clock = fakeClock();
  const silent = (): Promise<never> => new Promise(() => undefined);
  const cache = new AsyncCache<string, string>({
    name: 'users',
    clock,
    tier: keyvTier({ get: silent, set: silent, delete: silent }, { commandTimeout: 50 }),
  });
  await clock.advance(10);
  const closed = cache.close().catch(() => undefined);
  await clock.advance(1000);
  await closed;
  expect(clock.pending).toBe(0);
});
