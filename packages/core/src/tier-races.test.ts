import { deferred, settle, stateOf, type Deferred } from '../test/deferred.js';
import { failOnUnhandledRejections, outcomeOf } from '../test/outcome.js';
import { AsyncCache, type AsyncCacheOptions, type GetOptions } from './index.js';
import { wireKeyOf } from './cache-key.js';
import type { Entry } from './entry.js';
import { fakeClock, memoryTier } from './testing.js';
import type { Tier, TierAnswer, TierHost, TierLease, TierNamespace, TierRequest } from './tier.js';

/*
 * What a tier can do at the worst moment. Every promise of the tier is settled by the test, in the
 * order that the test is about.
 */

type Calls =
  | 'lookup'
  | 'set'
  | 'setMany'
  | 'delete'
  | 'expire'
  | 'invalidateTags'
  | 'clear'
  | 'flush'
  | 'close'
  | 'commit'
  | 'release'
  | 'settled';

interface Call {
  readonly name: Calls;
  readonly args: readonly unknown[];
  readonly reply: Deferred<any>;
}

/** A tier that answers nothing by itself but `close` and `release`. */
function controlledTier(overrides: Partial<TierNamespace> = {}) {
  const calls: Call[] = [];
  const leases: { ended: number }[] = [];
  const state = { coherent: true, host: undefined as unknown as TierHost };
  const call = (name: Calls, ...args: unknown[]): Promise<any> => {
    const reply = deferred<any>();
    calls.push({ name, args, reply });
    if (name === 'close' || name === 'release') reply.resolve(undefined);
    return reply.promise;
  };
  const namespace: TierNamespace = {
    ready: Promise.resolve(),
    coherent: () => state.coherent,
    lookup: (requests) => call('lookup', requests),
    set: (key, entry) => call('set', key, entry),
    setMany: (entries) => call('setMany', entries),
    delete: (key) => call('delete', key),
    expire: (key) => call('expire', key),
    invalidateTags: (tags) => call('invalidateTags', tags),
    clear: () => call('clear'),
    flush: () => call('flush'),
    close: () => call('close'),
    ...overrides,
  };
  const tier: Tier = {
    attach(_name, host) {
      state.host = host;
      return namespace;
    },
  };
  return {
    tier,
    state,
    calls,
    host: () => state.host,
    /** The calls of this name, as many as came. */
    all: (name: Calls) => calls.filter((one) => one.name === name),
    /** The latest call of this name. */
    last(name: Calls): Call {
      const found = calls.filter((one) => one.name === name).at(-1);
      if (found === undefined) throw new Error(`the tier was not asked to ${name}`);
      return found;
    },
    lease(commit?: TierLease['commit']): TierLease {
      const lease = { ended: 0 };
      leases.push(lease);
      return {
        commit: (entry) => {
          lease.ended++;
          return commit === undefined ? call('commit', entry) : commit(entry);
        },
        release: () => {
          lease.ended++;
          return call('release');
        },
      };
    },
    /** How often each lease was given back. */
    ended: () => leases.map(({ ended }) => ended),
  };
}

type Options = AsyncCacheOptions<string, string>;

function setUp(options: Options = {}, overrides: Partial<TierNamespace> = {}) {
  const clock = fakeClock();
  const tier = controlledTier(overrides);
  const cache = new AsyncCache<string, string>({
    name: 'c',
    clock,
    tier: tier.tier,
    ttl: '1h',
    ...options,
  });
  const errors: unknown[] = [];
  cache.on('error', ({ error, source, key }) => errors.push({ error, source, key }));
  const entry = (value: unknown, more: Partial<Entry> = {}): Entry => ({
    value,
    createdAt: clock.now(),
    freshUntil: clock.now() + 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    tags: [],
    ...more,
  });
  /** Answers the lookup that was sent last. */
  const reply = async (...answers: TierAnswer[]): Promise<void> => {
    await settle();
    tier.last('lookup').reply.resolve(answers);
    await settle();
  };
  return { clock, tier, cache, errors, entry, reply };
}

failOnUnhandledRejections();

const wire = wireKeyOf('k');
const never = (): Promise<any> => new Promise(() => undefined);
type SetUp = ReturnType<typeof setUp>;

/** Everything that takes away a load of `k`, whose tag is `t`. */
const revocations: [string, (of: SetUp) => unknown][] = [
  ['host.invalidate', ({ tier }) => tier.host().invalidate([wire])],
  ['host.invalidateTags', ({ tier }) => tier.host().invalidateTags(['t'])],
  ['host.invalidateAll', ({ tier }) => tier.host().invalidateAll()],
  ['delete', ({ cache }) => void cache.delete('k')],
  ['expire', ({ cache }) => void cache.expire('k')],
  ['invalidateTags', ({ cache }) => void cache.invalidateTags('t')],
  ['clear', ({ cache }) => void cache.clear()],
];

/** How `k` comes to its tag. */
const tagged: [string, (load: () => string | Promise<string>) => GetOptions<string, string>][] = [
  ['before the load', (loader) => ({ loader, tags: ['t'] })],
  ['by its value', (loader) => ({ loader, tags: () => ['t'] })],
  [
    'within the load',
    (load) => ({
      loader: async (_key, context) => {
        const value = await load();
        context.tag('t');
        return value;
      },
    }),
  ],
];

