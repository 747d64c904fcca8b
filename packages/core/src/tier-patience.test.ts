import { deferred, settle } from '../test/deferred.js';
import { AsyncCache, type Entry, type Tier, type TierAnswer } from './index.js';
import { fakeClock } from './testing.js';

type Outcome = 'stored' | 'refused' | 'unavailable';

/** A tier with a deadline of 100 ms that takes some of it to answer, and stores when the test says so. */
function slowTier(lookupTakes: number) {
  const clock = fakeClock();
  const outcome = deferred<Outcome>();
  const commits: Entry[] = [];
  const nothing = (): Promise<void> => Promise.resolve();
  const lease = {
    commit: (entry: Entry) => {
      commits.push(entry);
      return outcome.promise;
    },
    release: nothing,
  };
  const answer = (): Promise<TierAnswer> =>
    new Promise((resolve) => {
      clock.setTimeout(() => {
        resolve({ kind: 'missing', lease });
      }, lookupTakes);
    });
  const tier: Tier = {
    attach: () => ({
      ready: Promise.resolve(),
      deadline: 100,
      coherent: () => true,
      lookup: (requests) => Promise.all(requests.map(answer)),
      ...{ set: nothing, delete: nothing, expire: nothing, invalidateTags: nothing },
      ...{ clear: nothing, flush: nothing, close: nothing },
    }),
  };
  const cache = new AsyncCache<string, string>({ name: 'c', maxSize: 1000, clock, tier });
  return { cache, clock, commits, outcome };
}

async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  await settle();
  return Promise.race([promise, Promise.resolve('pending')]);
}

describe('callers who waited for the lookup', () => {
  it('wait for the store so long that both take the deadline of the tier at most', async () => {
    const { cache, clock, commits } = slowTier(60);
    const get = cache.get('k', () => 'v');
    await clock.advance(0);
    await clock.advance(60);
    expect(commits).toHaveLength(1);
    await clock.advance(39);
    expect(await stateOf(get)).toBe('pending');
    await clock.advance(1);
    expect(await stateOf(get)).toBe('v');
  });

  it('share what they got with those who come before it is stored; then memory has it', async () => {
    const { cache, clock, outcome } = slowTier(60);
    void cache.get('k', () => 'v');
    await clock.advance(0);
    await clock.advance(60);
    await clock.advance(40);
    expect(await cache.getWithMeta('k', () => 'another')).toMatchObject({ value: 'v' });
    expect(cache.peek('k')).toBeUndefined();
    outcome.resolve('stored');
    await settle();
    expect(cache.peek('k')).toBe('v');
    expect(cache.getMetrics()).toMatchObject({ misses: 2, joined: 1, loads: 1, tierErrors: 0 });
  });

  it('leave nothing in memory when it is refused', async () => {
    const { cache, clock, outcome } = slowTier(60);
    const get = cache.get('k', () => 'v');
    await clock.advance(0);
    await clock.advance(60);
    await clock.advance(40);
    expect(await get).toBe('v');
    outcome.resolve('refused');
    await settle();
    expect(cache.peek('k')).toBeUndefined();
  });

  it.each(['delete', 'invalidateTags', 'clear', 'set'] as const)(
    'do not let those have it who come after %s',
    async (change) => {
      const { cache, clock, outcome } = slowTier(60);
      const tagged = (): string => 'old';
      void cache.get('k', {
        loader: (_, context) => {
          context.tag('late');
          return tagged();
        },
      });
      await clock.advance(0);
      await clock.advance(60);
      await clock.advance(40);
      if (change === 'delete') void cache.delete('k');
      else if (change === 'invalidateTags') void cache.invalidateTags('late');
      else if (change === 'set') void cache.set('k', 'new');
      else void cache.clear();
      const after = cache.get('k', () => 'new');
      await clock.advance(0);
      await clock.advance(60);
      await clock.advance(40);
      expect(await after).toBe('new');
      outcome.resolve('stored');
      await settle();
      expect(cache.peek('k')).not.toBe('old');
    },
  );

  it('wait for a bulk as a bulk', async () => {
    const { cache, clock, outcome } = slowTier(0);
    const keys = Array.from({ length: 250 }, (_, nth) => `k${nth}`);
    const get = cache.getMany(keys, (missing) => Promise.resolve([...missing]));
    await clock.advance(0);
    await clock.advance(299);
    expect(await stateOf(get)).toBe('pending');
    outcome.resolve('stored');
    expect((await get).size).toBe(250);
    expect(cache.getMetrics()).toMatchObject({ size: 250, tierErrors: 0 });
  });
});
