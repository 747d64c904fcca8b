import { deferred, settle, stateOf, type Deferred } from '../test/deferred.js';
import { failOnUnhandledRejections, outcomeOf } from '../test/outcome.js';
import { AsyncCache, type AsyncCacheOptions } from './index.js';
import { wireKeyOf } from './cache-key.js';
import { diesAt, type Entry } from './entry.js';
import type { Archive, Persistence, PersistenceHost } from './persistence.js';
import { fakeClock, memoryTier } from './testing.js';

/*
 * What a persistence can do at the worst moment. Every promise of it is settled by the test.
 */

type Told = [call: string, ...args: unknown[]];

/** A persistence that restores, flushes and closes when the test says so. */
function controlledPersistence(overrides: Partial<Persistence> = {}) {
  const told: Told[] = [];
  const open = deferred<void>();
  const flushes: Deferred<void>[] = [];
  const closed = deferred<void>();
  let host: PersistenceHost | undefined;
  const persistence: Persistence = {
    open(given) {
      host = given;
      told.push(['open']);
      return open.promise;
    },
    set: (key, { value }) => void told.push(['set', key, value]),
    delete: (key) => void told.push(['delete', key]),
    clear: () => void told.push(['clear']),
    flush() {
      told.push(['flush']);
      flushes.push(deferred<void>());
      return flushes.at(-1)!.promise;
    },
    close() {
      told.push(['close']);
      return closed.promise;
    },
    ...overrides,
  };
  return {
    persistence,
    told,
    open,
    flushes,
    closed,
    host: () => host as PersistenceHost,
    /** What it was told, `open` excepted. */
    changes: () => told.filter(([call]) => call !== 'open'),
  };
}

type Options = AsyncCacheOptions<any>;

let restoresFromArchive = false;