describe('a lookup that an invalidation crosses', () => {
  describe.each(revocations)('by %s', (_name, revoke) => {
    it('gives what was found to who waited, and keeps it nowhere', async () => {
      const all = setUp();
      const get = all.cache.get('k');
      await settle();
      revoke(all);
      await all.reply({ kind: 'found', entry: all.entry('old', { tags: ['t'] }) });

      expect(await outcomeOf(get)).toBe('old');
      expect(all.cache.has('k')).toBe(false);
      expect(all.cache.size).toBe(0);
    });

    it('hands on nothing of it to who came after', async () => {
      const all = setUp();
      const before = all.cache.get('k');
      await settle();
      revoke(all);
      const after = all.cache.get('k');
      await settle();
      const [first, second] = all.tier.all('lookup');
      first?.reply.resolve([{ kind: 'found', entry: all.entry('old', { tags: ['t'] }) }]);
      await settle();
      if (second === undefined) await all.reply({ kind: 'found', entry: all.entry('new') });
      else second.reply.resolve([{ kind: 'found', entry: all.entry('new') }]);

      expect(await outcomeOf(before)).toBe('old');
      expect(await outcomeOf(after)).toBe('new');
      expect(all.cache.peek('k')).toBe('new');
    });

    it('forgets what was found when it comes after the answer', async () => {
      const all = setUp();
      const get = all.cache.get('k');
      await all.reply({ kind: 'found', entry: all.entry('old', { tags: ['t'] }) });
      expect(await outcomeOf(get)).toBe('old');
      expect(all.cache.peek('k')).toBe('old');
      revoke(all);

      expect(all.cache.has('k')).toBe(false);
    });

    it.each(tagged)('stores nothing of a load that is tagged %s', async (_how, options) => {
      const all = setUp();
      const load = deferred<string>();
      const get = all.cache.get(
        'k',
        options(() => load.promise),
      );
      await all.reply({ kind: 'missing', lease: all.tier.lease() });
      revoke(all);
      load.resolve('old');

      expect(await outcomeOf(get)).toBe('old');
      expect(all.cache.has('k')).toBe(false);
      expect(all.tier.all('commit')).toHaveLength(0);
      expect(all.tier.ended()).toEqual([1]);
    });

    it.each(tagged)(
      'stores nothing in memory when it comes while the commit of what is tagged %s runs',
      async (_how, options) => {
        const all = setUp();
        const get = all.cache.get(
          'k',
          options(() => 'old'),
        );
        await all.reply({ kind: 'missing', lease: all.tier.lease() });
        revoke(all);
        all.tier.last('commit').reply.resolve('stored');

        expect(await outcomeOf(get)).toBe('old');
        expect(all.cache.has('k')).toBe(false);
        expect(all.tier.ended()).toEqual([1]);
      },
    );

    it('gives the lease back that arrives after it, once, and still loads for who waits', async () => {
      const all = setUp();
      const loader = jest.fn(() => 'loaded');
      const get = all.cache.get('k', { loader, tags: ['t'] });
      await settle();
      revoke(all);
      await all.reply({ kind: 'missing', lease: all.tier.lease() });

      expect(await outcomeOf(get)).toBe('loaded');
      expect(loader).toHaveBeenCalledTimes(1);
      expect(all.tier.ended()).toEqual([1]);
      expect(all.cache.has('k')).toBe(false);
    });

    it('gives the lease of a load back at once, so that the next load need not wait for it', async () => {
      const all = setUp();
      void all.cache.get('k', { loader: never, tags: ['t'] });
      await all.reply({ kind: 'missing', lease: all.tier.lease() });
      revoke(all);
      void all.cache.get('k', { loader: () => 'new', tags: ['t'] });
      await settle();

      // A delete or expire takes the lease away by itself, in the tier.
      const byKey = all.tier.all('delete').length + all.tier.all('expire').length > 0;
      expect(byKey || all.tier.ended()[0] === 1).toBe(true);
    });
  });

  it('lets a new load run beside a revoked one that hangs, in a real tier', async () => {
    for (const revoke of [
      (cache: AsyncCache<string, string>) => cache.clear(),
      (cache: AsyncCache<string, string>) => cache.invalidateTags('t'),
    ]) {
      const cache = new AsyncCache<string, string>({
        name: 'c',
        tier: memoryTier(),
        clock: fakeClock(),
      });
      void cache.get('k', { loader: never, tags: ['t'] }).catch(() => undefined);
      await settle();
      await revoke(cache);

      expect(await outcomeOf(cache.get('k', () => 'new'))).toBe('new');
      await cache.close();
    }
  });

  it('orders answers of two lookups by the load they belong to, not by their arrival', async () => {
    const all = setUp();
    const first = all.cache.get('k');
    await settle();
    all.tier.host().invalidate([wire]);
    const second = all.cache.get('k');
    await settle();
    const [older, newer] = all.tier.all('lookup');
    newer?.reply.resolve([{ kind: 'found', entry: all.entry('new') }]);
    await settle();
    older?.reply.resolve([{ kind: 'found', entry: all.entry('old') }]);

    expect(await outcomeOf(first)).toBe('old');
    expect(await outcomeOf(second)).toBe('new');
    expect(all.cache.peek('k')).toBe('new');
  });

  it('begins one refresh only behind a stale value whose tag was invalidated on the way', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'new');
    const now = all.clock.now();
    const stale = all.entry('old', {
      createdAt: now - 10,
      freshUntil: now - 5,
      staleWhileRevalidate: 60_000,
      tags: ['t'],
    });
    const before = all.cache.get('k', loader);
    await settle();
    all.tier.host().invalidateTags(['t']);
    const after = all.cache.get('k', loader);
    await all.reply({ kind: 'found', entry: stale, lease: all.tier.lease() });
    expect(await outcomeOf(before)).toBe('old');
    for (const lookup of all.tier.all('lookup').slice(1)) {
      lookup.reply.resolve([{ kind: 'missing', lease: all.tier.lease() }]);
    }
    await settle();
    for (const commit of all.tier.all('commit')) commit.reply.resolve('stored');

    expect(await outcomeOf(after)).toBe('new');
    expect(loader).toHaveBeenCalledTimes(1);
    expect(all.cache.peek('k')).toBe('new');
    expect(all.tier.ended().every((times) => times === 1)).toBe(true);
  });
});

