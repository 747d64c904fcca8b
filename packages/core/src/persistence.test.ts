import { AsyncCache } from './async-cache.js';
import { CacheError } from './errors.js';
import type { Persistence } from './persistence.js';
import {
  failingPersistence,
  fakeClock,
  hangingPersistence,
  memoryPersistence,
  type MemoryFile,
} from './testing.js';

function restart(file: MemoryFile, clock = fakeClock(), options = {}) {
  return new AsyncCache<unknown, unknown>({
    persistence: memoryPersistence(file),
    clock,
    ttl: '1m',
    ...options,
  });
}

describe('a cache with persistence', () => {
  it('comes back with values, ttl and tags, for keys of every kind', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock);
    const keys = ['s', 1, '1', 10n, true, null, undefined, '\0odd', { a: [1] }, NaN, 0];
    for (const [at, key] of keys.entries()) await before.set(key, { at }, { tags: ['t'] });
    await before.close();
    await clock.advance(30_000);

    const after = restart(file, clock);
    await after.ready;
    expect(after.size).toBe(keys.length);
    for (const [at, key] of keys.entries()) {
      expect(await after.getWithMeta(key)).toMatchObject({
        value: { at },
        status: 'hit',
        age: 30_000,
        ttlLeft: 30_000,
      });
    }
    await after.invalidateTags('t');
    expect(after.size).toBe(0);
  });

  it('keeps the first where a persistence restores a key twice, and goes on as ever', async () => {
    const times = { createdAt: 0, freshUntil: Infinity, staleWhileRevalidate: 0, staleIfError: 0 };
    const persistence: Persistence = {
      open: async (host) => {
        for (const [key, value] of ['a1', 'b2', 'a3', 'c4', 'a5'].entries()) {
          host.restore(`s1:${value[0]}`, { value: `${value} ${key}`, ...times, tags: ['t'] });
        }
        await Promise.resolve();
      },
      set: () => undefined,
      delete: () => undefined,
      clear: () => undefined,
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const cache = new AsyncCache<string, string>({ persistence, maxSize: 3 });
    await cache.ready;
    const held = (): string[] => Array.from('abcdefgh').filter((key) => cache.has(key));
    expect(held()).toEqual(['a', 'b', 'c']);
    expect(cache.peek('a')).toBe('a1 0');
    await cache.set('d', 'd');
    expect(cache.peek('a')).toBeUndefined();
    await cache.invalidateTags('t');
    expect(held()).toEqual(['d']);
    for (const key of 'efgh') await cache.set(key, key);
    expect(held()).toEqual(['f', 'g', 'h']);
  });

  it('lets a get wait for the restore by itself', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock);
    await before.set('k', 'kept');
    await before.close();
    expect(await restart(file, clock).get('k', () => 'loaded')).toBe('kept');
    expect(await restart(file, clock).getMany(['k'], () => ['loaded'])).toEqual(
      new Map([['k', 'kept']]),
    );
  });

  it('restores recency, so that the next eviction takes the same entry', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock, { maxSize: 3 });
    for (const key of ['a', 'b', 'c']) await before.set(key, key);
    await before.get('a');
    await before.close();
    const after = restart(file, clock, { maxSize: 3 });
    await after.ready;
    await after.set('d', 'd');
    expect(['a', 'b', 'c', 'd'].filter((key) => after.has(key))).toEqual(['a', 'c', 'd']);
  });

  it('does not bring back what was changed while it restored', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock);
    await before.setMany([
      ['set', 'old'],
      ['deleted', 'old'],
      ['other', 'old'],
    ]);
    await before.set('tagged', 'old', { tags: ['t'] });
    await before.close();
    const after = restart(file, clock);
    const changes = [after.set('set', 'new'), after.delete('deleted'), after.invalidateTags('t')];
    await Promise.all([...changes, after.ready]);
    expect(after.peek('set')).toBe('new');
    expect(after.has('deleted')).toBe(false);
    expect(after.has('tagged')).toBe(false);
    expect(after.peek('other')).toBe('old');
    await after.flush();
    expect([...file.values()].map(({ value }) => value).sort()).toEqual(['new', 'old']);
  });

  it('brings nothing back after a clear during the restore', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock);
    await before.set('k', 'old');
    await before.close();
    const after = restart(file, clock);
    await Promise.all([after.clear(), after.ready]);
    expect(after.size).toBe(0);
    await after.flush();
    expect(file.size).toBe(0);
  });

  it('writes an expired entry as stale, and drops what was evicted', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = restart(file, clock, { maxSize: 2, staleIfError: '1h' });
    for (const key of ['a', 'b', 'c']) await before.set(key, key);
    await before.expire('b');
    await before.close();
    const after = restart(file, clock, { maxSize: 2, staleIfError: '1h' });
    await after.ready;
    expect(after.has('b')).toBe(false);
    await expect(after.get('b', () => Promise.reject(new Error('down')))).resolves.toBe('b');
    expect(after.has('c')).toBe(true);
    expect(await after.get('a')).toBeUndefined();
  });

  it('makes a restored value only when it is wanted', async () => {
    const { cache, made } = lazily(() => 'made');
    await cache.ready;
    expect(cache.size).toBe(1);
    expect(made()).toBe(0);
    expect(await cache.get('k', () => 'loaded')).toBe('made');
    expect(await cache.get('k', () => 'loaded')).toBe('made');
    expect(made()).toBe(1);
  });

  it('takes a restored value that cannot be made for a miss', async () => {
    const { cache } = lazily(() => {
      throw new Error('damaged');
    });
    const errors: unknown[] = [];
    cache.on('error', ({ source, key }) => errors.push([source, key]));
    await cache.ready;
    expect(cache.peek('k')).toBeUndefined();
    expect(await cache.get('k', () => 'loaded')).toBe('loaded');
    expect(errors).toEqual([['persistence', 'k']]);
  });
});