function setUp(options: Options = {}, overrides: Partial<Persistence> = {}) {
  const clock = fakeClock();
  const file = controlledPersistence(overrides);
  const cache = new AsyncCache<any, any>({
    clock,
    persistence: file.persistence,
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
  const archived: [key: string, entry: Entry][] = [];
  const archive: Archive = {
    length: 10,
    find: (key) => archived.findIndex(([held]) => held === key),
    keyAt: (position) => (archived[position] as [string, Entry])[0],
    entryAt: (position) => (archived[position] as [string, Entry])[1],
    diesAt: (position) => diesAt(archive.entryAt(position)),
    isTagged: (position) => archive.entryAt(position).tags.length > 0,
  };
  const restore = (key: unknown, value: unknown, more: Partial<Entry> = {}): void => {
    const wireKey = wireKeyOf(key as string);
    if (restoresFromArchive) {
      archived.push([wireKey, entry(value, more)]);
      file.host().restoreFrom?.(archive, archived.length - 1);
    } else {
      file.host().restore(wireKey, entry(value, more));
    }
  };
  return { clock, file, cache, errors, entry, restore };
}

failOnUnhandledRejections();

const wire = wireKeyOf('k');
const boom = (): never => {
  throw new Error('boom');
};

describe.each([
  { how: 'one by one', archive: false },
  { how: 'from an archive', archive: true },
])('a restore $how', ({ archive }) => {
  beforeAll(() => {
    restoresFromArchive = archive;
  });

  afterAll(() => {
    restoresFromArchive = false;
  });

  it('holds back every read until it has ended', async () => {
    const { cache, file, restore } = setUp();
    const loader = jest.fn(() => 'loaded');
    const reads = Promise.all([
      cache.get('k', loader),
      cache.getWithMeta('k', loader).then(({ value }) => value),
      cache.getMany(['k'], { loader }).then((found) => found.get('k') as string),
    ]);
    expect(await stateOf(reads)).toBe('pending');
    restore('k', 'kept');
    expect(await stateOf(reads)).toBe('pending');
    file.open.resolve();

    expect(await outcomeOf(reads)).toEqual(['kept', 'kept', 'kept']);
    expect(loader).not.toHaveBeenCalled();
  });

  const changes: [string, (cache: AsyncCache<any>) => unknown, unknown][] = [
    ['set', (cache) => cache.set('k', 'new'), 'new'],
    ['setMany', (cache) => cache.setMany([['k', 'new']]), 'new'],
    ['set without ttl', (cache) => cache.set('k', 'new', { ttl: 0 }), undefined],
    ['delete', (cache) => cache.delete('k'), undefined],
    ['invalidateTags', (cache) => cache.invalidateTags('t'), undefined],
    ['clear', (cache) => cache.clear(), undefined],
  ];
  describe.each(changes)('that %s crosses', (_name, change, expected) => {
    it('brings nothing back, whether the entry comes before or after', async () => {
      for (const before of [true, false]) {
        const { cache, file, restore } = setUp();
        if (before) restore('k', 'old', { tags: ['t'] });
        void change(cache);
        if (!before) restore('k', 'old', { tags: ['t'] });
        file.open.resolve();
        await settle();

        expect(cache.peek('k')).toBe(expected);
        expect(cache.size).toBe(expected === undefined ? 0 : 1);
      }
    });
  });

  it('keeps an entry expired that was expired before it came', async () => {
    const { cache, file, restore } = setUp();
    void cache.expire('k');
    restore('k', 'old', { staleIfError: 60_000 });
    file.open.resolve();
    await settle();

    expect(cache.has('k')).toBe(false);
  });

  it('tells of nothing that it brought itself', async () => {
    const { file, restore } = setUp();
    restore('k', 'kept');
    restore('k', 'again');
    file.open.resolve();
    await settle();

    expect(file.changes()).toEqual([]);
  });

  it('takes the first of two entries of one key, or the last, but one', async () => {
    const { cache, file, entry } = setUp();
    file.host().restore(wireKeyOf('k'), entry('first'));
    file.host().restore(wireKeyOf('k'), entry('second'));
    file.open.resolve();
    await settle();

    expect(cache.size).toBe(1);
    expect(['first', 'second']).toContain(cache.peek('k'));
  });

  it('leaves out what is dead, and what dies on the way', async () => {
    const { cache, clock, file, restore } = setUp();
    restore('dead', 'v', { freshUntil: clock.now() });
    restore('dying', 'v', { freshUntil: clock.now() + 10 });
    await clock.advance(10);
    file.open.resolve();
    await settle();

    expect(cache.size).toBe(0);
    expect(await outcomeOf(cache.get('dying', () => 'new'))).toBe('new');
  });

  it('of more than maxSize keeps what came last, and tells that the rest is gone', async () => {
    const { cache, file, restore } = setUp({ maxSize: 2 });
    for (const key of ['a', 'b', 'c']) restore(key, key);
    file.open.resolve();
    await settle();

    expect(cache.size).toBe(2);
    expect(['a', 'b', 'c'].filter((key) => cache.has(key))).toEqual(['b', 'c']);
    expect(file.changes()).toEqual([['delete', wireKeyOf('a')]]);
  });

  it('of more than maxSize evicts nothing that was set while it ran', async () => {
    const { cache, file, restore } = setUp({ maxSize: 3 });
    restore('a', 'a');
    void cache.set('new', 'v');
    for (const key of ['b', 'c', 'd']) restore(key, key);
    file.open.resolve();
    await settle();

    expect(cache.peek('new')).toBe('v');
    expect(cache.size).toBe(3);
  });

  it('is over when open has resolved: what comes later is not taken', async () => {
    const { cache, file, restore } = setUp();
    file.open.resolve();
    await settle();
    restore('k', 'late');

    expect(cache.size).toBe(0);
  });

  it('is over when open has rejected: what came stays, what comes later does not', async () => {
    const { cache, file, restore } = setUp();
    restore('early', 'v');
    file.open.reject(new Error('damaged'));
    await settle();
    restore('late', 'v');

    expect(cache.peek('early')).toBe('v');
    expect(cache.has('late')).toBe(false);
    void cache.set('k', 'v');
    void cache.delete('early');
    expect(file.changes()).toEqual([]);
  });

  it('that brings entries and then hangs lets reads go on after a while', async () => {
    const { cache, clock, restore } = setUp();
    const get = cache.get('k', () => 'loaded');
    restore('other', 'v');
    await clock.advance(4000);
    restore('k', 'kept');
    await clock.advance(4000);
    expect(await stateOf(get)).toBe('pending');
    await clock.advance(10_000);

    expect(await outcomeOf(get)).toBe('kept');
  });

  it('that ends after reads went on without it takes nothing of theirs away', async () => {
    const { cache, clock, file, restore } = setUp();
    const get = cache.get('k', () => 'loaded');
    await clock.advance(15_000);
    expect(await outcomeOf(get)).toBe('loaded');
    restore('k', 'old');
    file.open.resolve();
    await settle();

    expect(cache.peek('k')).toBe('loaded');
  });

  it('is opened before it is told of anything, though a tier speaks at once', () => {
    const tier = memoryTier();
    const { file } = setUp({
      name: 'c',
      tier: {
        attach(name, host) {
          host.invalidate([wire]);
          host.invalidateAll();
          return tier.attach(name, host);
        },
      },
    });

    expect(file.told[0]).toEqual(['open']);
  });
});

describe('a restored entry that no cache wrote', () => {
  const damages: [string, Record<string, unknown>][] = [
    ['without an end', { freshUntil: undefined }],
    ['with an end that is no number', { freshUntil: NaN }],
    ['that ended before time began', { freshUntil: -1 }],
    ['that was stored at no time and never ends', { createdAt: NaN, freshUntil: Infinity }],
    ['that begins after time', { createdAt: Infinity, freshUntil: Infinity }],
    ['whose stale window is none', { staleWhileRevalidate: NaN, staleIfError: NaN }],
    ['without tags', { tags: undefined }],
    ['with null for tags', { tags: null }],
    ['with a text for tags', { tags: 'abc' }],
  ];
  it.each(damages)('%s is a miss, and leaves memory whole', async (_what, damage) => {
    const { cache, clock, errors, file, restore } = setUp();
    void cache.invalidateTags('t');
    expect(() => {
      restore('k', null, damage);
      restore('good', 'v');
    }).not.toThrow();
    file.open.resolve();
    await settle();

    expect(cache.peek('good')).toBe('v');
    expect(await outcomeOf(cache.get('k', () => 'loaded'))).toBe('loaded');
    expect(await outcomeOf(cache.get('k', () => 'again'))).toBe('loaded');
    expect(cache.size).toBe(2);
    await clock.advance(3_600_000);
    expect(cache.size).toBe(0);
    expect(errors.length).toBeLessThanOrEqual(1);
  });

  it.each([
    '',
    's',
    's9:k',
    'n',
    'nNaN',
    'n01;',
    'b',
    'b;',
    't',
    '\0',
    '\ud800',
    '__proto__',
    'w%',
  ])('under the key %j is restored, and told by the same text', async (key) => {
    const { cache, entry, file } = setUp();
    file.host().restore(key, entry('v'));
    file.open.resolve();
    await settle();
    expect(cache.size).toBe(1);
    expect([...file.host().order()]).toEqual([key]);
    await cache.invalidateTags('none');
    await cache.clear();

    expect(cache.size).toBe(0);
  });

  it('none of which is an object makes restore throw nothing', async () => {
    const { cache, file } = setUp();
    for (const entry of [undefined, null, 1, 'text', {}]) {
      expect(() => file.host().restore(wire, entry as Entry)).not.toThrow();
    }
    file.open.resolve();
    await settle();

    expect(await outcomeOf(cache.get('k', () => 'loaded'))).toBe('loaded');
  });

  const sealed = (all: ReturnType<typeof setUp>, make: () => unknown): Entry => {
    const { createdAt, freshUntil, ...rest } = all.entry(undefined);
    return Object.defineProperty({ ...rest, createdAt, freshUntil }, 'value', {
      get: make,
      enumerable: true,
    });
  };

  it('and whose value cannot be made is a miss, and told as deleted, once', async () => {
    const all = setUp({ staleIfError: '1h' });
    const make = jest.fn(boom);
    all.file.host().restore(wire, sealed(all, make));
    all.file.open.resolve();
    await settle();
    expect(await outcomeOf(all.cache.get('k', () => 'loaded'))).toBe('loaded');

    expect(make).toHaveBeenCalledTimes(1);
    expect(all.errors).toMatchObject([{ source: 'persistence', key: 'k' }]);
    expect(all.file.changes()).toEqual([
      ['delete', wire],
      ['set', wire, 'loaded'],
    ]);
  });

  it('and whose value cannot be made can be expired and refreshed', async () => {
    for (const act of ['expire', 'refresh'] as const) {
      const all = setUp();
      all.file.host().restore(wire, sealed(all, boom));
      all.file.open.resolve();
      await settle();
      if (act === 'expire') void all.cache.expire('k');
      const get = all.cache.get('k', { loader: () => 'loaded', refresh: act === 'refresh' });

      expect(await outcomeOf(get)).toBe('loaded');
    }
  });

  it('and whose value cannot be made does not break a cache that weighs', async () => {
    const all = setUp({ maxWeight: 10, weigh: () => 1 });
    all.file.host().restore(wire, sealed(all, boom));
    all.file.host().restore(wireKeyOf('good'), all.entry('v'));
    all.file.open.resolve();
    await settle();

    expect(all.cache.size).toBe(1);
    expect(all.cache.peek('good')).toBe('v');
  });
});

describe('a restore with a tier', () => {
  function withTier() {
    const clock = fakeClock();
    const tier = memoryTier();
    const file = controlledPersistence();
    const options = { name: 'c', tier, clock, ttl: 60_000 };
    const other = new AsyncCache<string, string>(options);
    const cache = new AsyncCache<string, string>({ ...options, persistence: file.persistence });
    const entry = (value: string): Entry => ({
      value,
      createdAt: clock.now(),
      freshUntil: clock.now() + 60_000,
      staleWhileRevalidate: 60_000,
      staleIfError: 60_000,
      tags: [],
    });
    return { clock, tier, file, cache, other, entry };
  }

  it('serves nothing that the tier has not confirmed', async () => {
    const { cache, entry, file, other } = withTier();
    await other.set('k', 'new');
    file.host().restore(wire, entry('old'));
    file.host().restore(wireKeyOf('gone'), entry('old'));
    file.open.resolve();
    await settle();

    expect(cache.has('k')).toBe(false);
    expect(await outcomeOf(cache.get('k', () => 'loaded'))).toBe('new');
    expect(await outcomeOf(cache.get('gone'))).toBeUndefined();
    const failing = cache.get('gone', () => Promise.reject(new Error('down')));
    expect(await outcomeOf(failing)).toMatchObject({ error: { message: 'down' } });
  });

  it('holds no entry any longer that the tier says is gone', async () => {
    const { cache, entry, file } = withTier();
    file.host().restore(wire, entry('old'));
    file.open.resolve();
    await settle();
    await cache.get('k');

    expect(cache.size).toBe(0);
    expect(file.changes()).toContainEqual(['delete', wire]);
  });

  it('takes out what another process changes while it runs', async () => {
    const { cache, entry, file, other } = withTier();
    file.host().restore(wireKeyOf('l'), entry('old'));
    await other.delete('k');
    await other.delete('l');
    file.host().restore(wire, entry('old'));
    file.open.resolve();
    await settle();

    expect(cache.size).toBe(0);
  });

  it('keeps the file when the link of the tier is mended, since nothing unproven is served', async () => {
    const { cache, entry, file, tier } = withTier();
    file.host().restore(wire, entry('old'));
    file.open.resolve();
    await settle();
    tier.cut(true);
    tier.cut(false);

    expect(file.changes()).not.toContainEqual(['clear']);
    expect(cache.has('k')).toBe(false);
  });
});

describe('what a persistence is told', () => {
  it('is every change of memory, in its order', async () => {
    const { cache, clock, file } = setUp({ maxSize: 2, ttl: 1000 });
    file.open.resolve();
    await settle();
    void cache.set('a', 1);
    void cache.set('a', 2);
    await cache.get('b', () => 3);
    void cache.set('c', 4);
    void cache.delete('c');
    void cache.delete('never');
    await clock.advance(2000);
    expect(cache.size).toBe(0);
    void cache.clear();

    const [a, b, c] = ['a', 'b', 'c'].map((key) => wireKeyOf(key));
    expect(file.changes()).toEqual([
      ['set', a, 1],
      ['set', a, 2],
      ['set', b, 3],
      ['set', c, 4],
      ['delete', a],
      ['delete', c],
      ['delete', wireKeyOf('never')],
      ['delete', b],
      ['clear'],
    ]);
  });

  it('is nothing after close, not even what a late load brings', async () => {
    const { cache, file } = setUp();
    file.open.resolve();
    await settle();
    const load = deferred<string>();
    const get = cache.get('k', () => load.promise);
    get.catch(() => undefined);
    file.closed.resolve();
    await cache.close();
    load.resolve('late');
    await settle();

    expect(file.changes()).toEqual([['close']]);
  });

  it('may be thrown back at once: the cache goes on in memory, with an event for each', async () => {
    const { cache, errors, file } = setUp({}, { set: boom, delete: boom, clear: boom });
    file.open.resolve();
    await settle();
    await cache.set('k', 'v');
    expect(cache.peek('k')).toBe('v');
    expect(await cache.get('l', () => 'w')).toBe('w');
    expect(await cache.delete('k')).toBe(true);
    await cache.clear();

    expect(cache.size).toBe(0);
    expect(errors.map((error) => (error as { source: string }).source)).toEqual(
      Array.from({ length: 4 }, () => 'persistence'),
    );
  });

  it('may be thrown back, which the next flush rejects with', async () => {
    const { cache, file } = setUp({}, { delete: boom });
    file.open.resolve();
    await settle();
    void cache.delete('k');
    const flushed = cache.flush();
    const outcome = outcomeOf(flushed);
    await settle();
    file.flushes[0]?.resolve();

    expect(await outcome.then(() => outcomeOf(flushed))).toMatchObject({
      error: { message: 'boom' },
    });
  });

  it('holds every key once in its order, however slowly that is read', async () => {
    const { cache, file } = setUp();
    file.open.resolve();
    await settle();
    for (const key of ['a', 'b', 'c', 'd']) void cache.set(key, key);
    const order = file.host().order()[Symbol.iterator]();
    const keys = [order.next().value as string];
    await cache.get('a');
    void cache.delete('b');
    void cache.set('e', 'e');
    for (let next = order.next(); !next.done; next = order.next()) keys.push(String(next.value));

    expect(keys).toEqual(['a', 'b', 'c', 'd'].map((key) => wireKeyOf(key)));
  });

  it('is no key that has no text', async () => {
    const { cache, errors, file } = setUp();
    file.open.resolve();
    await settle();
    const key = Symbol('k');
    void cache.set(key, 'v');
    void cache.delete(key);

    expect(file.changes()).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('flush', () => {
  it('waits for the restore, and for what was told before it', async () => {
    const { cache, file } = setUp();
    void cache.set('k', 'v');
    const flushed = cache.flush();
    expect(await stateOf(flushed)).toBe('pending');
    expect(file.flushes).toHaveLength(0);
    file.open.resolve();
    expect(await stateOf(flushed)).toBe('pending');
    file.flushes[0]?.resolve();

    expect(await stateOf(flushed)).toBe('done');
    expect(file.changes()).toEqual([['set', wire, 'v'], ['flush']]);
  });

  it('is asked of it for each caller, and each gets its own outcome', async () => {
    const { cache, file } = setUp();
    file.open.resolve();
    await settle();
    const first = cache.flush();
    void cache.set('k', 'v');
    const second = cache.flush();
    await settle();
    const error = new Error('disk full');
    const rejected = outcomeOf(second);
    file.flushes[1]?.reject(error);
    await rejected;
    expect(await stateOf(first)).toBe('pending');
    file.flushes[0]?.resolve();

    expect(await stateOf(first)).toBe('done');
    expect(await outcomeOf(second)).toEqual({ error });
  });

  it('rejects while it cannot, and resolves once it can', async () => {
    const { cache, file } = setUp();
    file.open.resolve();
    await settle();
    const bad = cache.flush();
    const outcome = outcomeOf(bad);
    await settle();
    file.flushes[0]?.reject(new Error('disk full'));
    await outcome;
    expect(await outcomeOf(bad)).toMatchObject({ error: { message: 'disk full' } });
    const good = cache.flush();
    await settle();
    file.flushes[1]?.resolve();

    expect(await stateOf(good)).toBe('done');
  });

  it('rejects with what open rejected with, also where it waited for it', async () => {
    const { cache, file } = setUp();
    const error = new Error('locked');
    const waiting = cache.flush();
    const outcome = outcomeOf(waiting);
    file.open.reject(error);
    await outcome;

    expect(await outcomeOf(waiting)).toEqual({ error });
    expect(await outcomeOf(cache.flush())).toEqual({ error });
    expect(file.flushes).toHaveLength(0);
  });

  it.each([
    ['the restore', false],
    ['the persistence', true],
  ])('that hangs on %s is settled by close', async (_what, opened) => {
    const { cache, clock, file } = setUp();
    if (opened) file.open.resolve();
    const flushed = cache.flush();
    flushed.catch(() => undefined);
    await settle();
    const closed = cache.close();
    await clock.advance(3000);
    await closed;

    expect(await stateOf(flushed)).not.toBe('pending');
  });
});

describe('close', () => {
  it('during the restore settles who waits, and ready, and leaves no timer', async () => {
    const { cache, clock, file } = setUp();
    const get = cache.get('k', () => 'v');
    get.catch(() => undefined);
    file.closed.resolve();
    await cache.close();

    expect(await outcomeOf(get)).toMatchObject({ error: { code: 'ERR_ACACHE_CLOSED' } });
    expect(clock.pending).toBe(0);
    expect(await stateOf(cache.ready)).not.toBe('pending');
  });

  it('during the restore takes nothing that is restored afterwards', async () => {
    const { cache, file, restore } = setUp();
    file.closed.resolve();
    await cache.close();
    restore('k', 'late');
    file.open.resolve();
    await settle();

    expect(cache.size).toBe(0);
  });

  it.each<[string, Partial<Persistence>]>([
    ['hangs', { close: () => new Promise(() => undefined) }],
    ['rejects', { close: () => Promise.reject(new Error('disk full')) }],
    ['throws', { close: boom }],
  ])('ends before three seconds have passed when that of the persistence %s', async (_how, ill) => {
    const { cache, clock, file } = setUp({}, ill);
    file.open.resolve();
    await settle();
    void cache.set('k', 'v');
    const closed = cache.close();
    await clock.advance(2990);

    expect(await stateOf(closed)).toBe('done');
    expect(clock.pending).toBe(0);
  });
});

describe('a persistence that cannot be opened', () => {
  const ways: [string, Persistence['open']][] = [
    ['throws', boom],
    ['rejects', () => Promise.reject(new Error('boom'))],
    ['answers no promise and throws later', () => undefined as never],
  ];
  it.each(ways)('since open %s leaves a cache in memory, without a timer', async (how, open) => {
    const { cache, clock, file } = setUp({}, { open });
    const get = cache.get('k', () => 'v');
    expect(await outcomeOf(get)).toBe('v');
    if (how.startsWith('answers')) {
      expect(await stateOf(cache.ready)).toBe('done');
    } else {
      expect(await outcomeOf(cache.ready)).toMatchObject({ error: { message: 'boom' } });
      expect(await outcomeOf(cache.flush())).toMatchObject({ error: { message: 'boom' } });
    }
    void cache.delete('k');
    const told = file.changes().length;
    file.closed.resolve();
    await cache.close();

    expect(told).toBe(how.startsWith('answers') ? 2 : 0);
    expect(clock.pending).toBe(0);
  });
});