describe('a commit', () => {
  const commits: [string, TierLease['commit'] | undefined, unknown, boolean][] = [
    ['is stored', () => Promise.resolve('stored'), 'loaded', true],
    ['is refused', () => Promise.resolve('refused'), undefined, true],
    ['is unavailable', () => Promise.resolve('unavailable'), 'loaded', false],
    ['rejects', () => Promise.reject(new Error('down')), 'loaded', false],

    ['rejects with undefined', () => Promise.reject(undefined), 'loaded', false],
    [
      'throws',
      () => {
        throw new Error('down');
      },
      'loaded',
      false,
    ],
    ['answers undefined', () => Promise.resolve(undefined as never), 'loaded', false],
    ['answers no promise', () => 'unavailable' as never, 'loaded', false],
    ['hangs', never, 'loaded', false],
  ];
  it.each(commits)('that %s gives the callers their value', async (_how, commit, kept, lasts) => {
    const all = setUp();
    const loader = jest.fn(() => 'loaded');
    const gets = [all.cache.get('k', loader), all.cache.get('k', loader)];
    await all.reply({ kind: 'missing', lease: all.tier.lease(commit) });
    await all.clock.advance(1000);

    expect(await outcomeOf(Promise.all(gets))).toEqual(['loaded', 'loaded']);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(all.tier.ended()).toEqual([1]);
    expect(all.cache.peek('k')).toBe(kept);
    await all.clock.advance(2000);
    expect(all.cache.peek('k')).toBe(lasts ? kept : undefined);
    await all.cache.close();
    expect(all.clock.pending).toBe(0);
  });

  it('that hangs takes in who comes meanwhile', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'loaded');
    const first = all.cache.get('k', loader);
    await all.reply({ kind: 'missing', lease: all.tier.lease() });
    const second = all.cache.get('k', loader);
    await all.clock.advance(1000);

    expect(await outcomeOf(Promise.all([first, second]))).toEqual(['loaded', 'loaded']);
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('that a set overtakes leaves what was set', async () => {
    const all = setUp();
    const get = all.cache.get('k', () => 'loaded');
    await all.reply({ kind: 'missing', lease: all.tier.lease() });
    void all.cache.set('k', 'set');
    expect(all.cache.peek('k')).toBe('set');
    all.tier.last('commit').reply.resolve('stored');

    expect(await outcomeOf(get)).toBe('loaded');
    expect(all.cache.peek('k')).toBe('set');
  });

  it('whose callers all leave meanwhile gives its lease back once', async () => {
    const all = setUp();
    const stop = new AbortController();
    const get = all.cache.get('k', { loader: () => 'loaded', signal: stop.signal });
    get.catch(() => undefined);
    await all.reply({ kind: 'missing', lease: all.tier.lease() });
    stop.abort();
    all.tier.last('commit').reply.resolve('stored');
    await settle();

    expect(all.tier.ended()).toEqual([1]);
  });

  it('of many keys goes for each key by itself, and each is told its own outcome', async () => {
    const all = setUp();
    const get = all.cache.getMany(['a', 'b', 'c'], (keys) => keys.map((key) => key.toUpperCase()));
    await all.reply(
      { kind: 'missing', lease: all.tier.lease() },
      { kind: 'missing', lease: all.tier.lease() },
      { kind: 'missing', lease: all.tier.lease() },
    );
    const [a, b, c] = all.tier.all('commit');
    c?.reply.resolve('stored');
    await settle();
    b?.reply.resolve('refused');
    await settle();
    a?.reply.reject(new Error('down'));

    expect(await outcomeOf(get)).toEqual(
      new Map(['a', 'b', 'c'].map((key) => [key, key.toUpperCase()])),
    );
    expect(['a', 'b', 'c'].map((key) => all.cache.peek(key))).toEqual(['A', undefined, 'C']);
    expect(all.tier.ended()).toEqual([1, 1, 1]);
  });
});

describe('an answer that is none', () => {
  const answers: [string, () => unknown][] = [
    ['undefined', () => undefined],
    ['null', () => null],
    ['a number', () => 1],
    ['no answer', () => []],
    ['an answer undefined', () => [undefined]],
    ['an answer null', () => [null]],
    ['a text', () => ['missing']],
    ['an empty object', () => [{}]],
    ['an unknown kind', () => [{ kind: 'perhaps' }]],
    ['found without an entry', () => [{ kind: 'found' }]],
    ['found with null', () => [{ kind: 'found', entry: null }]],
    ['busy without a promise', () => [{ kind: 'busy' }]],
    ['busy that settles with nothing', () => [{ kind: 'busy', settled: () => undefined }]],
    ['busy that settles with a text', () => [{ kind: 'busy', settled: () => 'free' }]],
    ['busy that rejects', () => [{ kind: 'busy', settled: () => Promise.reject(new Error('x')) }]],
    [
      'busy that throws',
      () => [
        {
          kind: 'busy',
          settled: () => {
            throw new Error('x');
          },
        },
      ],
    ],
    ['a rejection', () => Promise.reject(new Error('down'))],

    ['a rejection with undefined', () => Promise.reject(undefined)],
    [
      'an exception',
      () => {
        throw new Error('down');
      },
    ],
  ];
  it.each(answers)('such as %s lets the cache load for itself', async (_what, answer) => {
    const { cache, clock, tier } = setUp({}, { lookup: answer as TierNamespace['lookup'] });
    const loader = jest.fn(() => 'loaded');
    const gets = Promise.all([
      cache.get('k', loader),
      cache.get('k', loader),
      cache.getMany(['k', 'l'], { loader: () => 'loaded' }),
    ]);

    expect(await outcomeOf(gets)).toEqual([
      'loaded',
      'loaded',
      new Map([
        ['k', 'loaded'],
        ['l', 'loaded'],
      ]),
    ]);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await outcomeOf(cache.get('nowhere'))).toBeUndefined();
    await cache.close();
    expect(tier.all('close')).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('for one key of many leaves the others their answers', async () => {
    const all = setUp();
    const get = all.cache.getMany(['a', 'b', 'c'], (keys) => keys.map((key) => `${key}!`));
    await settle();
    all.tier.last('lookup').reply.resolve([{ kind: 'found', entry: all.entry('A') }, null]);

    expect(await outcomeOf(get)).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'b!'],
        ['c', 'c!'],
      ]),
    );
  });

  it('that brings a lease to one who only looks gives it back', async () => {
    const all = setUp();
    const get = all.cache.get('k');
    await all.reply({ kind: 'found', entry: all.entry('v'), lease: all.tier.lease() });

    expect(await outcomeOf(get)).toBe('v');
    expect(all.tier.ended()).toEqual([1]);
  });
});

