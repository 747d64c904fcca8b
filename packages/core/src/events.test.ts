import { settle } from '../test/deferred.js';
import { AsyncCache, InvalidOptionError } from './index.js';
import { fakeClock } from './testing.js';
import type { AsyncCacheOptions, CacheEventName } from './index.js';

const NAMES: readonly CacheEventName[] = [
  'hit',
  'stale',
  'miss',
  'load',
  'error',
  'set',
  'delete',
  'evict',
  'expire',
  'invalidate',
  'clear',
  'tier',
];

/** A cache whose transcript of events the test reads, all of them or those it names. */
function setUp(options: AsyncCacheOptions<string, string> = {}, names = NAMES) {
  const clock = fakeClock();
  const cache = new AsyncCache<string, string>({ clock, ...options });
  const seen: string[] = [];
  for (const name of names) {
    cache.on(name, ({ key }: { key?: string }) => {
      seen.push(key === undefined ? name : `${name} ${key}`);
    });
  }
  /** What happened since it was last asked. */
  const transcript = (): string[] => seen.splice(0);
  return { clock, cache, transcript };
}

const down = (): Promise<string> => Promise.reject(new Error('down'));
const READS = ['hit', 'stale', 'miss', 'load', 'error'] as const;

describe('the transcript', () => {
  it('of a cold key is a load and a miss', async () => {
    const { cache, transcript } = setUp({}, READS);
    await cache.get('k', () => 'v');

    expect(transcript()).toEqual(['load k', 'miss k']);
  });

  it('of a load that ends says how long it took, and whether it failed', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const seen: unknown[] = [];
    const off = cache.on('loaded', (event) => seen.push(event));
    await cache.get('k', async () => {
      await clock.advance(250);
      return 'v';
    });
    await cache.get('k');
    await cache.get('x', down).catch(() => undefined);
    await cache.getMany(['a', 'b'], () => ['1', '2']);
    expect(seen).toEqual([
      { key: 'k', ms: 250, failed: false },
      { key: 'x', ms: 0, failed: true },
      { key: 'a', ms: 0, failed: false },
      { key: 'b', ms: 0, failed: false },
    ]);
    off();
    await cache.get('other', () => 'v');
    expect(seen).toHaveLength(4);
  });

  it('of a load whose callers have left is told when the loader has ended', async () => {
    const { cache } = setUp();
    const seen: unknown[] = [];
    cache.on('loaded', ({ failed, key }) => seen.push([key, failed]));
    const leave = new AbortController();
    let end!: (value: string) => void;
    const left = cache.get('k', {
      loader: () => new Promise<string>((resolve) => (end = resolve)),
      signal: leave.signal,
    });
    leave.abort();
    await expect(left).rejects.toThrow();
    expect(seen).toEqual([]);
    end('v');
    await settle();
    expect(seen).toEqual([['k', false]]);
  });

  it('lets a listener change what was loaded', async () => {
    const { cache } = setUp();
    cache.on('loaded', ({ key }) => void cache.delete(key as string));
    expect(await cache.get('k', () => 'v')).toBe('v');
    expect(cache.has('k')).toBe(false);
  });

  it('of a fresh value is a hit', async () => {
    const { cache, transcript } = setUp();
    await cache.set('k', 'v');
    transcript();
    await cache.get('k', () => 'v');
    await cache.getWithMeta('k');
    await cache.getMany(['k']);

    expect(transcript()).toEqual(['hit k', 'hit k', 'hit k']);
  });

  it('of a stale value names it stale, and one load behind it', async () => {
    const { clock, cache, transcript } = setUp({ ttl: 1_000, staleWhileRevalidate: '1h' }, [
      'stale',
      'miss',
      'load',
      'error',
    ]);
    await cache.set('k', 'v');
    await clock.advance(1_500);
    await Promise.all([1, 2, 3].map(() => cache.get('k', () => Promise.resolve('w'))));
    await settle();

    expect(transcript().sort()).toEqual(['load k', 'stale k', 'stale k', 'stale k']);
  });

  it('of five callers of a cold key is one load and five misses', async () => {
    const { cache, transcript } = setUp({}, READS);
    await Promise.all([1, 2, 3, 4, 5].map(() => cache.get('k', () => Promise.resolve('v'))));

    expect(transcript().sort()).toEqual([
      'load k',
      'miss k',
      'miss k',
      'miss k',
      'miss k',
      'miss k',
    ]);
  });

  it('of nothing without a loader is a miss', async () => {
    const { cache, transcript } = setUp();
    await cache.get('k');
    await cache.getMany(['m']);

    expect(transcript()).toEqual(['miss k', 'miss m']);
  });

  it('of peek and has is empty', async () => {
    const { cache, transcript } = setUp();
    cache.peek('k');
    cache.has('k');

    expect(transcript()).toEqual([]);
  });

  it('of a failing loader inside staleIfError is a load, an error and a stale value', async () => {
    const { clock, cache, transcript } = setUp({ ttl: 1_000, staleIfError: '1h' }, [
      'stale',
      'miss',
      'load',
      'error',
    ]);
    await cache.set('k', 'v');
    await clock.advance(1_500);
    await cache.get('k', down);

    expect(transcript()).toEqual(['load k', 'error k', 'stale k']);
  });

  it('counts as the metrics do', async () => {
    const { clock, cache, transcript } = setUp(
      { ttl: 1_000, staleWhileRevalidate: 1_000, staleIfError: '1h' },
      ['miss', 'load'],
    );
    await Promise.all([cache.get('k', () => 'v'), cache.get('k', () => 'v'), cache.get('x')]);
    await clock.advance(1_500);
    await cache.get('k', down);
    await settle();
    await clock.advance(60_000);
    await cache.get('k', down);
    const { misses, loads } = cache.getMetrics();
    const seen = transcript().map((event) => event.split(' ')[0]);

    expect(seen.filter((name) => name === 'miss')).toHaveLength(misses);
    expect(seen.filter((name) => name === 'load')).toHaveLength(loads);
  });
});