/** A cache that is restored with one entry, whose value `make` makes when it is read. */
function lazily(make: () => string) {
  let made = 0;
  const persistence: Persistence = {
    ...memoryPersistence(),
    open: async (host) => {
      const createdAt = host.clock.now();
      host.restore('s1:k', {
        createdAt,
        freshUntil: createdAt + 60_000,
        staleWhileRevalidate: 0,
        staleIfError: 0,
        tags: [],
        get value() {
          made++;
          return make();
        },
      });
      await Promise.resolve();
    },
  };
  const cache = new AsyncCache<string, string>({ persistence });
  return { cache, made: () => made };
}

describe('a persistence that is ill', () => {
  it('rejects ready and flush with its error while gets go on in memory', async () => {
    const cache = new AsyncCache<string, string>({
      persistence: failingPersistence(memoryPersistence()),
    });
    const errors: unknown[] = [];
    cache.on('error', ({ source }) => errors.push(source));
    expect(await cache.get('k', () => 'v')).toBe('v');
    expect(await cache.get('k')).toBe('v');
    await expect(cache.ready).rejects.toThrow('out of order');
    await expect(cache.flush()).rejects.toThrow('out of order');
    expect(errors).toEqual(['persistence']);
    await cache.close();
  });

  it('keeps the code of the error that opening it rejected with', async () => {
    const locked = new CacheError('ERR_ACACHE_LOCKED', 'locked by process 42');
    const cache = new AsyncCache<string, string>({
      persistence: { ...memoryPersistence(), open: () => Promise.reject(locked) },
    });
    await expect(cache.ready).rejects.toBe(locked);
    await expect(cache.flush()).rejects.toBe(locked);
  });

  it('does not hold a get for ever when the restore hangs', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      persistence: hangingPersistence(memoryPersistence()),
      clock,
    });
    const value = cache.get('k', () => 'v');
    await clock.advance(10_000);
    expect(await value).toBe('v');
    expect(await cache.get('k')).toBe('v');
  });

  it('holds a caller no longer than its own timeout', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      persistence: hangingPersistence(memoryPersistence()),
      clock,
    });
    const value = cache.get('k', { loader: () => 'v', timeout: 100 });
    const rejected = expect(value).rejects.toMatchObject({ code: 'ERR_ACACHE_LOAD_TIMEOUT' });
    await clock.advance(100);
    await rejected;
  });

  it('settles who waits for the restore when the cache is closed', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      persistence: hangingPersistence(memoryPersistence()),
      clock,
    });
    const value = cache.get('k', () => 'v');
    const rejected = expect(value).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    const closed = cache.close();
    await clock.advance(3000);
    await Promise.all([rejected, closed]);
  });
});

describe('a persistence that takes long to close', () => {
  it('is waited for as long as it makes progress', async () => {
    const clock = fakeClock();
    let steps = 0;
    let end!: () => void;
    const closing = new Promise<void>((resolve) => (end = resolve));
    const persistence = Object.assign(memoryPersistence(), { close: () => closing });
    Object.defineProperty(persistence, 'progress', { get: () => steps });
    const cache = new AsyncCache<string, string>({ persistence, clock });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    await cache.ready;
    let isClosed = false;
    const closed = cache.close().then(() => (isClosed = true));
    for (; steps < 10; steps++) await clock.advance(2000);
    expect(isClosed).toBe(false);
    end();
    await closed;
    expect(errors).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is given up when it stands still, and that is told', async () => {
    const clock = fakeClock();
    const persistence = hangingPersistence(memoryPersistence(), { active: false });
    const stuck: Persistence = Object.assign(persistence, {
      progress: 1,
      close: () => new Promise<void>(() => undefined),
    });
    const cache = new AsyncCache<string, string>({ name: 'c', persistence: stuck, clock });
    const errors: unknown[] = [];
    cache.on('error', ({ error, source }) => errors.push([source, (error as CacheError).code]));
    await cache.ready;
    const closed = cache.close();
    await clock.advance(2500);
    await closed;
    expect(errors).toEqual([['persistence', 'ERR_ACACHE_PERSISTENCE_TIMEOUT']]);
  });
});
