import { AsyncCache, type CacheErrorEvent } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { PatientStore, settle, type Illness } from '../test/stores.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { keyvTier } from './index.js';

failOnUnhandledRejections();

function setUp() {
  const clock = fakeClock();
  const store = new PatientStore();
  const errors: CacheErrorEvent[] = [];
  const states: string[] = [];
  const tier = keyvTier(store);
  const cache = new AsyncCache<string, string>({ name: 'c', ttl: '1h', clock, tier });
  cache.on('error', (event) => errors.push(event));
  cache.on('tier', ({ state }) => states.push(state));
  /** What another process finds, once the store is well. */
  const elsewhere = async (key: string): Promise<string | undefined> => {
    const other = new AsyncCache<string, string>({ name: 'c', clock, tier: keyvTier(store) });
    const value = await other.get(key);
    await other.close();
    return value;
  };
  return { cache, clock, elsewhere, errors, states, store, tier };
}

/** Lets pass what a call waits for the store, and what comes of it. */
async function patience(clock: ReturnType<typeof fakeClock>): Promise<void> {
  await clock.advance(0);
  await clock.advance(105);
  await clock.advance(105);
}

describe.each<Illness>(['fails', 'hangs', 'swallows'])('a store that %s', (illness) => {
  it('never fails a get, and costs it 105 ms at most for the look and the store', async () => {
    const { cache, clock, errors, store } = setUp();
    await cache.ready;
    store.illness = illness;
    const start = clock.now();
    const get = cache.get('k', () => 'loaded');
    if (illness === 'hangs') await patience(clock);
    expect(await get).toBe('loaded');
    expect(clock.now() - start).toBeLessThanOrEqual(210);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every(({ source }) => source === 'tier')).toBe(true);
    expect(cache.peek('k')).toBe('loaded');
    await clock.advance(2000);
    expect(cache.peek('k')).toBeUndefined();
  });

  it('is not asked any more after three failures, but for a probe; then it is again', async () => {
    const { cache, clock, states, store, tier } = setUp();
    await cache.set('k', 'stored');
    await clock.advance(2000);
    store.illness = illness;
    for (let nth = 0; nth < 3; nth++) {
      const get = cache.get(`k${nth}`, () => 'loaded');
      if (illness === 'hangs') await patience(clock);
      expect(await get).toBe('loaded');
    }
    expect(tier.getMetrics()).toMatchObject({ down: true, outages: 1 });
    const asked = store.asked.length;
    const start = clock.now();
    expect(await cache.get('another', () => 'loaded')).toBe('loaded');
    expect(clock.now()).toBe(start);
    expect(store.asked.length).toBe(asked);

    store.illness = undefined;
    store.release();
    await clock.advance(1000);
    expect(await cache.get('k', () => 'loaded meanwhile')).toBe('loaded meanwhile');
    await settle();
    expect(tier.getMetrics().down).toBe(false);
    expect(states).toEqual(['down', 'up']);
    await clock.advance(2000);
    expect(await cache.get('k', () => 'loaded anew')).toBe('stored');
  });

  it.each(['delete', 'expire', 'invalidateTags', 'clear', 'set'] as const)(
    'is told of a %s as soon as it is well, before anything is read there again',
    async (change) => {
      const { cache, clock, elsewhere, store, tier } = setUp();
      await cache.set('k', 'old', { tags: ['t'] });
      store.illness = illness;
      const changed = (async () => {
        if (change === 'invalidateTags') await cache.invalidateTags('t');
        else if (change === 'clear') await cache.clear();
        else if (change === 'set') await cache.set('k', 'new');
        else await cache[change]('k');
      })();
      await patience(clock);
      await changed;
      expect(tier.getMetrics().unsent).toBeGreaterThan(0);
      const refused = expect(cache.flush()).rejects.toThrow();
      await patience(clock);
      await refused;

      store.illness = undefined;
      store.release();
      await clock.advance(2000);
      // It is well, but still holds the old value: that must not be found.
      expect(await cache.get('k')).toBeUndefined();
      await cache.flush();
      expect(tier.getMetrics().unsent).toBe(0);
      expect(await elsewhere('k')).toBeUndefined();
    },
  );

  it('lets a cache close', async () => {
    const { cache, clock, store } = setUp();
    await cache.set('k', 'v');
    store.illness = illness;
    void cache.delete('k');
    await patience(clock);
    const closed = cache.close();
    await clock.advance(0);
    await clock.advance(2500);
    await closed;
    expect(clock.pending).toBe(0);
    store.release();
    await settle();
  });

  it('does not lose the stamp of a namespace', async () => {
    const { cache, clock, elsewhere, store } = setUp();
    await cache.set('k', 'stored');
    store.illness = illness;
    const get = cache.get('other', () => 'loaded');
    await patience(clock);
    await get;
    store.illness = undefined;
    store.release();
    await settle();
    expect(await elsewhere('k')).toBe('stored');
  });
});