describe('events of changes', () => {
  it('set, delete, expire, invalidate and clear name what they changed', async () => {
    const { cache, transcript } = setUp();
    await cache.set('k', 'v');
    await cache.setMany([['m', 'v']]);
    expect(transcript()).toEqual(['set k', 'set m']);
    await cache.delete('k');
    expect(transcript()).toEqual(['delete k']);
    await cache.expire('m');
    expect(transcript()).toEqual(['expire m']);
    await cache.clear();
    expect(transcript()).toEqual(['clear']);
  });

  it('are there before the call returns', () => {
    const { cache, transcript } = setUp();
    void cache.set('k', 'v');
    expect(transcript()).toEqual(['set k']);
    void cache.delete('k');
    expect(transcript()).toEqual(['delete k']);
  });

  it('invalidate tells the tags', async () => {
    const { cache } = setUp();
    const events: unknown[] = [];
    cache.on('invalidate', (event) => events.push(event));
    await cache.invalidateTags('t', 'u');

    expect(events).toContainEqual(expect.objectContaining({ tags: ['t', 'u'] }));
  });

  it('evict tells who had to go', async () => {
    const { cache, transcript } = setUp({ maxSize: 1 }, ['evict']);
    await cache.set('a', 'v');
    await cache.set('b', 'v');

    expect(transcript()).toEqual(['evict a']);
  });

  it('expire tells an entry that its time removed', async () => {
    const { clock, transcript, cache } = setUp({ ttl: 1_000 }, ['expire', 'delete', 'evict']);
    await cache.set('a', 'v');
    await clock.advance(120_000);

    expect(transcript()).toEqual(['expire a']);
  });

  it('carry keys that are objects as they were given', async () => {
    const cache = new AsyncCache<unknown, string>({ maxSize: 1 });
    const keys: unknown[] = [];
    for (const name of ['set', 'hit', 'miss', 'load', 'delete', 'evict'] as const) {
      cache.on(name, ({ key }) => keys.push(key));
    }
    const key = { id: 1 };
    await cache.set(key, 'v');
    await cache.get(key);
    await cache.get({ id: 2 }, () => 'v');
    await cache.delete({ id: 2 });

    expect(keys.length).toBeGreaterThanOrEqual(6);
    for (const seen of keys) expect([{ id: 1 }, { id: 2 }]).toContainEqual(seen);
  });

  it.each([0, '', null, false, NaN])('carry the key %p', async (key) => {
    const cache = new AsyncCache<unknown, string>();
    const events: unknown[] = [];
    cache.on('set', (event) => events.push(event));
    await cache.set(key, 'v');

    expect(events).toEqual([{ key }]);
  });
});

describe('the error event', () => {
  it('tells the error, the key and the source of a load that failed', async () => {
    const { cache } = setUp();
    const events: unknown[] = [];
    cache.on('error', (event) => events.push(event));
    const error = new Error('down');
    await Promise.allSettled([1, 2].map(() => cache.get('k', () => Promise.reject(error))));

    expect(events).toEqual([{ error, key: 'k', source: 'loader' }]);
  });

  it('tells a reason that is undefined', async () => {
    const { cache } = setUp();
    const events: unknown[] = [];
    cache.on('error', (event) => events.push(event));
    await cache.get('k', () => Promise.reject(undefined)).catch(() => 0);

    expect(events).toEqual([{ error: undefined, key: 'k', source: 'loader' }]);
  });

  it('needs no listener', async () => {
    const cache = new AsyncCache();

    await expect(cache.get('k', down)).rejects.toThrow('down');
  });
});

