import { deferred, settle } from '../test/deferred.js';
import { AsyncCache, type Entry, type Tier, type TierAnswer, type TierHost } from './index.js';
import { fakeClock } from './testing.js';

/** A tier whose answers and words to the cache are the test's. */
function spokenTier(answer: () => Promise<TierAnswer>) {
  let host!: TierHost;
  const nothing = (): Promise<void> => Promise.resolve();
  const commits: Entry[] = [];
  const tier: Tier = {
    attach(_, given) {
      host = given;
      return {
        ready: Promise.resolve(),
        deadline: 100,
        coherent: () => true,
        lookup: (requests) => Promise.all(requests.map(answer)),
        ...{ set: nothing, delete: nothing, expire: nothing, invalidateTags: nothing },
        ...{ clear: nothing, flush: nothing, close: nothing },
      };
    },
  };
  const lease = {
    commit: (entry: Entry) => {
      commits.push(entry);
      return Promise.resolve('stored' as const);
    },
    release: nothing,
  };
  return { tier, host: () => host, commits, lease };
}

function found(value: string): TierAnswer {
  const times = { createdAt: 0, freshUntil: Infinity, staleWhileRevalidate: 0, staleIfError: 0 };
  return { kind: 'found', entry: { value, tags: [], ...times } };
}

const wireKey = 's1:k';

describe('a tier that tells of a change while a key is looked up', () => {
  it('makes memory forget what is found, where the lookup may be older', async () => {
    const answer = deferred<TierAnswer>();
    const { tier, host } = spokenTier(() => answer.promise);
    const cache = new AsyncCache<string, string>({ name: 'c', tier });
    const get = cache.get('k');
    await settle();
    host().invalidate([wireKey]);
    answer.resolve(found('v'));

    expect(await get).toBe('v');
    expect(cache.peek('k')).toBeUndefined();
  });

  it('lets memory keep what is found, where the lookup goes on', async () => {
    const answer = deferred<TierAnswer>();
    const { tier, host } = spokenTier(() => answer.promise);
    const cache = new AsyncCache<string, string>({ name: 'c', tier });
    const get = cache.get('k');
    await settle();
    host().invalidate([wireKey], { lookups: 'go on' });
    answer.resolve(found('v'));

    expect(await get).toBe('v');
    expect(cache.peek('k')).toBe('v');
  });

  it('revokes a load all the same', async () => {
    const load = deferred<string>();
    const { tier, host, commits, lease } = spokenTier(() =>
      Promise.resolve({ kind: 'missing', lease }),
    );
    const cache = new AsyncCache<string, string>({ name: 'c', tier });
    const get = cache.get('k', () => load.promise);
    await settle();
    host().invalidate([wireKey], { lookups: 'go on' });
    load.resolve('v');

    expect(await get).toBe('v');
    expect(cache.peek('k')).toBeUndefined();
    expect(commits).toEqual([]);
  });
});

describe('the patience of a cache with its tier', () => {
  it('ends at the deadline for one key, and later for a bulk', async () => {
    const clock = fakeClock();
    const { tier } = spokenTier(() => new Promise<TierAnswer>(() => undefined));
    const cache = new AsyncCache<string, string>({ name: 'c', tier, clock });
    const ended: string[] = [];
    void cache.get('one', () => 'v').then(() => ended.push('one'));
    await settle();
    const many = Array.from({ length: 250 }, (_, at) => `k${at}`);
    void cache.getMany(many, { loader: () => 'v' }).then(() => ended.push('many'));
    await settle();

    await clock.advance(100);
    expect(ended).toEqual(['one']);
    await clock.advance(199);
    expect(ended).toEqual(['one']);
    await clock.advance(1);
    expect(ended).toEqual(['one', 'many']);
  });
});

describe('a hit behind a tier', () => {
  it('is served from memory only while the tier vouches for it', async () => {
    let asked = 0;
    let coherent = true;
    const { tier } = spokenTier(() => {
      asked++;
      return Promise.resolve(found('v'));
    });
    const attach = tier.attach.bind(tier);
    tier.attach = (name, host) => ({ ...attach(name, host), coherent: () => coherent });
    const cache = new AsyncCache<string, string>({ name: 'c', tier });
    await cache.get('k');
    await cache.get('k');
    expect([asked, cache.peek('k')]).toEqual([1, 'v']);

    coherent = false;
    expect(cache.peek('k')).toBeUndefined();
    await cache.get('k');
    expect(asked).toBe(2);
  });
});