describe('a write that the store keeps for itself for a while', () => {
  it('does not come back when it lands after a delete', async () => {
    const { cache, clock, elsewhere, store } = setUp();
    await cache.ready;
    store.illness = 'hangs';
    const set = cache.set('k', 'late');
    await patience(clock);
    await set;
    store.illness = undefined;
    await cache.delete('k');
    expect(await cache.get('k')).toBeUndefined();
    store.release();
    await settle();
    expect(await cache.get('k')).toBeUndefined();
    expect(await elsewhere('k')).toBeUndefined();
  });

  it('does not replace a later one', async () => {
    const { cache, clock, elsewhere, store } = setUp();
    await cache.set('warm', 'up');
    store.illness = 'hangs';
    const first = cache.set('k', 'first');
    const second = cache.set('k', 'second');
    await settle();
    store.illness = undefined;
    store.release();
    await clock.advance(0);
    await Promise.all([first, second]);
    expect(await elsewhere('k')).toBe('second');
  });
});

describe('a store that refuses writes', () => {
  it('is read, and serves nothing that was to be replaced or removed', async () => {
    const { cache, clock, store } = setUp();
    await cache.set('kept', 'kept');
    await cache.set('replaced', 'old');
    await cache.set('removed', 'old');
    store.illness = 'refuses writes';
    await cache.set('replaced', 'new');
    await cache.delete('removed');
    await clock.advance(2000);
    expect(await cache.get('kept')).toBe('kept');
    expect(await cache.get('replaced')).toBeUndefined();
    expect(await cache.get('removed')).toBeUndefined();
  });
});

describe('what is not ours in the store', () => {
  it.each<[string, (text: string) => unknown]>([
    ['damaged', (text) => text.slice(0, -9) + text.slice(-8)],
    ['truncated', (text) => text.slice(0, 40)],
    ['empty', () => ''],
    ['of a newer version', (text) => text.replace('acache1', 'acache2')],
    ['another text', () => '{"value":1}'],
    ['no text', () => ({ value: 1 })],
    ['a number', () => 7],
  ])('is a miss and an event: %s', async (_, spoil) => {
    const { cache, clock, states, store } = setUp();
    await cache.set('k', 'v');
    await clock.advance(2000);
    const storeKey = [...store.held.keys()].find((key) => key.includes(':v:')) as string;
    const spoilt = spoil(store.held.get(storeKey) as string);
    store.held.set(storeKey, spoilt);
    expect(await cache.get('k')).toBeUndefined();
    expect(states).toEqual(['unreadable']);
    expect(store.held.get(storeKey)).toBe(spoilt);
    expect(await cache.get('k', () => 'loaded')).toBe('loaded');
  });

  it('is a miss where the store answers with the value of another key', async () => {
    const { cache, clock, store } = setUp();
    await cache.set('mine', 'mine');
    await cache.set('yours', 'yours');
    await clock.advance(2000);
    const keys = [...store.held.keys()].filter((key) => key.includes(':v:'));
    const [mine, yours] = keys as [string, string];
    store.held.set(mine, store.held.get(yours));
    expect(await cache.get('mine')).toBeUndefined();
    expect(await cache.get('yours')).toBe('yours');
  });

  it('is an error where the store answers with something else than it was asked for', async () => {
    const { cache, errors, store } = setUp();
    await cache.ready;
    for (const answer of [undefined, null, 'text', [], [undefined]]) {
      store.getMany = () => Promise.resolve(answer as unknown[]);
      expect(await cache.get('k', () => 'loaded')).toBe('loaded');
      await cache.delete('k');
    }
    expect(errors.length).toBeGreaterThan(0);
  });
});

describe('a serializer that fails', () => {
  it('keeps the value in memory for a while, and takes the old one out of the store', async () => {
    const clock = fakeClock();
    const map = new Map<string, string>();
    const cache = new AsyncCache<string, unknown>({ name: 'c', clock, tier: keyvTier(map) });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    await cache.set('k', 'old');
    await cache.set('k', () => 'a function');
    expect(errors).toHaveLength(1);
    expect(typeof cache.peek('k')).toBe('function');
    const later = new AsyncCache<string, unknown>({ name: 'c', clock, tier: keyvTier(map) });
    expect(await later.get('k')).toBeUndefined();
  });

  it('is a miss where it cannot read what it wrote', async () => {
    const clock = fakeClock();
    const map = new Map<string, string>();
    const bytes = new TextEncoder();
    const serializer = {
      serialize: (value: unknown) => bytes.encode(String(value)),
      deserialize: () => {
        throw new Error('no');
      },
    };
    const tier = keyvTier(map, { serializer });
    const cache = new AsyncCache<string, string>({ name: 'c', clock, tier });
    await cache.set('k', 'v');
    await clock.advance(2000);
    expect(await cache.get('k')).toBeUndefined();
    expect(tier.getMetrics().unreadable).toBe(1);
  });
});