describe('a listener', () => {
  it('hears until it unsubscribes; to do so twice is no harm', async () => {
    const cache = new AsyncCache<string, string>();
    const one = jest.fn();
    const other = jest.fn();
    const off = cache.on('set', one);
    cache.on('set', other);
    await cache.set('a', 'v');
    off();
    off();
    await cache.set('b', 'v');

    expect(one).toHaveBeenCalledTimes(1);
    expect(other).toHaveBeenCalledTimes(2);
  });

  it('registered twice hears twice, and unsubscribes one at a time', async () => {
    const cache = new AsyncCache<string, string>();
    const listener = jest.fn();
    const off = cache.on('set', listener);
    cache.on('set', listener);
    await cache.set('a', 'v');
    expect(listener).toHaveBeenCalledTimes(2);
    off();
    await cache.set('b', 'v');

    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('may unsubscribe itself or others while it hears', async () => {
    const cache = new AsyncCache<string, string>();
    const heard: string[] = [];
    const offs = [
      cache.on('set', () => {
        heard.push('one');
        for (const off of offs) off();
      }),
      cache.on('set', () => heard.push('two')),
    ];
    await cache.set('a', 'v');
    heard.length = 0;
    await cache.set('b', 'v');

    expect(heard).toEqual([]);
  });

  it.each(NAMES.filter((name) => name !== 'tier'))(
    'of %s that throws breaks nothing and keeps nobody from hearing',
    async (name) => {
      const { clock, cache } = setUp({
        ttl: 1_000,
        staleWhileRevalidate: 1_000,
        staleIfError: '1h',
        maxSize: 2,
      });
      const error = new Error('listener');
      const after = jest.fn();
      const reported: unknown[] = [];
      cache.on(name, () => {
        throw error;
      });
      cache.on(name, after);
      if (name !== 'error') cache.on('error', (event) => reported.push(event));

      expect(await cache.get('k', () => 'v')).toBe('v');
      expect(await cache.get('k')).toBe('v');
      await clock.advance(1_500);
      expect(await cache.get('k', down)).toBe('v');
      await settle();
      await clock.advance(60_000);
      expect(await cache.get('k', down)).toBe('v');
      await expect(cache.get('x', down)).rejects.toThrow('down');
      for (const key of ['a', 'b', 'c']) await cache.set(key, key);
      expect(cache.size).toBe(2);
      expect(await cache.expire('c')).toBe(true);
      expect(await cache.delete('b')).toBe(true);
      await cache.set('t', 'v', { tags: ['t'] });
      await cache.invalidateTags('t');
      expect(cache.has('t')).toBe(false);
      await cache.clear();
      expect(cache.size).toBe(0);

      expect(after).toHaveBeenCalled();
      if (name !== 'error') {
        expect(reported).toContainEqual(expect.objectContaining({ error, source: 'listener' }));
      }
    },
  );

  it('may use the cache', async () => {
    const cache = new AsyncCache<string, string>({ maxSize: 2 });
    cache.on('set', ({ key }) => {
      if (key === 'a') void cache.set('b', 'from listener');
    });
    cache.on('miss', ({ key }) => {
      if (key === 'x') void cache.delete('a');
    });
    await cache.set('a', 'v');
    await cache.get('x', () => 'v');

    expect(cache.peek('b')).toBe('from listener');
    expect(cache.has('a')).toBe(false);
    expect(cache.peek('x')).toBe('v');
  });

  it('of evict that sets the key again ends', async () => {
    const cache = new AsyncCache<string, string>({ maxSize: 1 });
    let again = 0;
    cache.on('evict', ({ key }) => {
      if (again++ < 3) void cache.set(key!, 'again');
    });
    await cache.set('a', 'v');
    await cache.set('b', 'v');

    expect(cache.size).toBe(1);
  });

  it.each(['hits', '', undefined, '__proto__'])('of %p is refused', (name) => {
    expect(() => new AsyncCache().on(name as never, () => undefined)).toThrow(InvalidOptionError);
  });

  it('that is no function is refused', () => {
    expect(() => new AsyncCache().on('hit', 5 as never)).toThrow(InvalidOptionError);
  });
});