describe('an entry that no cache wrote', () => {
  const entries: [string, Record<string, unknown>][] = [
    ['without an end', { freshUntil: undefined }],
    ['with an end that is no number', { freshUntil: NaN }],
    ['with a text for an end', { freshUntil: '2999-01-01' }],
    ['that ended before time began', { freshUntil: -1 }],
    ['that ended for ever', { freshUntil: -Infinity }],
    ['that was stored at no time', { createdAt: NaN }],
    ['that was stored at no time and never ends', { createdAt: NaN, freshUntil: Infinity }],
    ['without a beginning, and without an end', { createdAt: undefined, freshUntil: Infinity }],
    ['that begins after time', { createdAt: Infinity, freshUntil: Infinity }],
    ['whose stale window is none', { freshUntil: 1, staleWhileRevalidate: NaN }],
    ['whose stale window is negative', { staleWhileRevalidate: -1 }],
    ['whose fallback window is a text', { freshUntil: 1, staleIfError: 'long' }],
    ['without tags', { tags: undefined }],
    ['with null for tags', { tags: null }],
    ['with a text for tags', { tags: 'abc' }],
    ['with tags that are no texts', { tags: [1, {}] }],
  ];
  describe.each(entries)('%s', (_what, damage) => {
    it('is a miss', async () => {
      const all = setUp();
      const get = all.cache.get('k', () => 'loaded');
      const entry = all.entry('damaged', damage);
      await all.reply({ kind: 'found', entry, lease: all.tier.lease() });
      if (all.tier.all('commit').length > 0) all.tier.last('commit').reply.resolve('stored');

      expect(await outcomeOf(get)).toBe('loaded');
      expect(all.tier.ended()).toEqual([1]);
    });

    it('is nothing to who has no loader, and leaves memory whole', async () => {
      const all = setUp();
      const get = all.cache.get('k');
      await all.reply({ kind: 'found', entry: all.entry(null, damage) });
      expect(await outcomeOf(get)).toBeUndefined();

      const again = all.cache.get('k');
      await settle();
      expect(all.tier.all('lookup')).toHaveLength(2);
      await all.reply({ kind: 'missing' });
      expect(await outcomeOf(again)).toBeUndefined();
      void all.cache.set('k', 'set');
      expect(all.cache.peek('k')).toBe('set');
      expect(all.cache.size).toBe(1);
      await all.clock.advance(3_600_000);
      expect(all.cache.size).toBe(0);
    });
  });

  it.each(['__proto__', 'constructor', '', 's', 's9:k', 'n', 'nNaN', 'b;', '\0', '\ud800', '%'])(
    'under the key %j makes the host throw nothing',
    async (key) => {
      const all = setUp();
      void all.cache.set('k', 'v');
      all.tier.host().invalidate([key, key]);
      all.tier.host().invalidateTags([key]);
      all.tier.host().fail(new Error('x'), key);
      all.tier.host().report(key, key);
      await settle();

      expect(all.cache.peek('k')).toBe('v');
    },
  );

  it('that dies the moment it is found is served to nobody', async () => {
    const all = setUp();
    const entry = all.entry('dead', { freshUntil: all.clock.now() });
    const get = all.cache.get('k', () => 'loaded');
    await all.reply({ kind: 'found', entry });

    expect(await outcomeOf(get)).toBe('loaded');
  });
});

describe('a tier that vouches for nothing', () => {
  it.each<[string, () => boolean]>([
    [
      'throws',
      () => {
        throw new Error('x');
      },
    ],
    ['says no', () => false],
  ])('when coherent %s is asked at every get', async (_how, coherent) => {
    const all = setUp({}, { coherent });
    for (const value of ['first', 'second']) {
      const get = all.cache.get('k');
      await all.reply({ kind: 'found', entry: all.entry(value) });
      expect(await outcomeOf(get)).toBe(value);
      expect(all.cache.peek('k')).toBeUndefined();
    }
  });

  it('serves memory again once it vouches for it, what was invalidated meanwhile excepted', async () => {
    const all = setUp();
    void all.cache.setMany([
      ['k', 'v'],
      ['l', 'v'],
    ]);
    all.tier.last('setMany').reply.resolve(undefined);
    await settle();
    all.tier.state.coherent = false;
    expect([all.cache.peek('k'), all.cache.peek('l')]).toEqual([undefined, undefined]);
    all.tier.host().invalidate([wire]);
    all.tier.state.coherent = true;

    expect([all.cache.peek('k'), all.cache.peek('l')]).toEqual([undefined, 'v']);
  });

  it('stops vouching between two hits', async () => {
    const all = setUp();
    void all.cache.set('k', 'mine');
    all.tier.last('set').reply.resolve(undefined);
    expect(await all.cache.get('k')).toBe('mine');
    all.tier.state.coherent = false;
    const get = all.cache.get('k');
    await all.reply({ kind: 'found', entry: all.entry('theirs') });

    expect(await outcomeOf(get)).toBe('theirs');
  });
});

describe('another process that loads', () => {
  it('is waited for however often it begins anew', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'loaded');
    const settled: Deferred<TierAnswer>[] = [];
    const busy = (): TierAnswer => ({
      kind: 'busy',
      settled: () => {
        settled.push(deferred<TierAnswer>());
        return settled.at(-1)!.promise;
      },
    });
    const get = all.cache.get('k', loader);
    await all.reply(busy());
    for (let round = 0; round < 3; round++) {
      settled.at(-1)?.resolve(busy());
      await settle();
    }
    settled.at(-1)?.resolve({ kind: 'found', entry: all.entry('theirs') });

    expect(await outcomeOf(get)).toBe('theirs');
    expect(loader).not.toHaveBeenCalled();
  });

  it('leaves a caller its own timeout and signal', async () => {
    const all = setUp();
    const stop = new AbortController();
    const hurried = all.cache.get('k', { loader: () => 'v', timeout: 50 });
    const leaving = all.cache.get('k', { loader: () => 'v', signal: stop.signal });
    const states = [stateOf(hurried), stateOf(leaving)];
    await Promise.all(states);
    await all.reply({ kind: 'busy', settled: never });
    await all.clock.advance(50);
    stop.abort(new Error('gone'));

    expect(await outcomeOf(hurried)).toMatchObject({ error: { code: 'ERR_ACACHE_LOAD_TIMEOUT' } });
    expect(await outcomeOf(leaving)).toMatchObject({ error: { message: 'gone' } });
  });

  it('keeps no caller from a fallback value of the tier once softTimeout has passed', async () => {
    const clock = fakeClock();
    const tier = memoryTier();
    const windows = { ttl: 1000, staleIfError: 60_000 };
    const [owner, other] = ['owner', 'other'].map(
      () => new AsyncCache<string, string>({ name: 'c', tier, clock, ...windows }),
    ) as [AsyncCache<string, string>, AsyncCache<string, string>];
    await owner.set('k', 'fallback');
    await clock.advance(2000);
    const hanging = owner.get('k', never);
    hanging.catch(() => undefined);
    await settle();
    const get = other.getWithMeta('k', { loader: () => 'mine', softTimeout: 100 });
    await settle();
    await clock.advance(100);

    expect(await outcomeOf(get)).toMatchObject({ value: 'fallback', status: 'error-stale' });
    await Promise.all([owner.close(), other.close()]);
  });
});

describe('a stale entry of the tier', () => {
  const staleEntry = (all: SetUp, windows: Partial<Entry>): Entry =>
    all.entry('old', {
      createdAt: all.clock.now() - 2000,
      freshUntil: all.clock.now() - 1000,
      ...windows,
    });

  it('with a lease is served, and refreshed once behind it', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'new');
    const gets = [all.cache.getWithMeta('k', loader), all.cache.getWithMeta('k', loader)];
    const entry = staleEntry(all, { staleWhileRevalidate: 60_000 });
    await all.reply({ kind: 'found', entry, lease: all.tier.lease() });

    for (const get of gets) {
      expect(await outcomeOf(get)).toMatchObject({ value: 'old', status: 'stale', source: 'tier' });
    }
    expect(loader).toHaveBeenCalledTimes(1);
    all.tier.last('commit').reply.resolve('stored');
    await settle();
    expect(all.cache.peek('k')).toBe('new');
    expect(all.tier.ended()).toEqual([1]);
  });

  it('without a lease is served, and refreshed by nobody here', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'new');
    const get = all.cache.getWithMeta('k', loader);
    const entry = staleEntry(all, { staleWhileRevalidate: 60_000 });
    await all.reply({ kind: 'found', entry });

    expect(await outcomeOf(get)).toMatchObject({ value: 'old', status: 'stale' });
    expect(loader).not.toHaveBeenCalled();
  });

  it('whose refresh fails gives its lease back, once', async () => {
    const all = setUp();
    const get = all.cache.get('k', () => Promise.reject(new Error('down')));
    const entry = staleEntry(all, { staleWhileRevalidate: 60_000 });
    await all.reply({ kind: 'found', entry, lease: all.tier.lease() });

    expect(await outcomeOf(get)).toBe('old');
    expect(all.tier.ended()).toEqual([1]);
    expect(all.errors).toMatchObject([{ source: 'refresh' }]);
  });

  it('that only a failure may serve is what callers get when the loader fails', async () => {
    const all = setUp();
    const get = all.cache.getWithMeta('k', () => Promise.reject(new Error('down')));
    const entry = staleEntry(all, { staleIfError: 60_000 });
    await all.reply({ kind: 'found', entry, lease: all.tier.lease() });

    expect(await outcomeOf(get)).toMatchObject({ value: 'old', status: 'error-stale' });
    expect(all.tier.ended()).toEqual([1]);
  });

  it('that only a failure may serve is what callers get whose softTimeout passed before it was found', async () => {
    const all = setUp();
    const get = all.cache.getWithMeta('k', { loader: never, softTimeout: 100 });
    await settle();
    await all.clock.advance(100);
    const entry = staleEntry(all, { staleIfError: 60_000 });
    await all.reply({ kind: 'found', entry, lease: all.tier.lease() });

    expect(await outcomeOf(get)).toMatchObject({ value: 'old', status: 'error-stale' });
  });

  it('that only a failure may serve makes who joined a look ask for a lease before it loads', async () => {
    const all = setUp();
    const looking = all.cache.get('k');
    const loading = all.cache.get('k', () => 'new');
    const entry = staleEntry(all, { staleIfError: 60_000 });
    await settle();
    const [request] = all.tier.last('lookup').args[0] as TierRequest[];
    await all.reply({ kind: 'found', entry });
    if (request?.intent === 'read') {
      expect(all.tier.all('lookup')).toHaveLength(2);
      await all.reply({ kind: 'found', entry, lease: all.tier.lease() });
    }
    for (const commit of all.tier.all('commit')) commit.reply.resolve('stored');

    expect(await outcomeOf(loading)).toBe('new');
    expect(['new', undefined]).toContain(await outcomeOf(looking));
  });

  it('asks for no lookup at every hit while another process refreshes it', async () => {
    const all = setUp();
    const entry = staleEntry(all, { staleWhileRevalidate: 60_000 });
    const loader = (): string => 'new';
    const get = all.cache.get('k', loader);
    await all.reply({ kind: 'found', entry });
    await get;
    for (let hit = 0; hit < 20; hit++) {
      expect(await all.cache.get('k', loader)).toBe('old');
      await all.reply({ kind: 'found', entry });
    }

    expect(all.tier.all('lookup').length).toBeLessThan(5);
  });
});

describe('who leaves while the tier is asked', () => {
  it('has nothing loaded for it, and the lease is given back once', async () => {
    const all = setUp();
    const stop = new AbortController();
    const loader = jest.fn(() => 'v');
    const get = all.cache.get('k', { loader, signal: stop.signal });
    await settle();
    stop.abort(new Error('gone'));
    expect(await outcomeOf(get)).toMatchObject({ error: { message: 'gone' } });
    await all.reply({ kind: 'missing', lease: all.tier.lease() });

    expect(loader).not.toHaveBeenCalled();
    expect(all.tier.ended()).toEqual([1]);
  });

  it('while another process loads, has nothing loaded for it afterwards', async () => {
    const all = setUp();
    const stop = new AbortController();
    const settled = deferred<TierAnswer>();
    const loader = jest.fn(() => 'v');
    const get = all.cache.get('k', { loader, signal: stop.signal });
    get.catch(() => undefined);
    await all.reply({ kind: 'busy', settled: () => settled.promise });
    stop.abort();
    settled.resolve({ kind: 'missing', lease: all.tier.lease() });
    await settle();

    expect(loader).not.toHaveBeenCalled();
    expect(all.tier.ended()).toEqual([1]);
  });
});

describe('a lease that comes late', () => {
  it('is given back, once, when the deadline has passed', async () => {
    const all = setUp();
    const get = all.cache.get('k', () => 'alone');
    await settle();
    await all.clock.advance(1000);
    expect(await outcomeOf(get)).toBe('alone');
    await all.reply({ kind: 'missing', lease: all.tier.lease() });

    expect(all.tier.ended()).toEqual([1]);
  });

  it('is given back, once, when it comes in the very turn of the deadline', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const all = setUp();
      const get = all.cache.get('k', () => 'alone');
      await settle();
      void all.clock.advance(1000);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      all.tier.last('lookup').reply.resolve([{ kind: 'missing', lease: all.tier.lease() }]);
      await settle();
      for (const commit of all.tier.all('commit')) commit.reply.resolve('stored');

      expect(await outcomeOf(get)).toBe('alone');
      expect([turns, all.tier.ended()]).toEqual([turns, [1]]);
    }
  });

  it('is given back beside answers that are none', async () => {
    const all = setUp();
    void all.cache.getMany(['a', 'b'], { loader: () => 'v' });
    await settle();
    await all.clock.advance(1000);
    all.tier
      .last('lookup')
      .reply.resolve([undefined, { kind: 'missing', lease: all.tier.lease() }]);
    await settle();

    expect(all.tier.ended()).toEqual([1]);
  });
});

describe('a change that the tier does not take', () => {
  it('leaves an entry stale that was expired meanwhile', async () => {
    const all = setUp({ staleIfError: '1h' });
    void all.cache.set('k', 'v');
    void all.cache.expire('k');
    expect(all.cache.has('k')).toBe(false);
    all.tier.last('set').reply.reject(new Error('down'));
    await settle();

    expect(all.cache.has('k')).toBe(false);
  });

  it('leaves the tags of an equal value that was set after it', async () => {
    const all = setUp();
    void all.cache.set('k', 'same', { tags: ['first'] });
    void all.cache.set('k', 'same', { tags: ['second'] });
    const [first, second] = all.tier.all('set');
    second?.reply.resolve(undefined);
    await settle();
    first?.reply.reject(new Error('down'));
    await settle();
    void all.cache.invalidateTags('second');

    expect(all.cache.has('k')).toBe(false);
  });

  it('leaves what another process told of forgotten', async () => {
    const all = setUp();
    void all.cache.set('k', 'v');
    all.tier.host().invalidate([wire]);
    all.tier.last('set').reply.reject(new Error('down'));
    await settle();

    expect(all.cache.has('k')).toBe(false);
  });

  it('shortens what memory keeps of it, NaN too', async () => {
    const clock = fakeClock();
    const tier = controlledTier();
    const cache = new AsyncCache<string, number>({ name: 'c', clock, tier: tier.tier });
    void cache.set('k', NaN);
    tier.last('set').reply.reject(new Error('down'));
    await settle();
    expect(cache.has('k')).toBe(true);
    await clock.advance(2000);

    expect(cache.has('k')).toBe(false);
  });

  it('lets every call settle when the tier throws at once', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    const all = setUp(
      {},
      { set: boom, setMany: boom, delete: boom, expire: boom, invalidateTags: boom, clear: boom },
    );
    const calls = Promise.all([
      all.cache.set('k', 'v'),
      all.cache.setMany([['l', 'v']]),
      all.cache.delete('k'),
      all.cache.expire('l'),
      all.cache.invalidateTags('t'),
      all.cache.clear(),
    ]);

    expect(await outcomeOf(calls)).toHaveLength(6);
    expect(all.errors).toHaveLength(6);
    await all.cache.close();
    expect(all.clock.pending).toBe(0);
  });

  it('is told the tier only where there is one', async () => {
    const all = setUp();
    const empty = all.cache.setMany([]);
    void all.cache.setMany([['k', 'v']], { ttl: 0 });
    await settle();

    expect(all.tier.all('setMany')).toHaveLength(0);
    expect(all.tier.all('delete')).toHaveLength(1);
    expect(await stateOf(empty)).toBe('done');
  });

  it('is told with the key where the tier names one', () => {
    const all = setUp();
    const error = new Error('damaged');
    all.tier.host().fail(error, wire);

    expect(all.errors).toEqual([{ error, source: 'tier', key: 'k' }]);
  });
});

describe('flush', () => {
  it('waits for what was told before it, and for the tier', async () => {
    const all = setUp();
    void all.cache.set('k', 'v');
    const flushed = all.cache.flush();
    expect(await stateOf(flushed)).toBe('pending');
    expect(all.tier.all('flush')).toHaveLength(0);
    all.tier.last('set').reply.resolve(undefined);
    expect(await stateOf(flushed)).toBe('pending');
    void all.cache.set('later', 'v');
    all.tier.last('flush').reply.resolve(undefined);

    expect(await stateOf(flushed)).toBe('done');
  });

  it('rejects with what the tier rejects with, each that waits', async () => {
    const all = setUp();
    const flushes = [all.cache.flush(), all.cache.flush()];
    const outcomes = flushes.map((flushed) => outcomeOf(flushed));
    await settle();
    const error = new Error('down');
    for (const flush of all.tier.all('flush')) flush.reply.reject(error);

    for (const flushed of flushes) expect(await outcomeOf(flushed)).toEqual({ error });
    await Promise.all(outcomes);
  });

  it('rejects when the tier throws at once', async () => {
    const error = new Error('boom');
    const all = setUp(
      {},
      {
        flush: () => {
          throw error;
        },
      },
    );

    expect(await outcomeOf(all.cache.flush())).toEqual({ error });
  });

  it('that hangs is settled by close', async () => {
    const all = setUp();
    const flushed = all.cache.flush();
    flushed.catch(() => undefined);
    await settle();
    await all.cache.close();

    expect(await stateOf(flushed)).not.toBe('pending');
  });
});

describe('close', () => {
  const moments: [string, (all: SetUp) => Promise<unknown>][] = [
    ['before a lookup is sent', () => Promise.resolve()],
    ['during a lookup', () => settle()],
    ['while another process loads', (all) => all.reply({ kind: 'busy', settled: never })],
    ['during a load', (all) => all.reply({ kind: 'missing', lease: all.tier.lease() })],
  ];
  it.each(moments)('%s settles who waits, and leaves no timer', async (_when, reach) => {
    const all = setUp();
    const get = all.cache.get('k', never);
    const set = all.cache.set('other', 'v');
    get.catch(() => undefined);
    await reach(all);
    await all.cache.close();

    expect(await outcomeOf(get)).toMatchObject({ error: { code: 'ERR_ACACHE_CLOSED' } });
    expect(await stateOf(set)).toBe('done');
    expect(all.clock.pending).toBe(0);
    expect(all.tier.ended().every((times) => times === 1)).toBe(true);
  });

  it('gives the lease of a running load back before the tier is closed', async () => {
    const all = setUp();
    const get = all.cache.get('k', never);
    get.catch(() => undefined);
    await all.reply({ kind: 'missing', lease: all.tier.lease() });
    await all.cache.close();

    expect(all.tier.ended()).toEqual([1]);
    expect(all.tier.calls.map(({ name }) => name)).toEqual(['lookup', 'release', 'close']);
  });

  it('during a commit settles who waits, and stores nothing afterwards', async () => {
    const all = setUp();
    const get = all.cache.get('k', () => 'v');
    await all.reply({ kind: 'missing', lease: all.tier.lease() });
    await all.cache.close();
    expect(await outcomeOf(get)).toMatchObject({ error: { code: 'ERR_ACACHE_CLOSED' } });
    all.tier.last('commit').reply.resolve('stored');
    await settle();

    expect(all.cache.size).toBe(0);
    expect(all.tier.ended()).toEqual([1]);
    expect(all.clock.pending).toBe(0);
  });

  it('gives a lease back that arrives after it, once, and loads nothing', async () => {
    const all = setUp();
    const loader = jest.fn(() => 'v');
    const get = all.cache.get('k', loader);
    get.catch(() => undefined);
    await settle();
    await all.cache.close();
    await all.reply({ kind: 'missing', lease: all.tier.lease() });

    expect(loader).not.toHaveBeenCalled();
    expect(all.tier.ended()).toEqual([1]);
    expect(all.clock.pending).toBe(0);
  });

  it.each<[string, TierNamespace['close']]>([
    ['hangs', never],
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
  ])('ends before three seconds have passed when the tier’s own %s', async (_how, close) => {
    const all = setUp({}, { close });
    const closed = all.cache.close();
    await all.clock.advance(2990);

    expect(await stateOf(closed)).toBe('done');
    expect(all.clock.pending).toBe(0);
  });

  it('lets the host change and tell nothing any more', async () => {
    const all = setUp();
    await all.cache.close();
    all.tier.host().invalidate([wire]);
    all.tier.host().invalidateTags(['t']);
    all.tier.host().invalidateAll();
    all.tier.host().report('up');
    all.tier.host().fail(new Error('late'));

    expect(all.errors).toEqual([]);
  });
});

describe('attaching', () => {
  it('lets the constructor throw what the tier throws', () => {
    const error = new Error('no');
    const tier: Tier = {
      attach() {
        throw error;
      },
    };
    expect(() => new AsyncCache({ name: 'c', tier })).toThrow(error);
  });

  it('lets the tier speak at once', () => {
    const inner = controlledTier();
    const tier: Tier = {
      attach(name, host) {
        host.invalidate([wire]);
        host.invalidateTags(['t']);
        host.invalidateAll();
        host.report('connecting');
        host.fail(new Error('x'));
        return inner.tier.attach(name, host);
      },
    };
    expect(() => new AsyncCache({ name: 'c', tier })).not.toThrow();
  });

  it.each<[string, () => Promise<void>]>([
    ['never', never],
    ['with a rejection', () => Promise.reject(new Error('down'))],
  ])('makes ready wait no longer than 2.5 s when the tier is ready %s', async (_how, ready) => {
    const all = setUp({}, { ready: ready(), deadline: 100 });
    await all.clock.advance(2500);

    expect(await stateOf(all.cache.ready)).toBe('done');
    expect(all.clock.pending).toBe(0);
  });

  it('leaves no namespace open when what the tier says of itself cannot be meant', async () => {
    const tier = controlledTier({ deadline: 'soon' as never });
    expect(() => new AsyncCache({ name: 'c', tier: tier.tier })).toThrow(/deadline of the tier/);
    await settle();

    expect(tier.all('close')).toHaveLength(1);
  });
});

/** Numbers from 0 to 1 that a seed decides. */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** A tier whose answers and messages arrive when the test lets them; its effects come at once. */
function slowTier(behind: Tier, wires: (() => void)[][]): Tier {
  const answers: (() => void)[] = [];
  wires.push(answers);
  const later = async <T>(call: () => Promise<T>): Promise<T> => {
    const result = await call();
    await new Promise<void>((resolve) => answers.push(resolve));
    return result;
  };
  const laterLease = (lease: TierLease): TierLease => ({
    commit: (entry) => later(() => lease.commit(entry)),
    release: () => later(() => lease.release()),
  });
  const laterAnswer = (answer: TierAnswer): TierAnswer => {
    if (answer.kind === 'busy') {
      return {
        ...answer,
        settled: () => later(async () => laterAnswer(await answer.settled())),
      };
    }
    if (!('lease' in answer) || answer.lease === undefined) return answer;
    return { ...answer, lease: laterLease(answer.lease) };
  };
  return {
    attach(name, host) {
      // Messages keep their order; answers do not.
      const messages: (() => void)[] = [];
      wires.push(messages);
      const space = behind.attach(name, {
        ...host,
        invalidate: (keys) => void messages.push(() => host.invalidate(keys)),
        invalidateTags: (tags) => void messages.push(() => host.invalidateTags(tags)),
        invalidateAll: () => void messages.push(() => host.invalidateAll()),
      });
      return {
        ready: space.ready,
        deadline: '1d',
        coherent: () => true,
        lookup: (requests) => later(async () => (await space.lookup(requests)).map(laterAnswer)),
        set: (key, entry) => later(() => space.set(key, entry)),
        delete: (key) => later(() => space.delete(key)),
        expire: (key) => later(() => space.expire(key)),
        invalidateTags: (tags) => later(() => space.invalidateTags(tags)),
        clear: () => later(() => space.clear()),
        flush: () => space.flush(),
        close: () => space.close(),
      };
    },
  };
}

describe('three processes, whose answers and messages arrive in any order', () => {
  const KEYS = ['a', 'b', 'c'];
  const SCHEDULES = Number(process.env.ACACHE_SCHEDULES ?? 300);

  async function run(seed: number): Promise<string[]> {
    const random = randomOf(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const clock = fakeClock();
    const shared = memoryTier();
    const wires: (() => void)[][] = [];
    const options = { name: 'c', clock, ttl: 1000, staleWhileRevalidate: 500, staleIfError: 500 };
    const caches = [0, 1, 2].map(
      () => new AsyncCache<string, number>({ ...options, tier: slowTier(shared, wires) }),
    );
    const truth = new Map(KEYS.map((key) => [key, 0]));
    const loads: (() => void)[] = [];
    const wrong: string[] = [];
    const note = (event: string): void => void wrong.push(`seed ${seed}: ${event}`);

    const get = (cache: AsyncCache<string, number>, key: string, refresh: boolean): void => {
      const late = random() < 0.3;
      const failing = random() < 0.1;
      void cache
        .get(key, {
          refresh,
          ...(late ? {} : { tags: [key] }),
          loader: (_key, context) =>
            new Promise<number>((resolve, reject) => {
              const value = truth.get(key) as number;
              loads.push(() => {
                if (late) context.tag(key);
                if (failing) reject(new Error('down'));
                else resolve(value);
              });
            }),
        })
        .then(
          (value) => {
            if (value > (truth.get(key) as number)) note(`a value of the future of ${key}`);
          },
          () => undefined,
        );
    };
    const change = (cache: AsyncCache<string, number>, key: string): void => {
      const value = (truth.get(key) as number) + 1;
      truth.set(key, value);
      const how = random();
      if (how < 0.3) void cache.delete(key);
      else if (how < 0.6) void cache.set(key, value, { tags: [key] });
      else if (how < 0.85) void cache.invalidateTags(key);
      else void cache.clear();
      const held = cache.peek(key);
      if (held !== undefined && held !== value) note(`${held} of ${key} after its change`);
    };
    const arrive = (): void => {
      const wire = pick(wires);
      const at = wires.indexOf(wire) % 2 === 0 ? Math.floor(random() * wire.length) : 0;
      wire.splice(at, 1)[0]?.();
    };

    for (let step = 0; step < 80; step++) {
      const what = random();
      if (what < 0.3) get(pick(caches), pick(KEYS), random() < 0.1);
      else if (what < 0.4) change(pick(caches), pick(KEYS));
      else if (what < 0.55) loads.splice(Math.floor(random() * loads.length), 1)[0]?.();
      else if (what < 0.9) arrive();
      else await clock.advance(pick([1, 100, 600]));
      if (random() < 0.5) await settle();
    }
    for (let round = 0; round < 100; round++) {
      await settle();
      for (const load of loads.splice(0)) load();
      for (const wire of wires) for (const come of wire.splice(0)) come();
    }
    await settle();

    for (const [key, value] of truth) {
      for (const [at, cache] of caches.entries()) {
        const held = cache.peek(key);
        if (held !== undefined && held !== value) note(`process ${at} serves ${held} of ${key}`);
      }
      const [answer] = await shared
        .attach('c', { clock } as unknown as TierHost)
        .lookup([{ key: wireKeyOf(key), intent: 'load', tags: [] }]);
      const kept = answer?.kind === 'found' ? answer.entry : undefined;
      if (kept !== undefined && kept.freshUntil > clock.now() && kept.value !== value) {
        note(`the tier holds ${String(kept.value)} of ${key}`);
      }
      if (answer?.kind === 'busy') note(`a lease of ${key} was not given back`);
      if (answer?.kind === 'found' && answer.lease === undefined && kept!.freshUntil <= clock.now())
        note(`a lease of ${key} was not given back`);
    }
    await Promise.all(caches.map((cache) => cache.close()));
    if (clock.pending > 0) note('timers are left');
    return wrong;
  }

  it('hold no value that was changed, and no lease, once all has arrived', async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) expect(await run(seed)).toEqual([]);
  }, 600_000);
});
