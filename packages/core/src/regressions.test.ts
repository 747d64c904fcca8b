import { AsyncCache } from './async-cache.js';
import type { LoadContext } from './loader.js';
import { encodeKey } from './make-key.js';
import type { Policy } from './policy.js';
import {
  fakeClock,
  hangingPersistence,
  memoryPersistence,
  memoryTier,
  type MemoryFile,
} from './testing.js';

describe('what was once wrong', () => {
  it('setMany says what it got', async () => {
    const cache = new AsyncCache<unknown, unknown>();
    await expect(cache.setMany([5] as never)).rejects.toThrow(/\[key, value\], got 5/);
    await expect(cache.setMany(5 as never)).rejects.toThrow(/\[key, value\], got 5/);
    await expect(cache.setMany([['k']] as never)).rejects.toThrow(/got an array/);
    expect(cache.size).toBe(0);
  });

  it('a listener whose promise rejects breaks nothing', async () => {
    const cache = new AsyncCache<string, number>();
    const sources: string[] = [];
    cache.on('error', ({ source }) => sources.push(source));
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake under test
    cache.on('set', () => Promise.reject(new Error('listener')));
    await cache.set('k', 1);
    await Promise.resolve();
    expect(sources).toEqual(['listener']);
  });

  it('a load that began before clear counts no more', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, number>({ clock });
    const failed = cache.get('k', async () => {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, 10);
      });
      throw new Error('down');
    });
    failed.catch(() => undefined);
    await cache.clear();
    await clock.advance(10);
    await expect(failed).rejects.toThrow('down');
    expect(cache.getMetrics()).toMatchObject({ loads: 0, loadErrors: 0, loadTimeMs: 0 });
  });

  it('a refresh that changes the previous value in place and fails leaves the entry as it was', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, { count: number }>({
      clock,
      ttl: 10,
      staleWhileRevalidate: 1000,
      clone: structuredClone,
    });
    await cache.set('k', { count: 1 });
    await clock.advance(20);
    await cache.get('k', (_, { previous }) => {
      if (previous !== undefined) previous.count++;
      throw new Error('down');
    });
    expect(await cache.get('k')).toEqual({ count: 1 });
  });

  it('a thenable that throws when it is looked at is a loader that failed', async () => {
    const cache = new AsyncCache<string, unknown>();
    const hostile = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('hostile');
      },
    });
    await expect(cache.get('k', () => hostile)).rejects.toThrow('hostile');
    expect(await cache.get('k', () => 'v')).toBe('v');
  });

  it('size counts what is alive while a sweep is on its way', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock, maxSize: null });
    for (let key = 0; key < 10_000; key++) await cache.set(key, key, { ttl: key < 5000 ? 10 : 50 });
    // One slice removes a part of what is dead, and stops.
    await clock.advance(10);
    expect(cache.size).toBe(5000);
    await clock.advance(40);
    expect(cache.size).toBe(0);
  });

  it('tags that the caller changes afterwards let no key have the value of another', async () => {
    const cache = new AsyncCache<string, string>();
    const tags = ['a'];
    await cache.set('x', 'X', { tags });
    tags[0] = 'b';
    await cache.delete('x');
    await cache.set('y', 'Y');
    await cache.invalidateTags('a');
    expect(cache.peek('y')).toBe('Y');
    await cache.set('x', 'X2');
    expect([cache.peek('x'), cache.peek('y')]).toEqual(['X2', 'Y']);
    for (let key = 0; key < 300; key++) await cache.set(`k${key}`, 'v');
    expect(cache.size).toBe(128);
    expect(cache.peek('k299')).toBe('v');
  });

  it('getMany ends when a loader fires its own signal', async () => {
    const cache = new AsyncCache<string, string>();
    const controller = new AbortController();
    const asked: string[] = [];
    const many = cache.getMany(['a', 'b'], {
      signal: controller.signal,
      loader: (key) => {
        asked.push(key);
        controller.abort(new Error('enough'));
        return new Promise<string>(() => undefined);
      },
    });
    await expect(many).rejects.toThrow('enough');
    expect(asked).toEqual(['a']);
  });

  it('warmup refuses a key that the tier cannot know', async () => {
    const cache = new AsyncCache<unknown, number>({ name: 'c', tier: memoryTier() });
    await expect(cache.warmup([[Symbol('s'), () => 1]])).rejects.toMatchObject({
      code: 'ERR_ACACHE_UNKEYABLE',
    });
  });

  it('warmup loads nothing more once the cache is closed', async () => {
    const cache = new AsyncCache<string, string>();
    const asked: string[] = [];
    const load = (key: string) => {
      asked.push(key);
      void cache.close();
      return Promise.resolve(key);
    };
    const { failures } = await cache.warmup({ a: load, b: load, c: load }, { concurrency: 1 });
    expect(asked).toEqual(['a']);
    expect(failures).toHaveLength(3);
    expect(cache.size).toBe(0);
  });

  it('remembered failures are forgotten, and their room given back, where nothing else expires', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<number, number>({ clock, errorTtl: 10 });
    await cache.get(1, () => Promise.reject(new Error('down'))).catch(() => undefined);
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    await clock.advance(2000);
    expect(clock.pending).toBe(0);
    expect(await cache.get(1, () => 1)).toBe(1);
  });

  it('a load that was told to stop is not remembered as a failure of its source', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, errorTtl: '1h' });
    const obeys = (_: string, { signal }: LoadContext<string>) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    const late = cache.get('k', { loader: obeys, timeout: 30 });
    late.catch(() => undefined);
    await clock.advance(30);
    await expect(late).rejects.toMatchObject({ code: 'ERR_ACACHE_LOAD_TIMEOUT' });
    expect(await cache.get('k', () => 'fine')).toBe('fine');
  });

  it('a load that everybody abandoned is no load error', async () => {
    const cache = new AsyncCache<string, string>();
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    const controller = new AbortController();
    let fail: (error: Error) => void = () => undefined;
    const loader = () => new Promise<string>((_, reject) => (fail = reject));
    const left = cache.get('k', { loader, signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    fail(new Error('aborted'));
    await Promise.resolve();
    expect(errors).toEqual([]);
    expect(cache.getMetrics()).toMatchObject({ loads: 1, loadErrors: 0 });
  });

  it('a policy that throws costs the callers nothing but the entry', async () => {
    const broken = (): Policy => ({
      add: () => {
        throw new Error('broken');
      },
      use: () => undefined,
      remove: () => undefined,
      victim: () => 1,
      order: () => [],
      clear: () => undefined,
    });
    const cache = new AsyncCache<string, string>({ policy: broken });
    const sources: string[] = [];
    cache.on('error', ({ source }) => sources.push(source));
    expect(await cache.get('k', () => Promise.resolve('v'))).toBe('v');
    expect(sources).toEqual(['policy']);
  });

  it('an entry from the future of a clock that was ahead lives no longer for it', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const hour = 3_600_000;
    const entry = {
      createdAt: clock.now() + hour,
      freshUntil: clock.now() + hour + 60_000,
      staleWhileRevalidate: 0,
      staleIfError: 0,
      tags: [],
      value: 'v',
    };
    file.set(encodeKey('k'), entry);
    const cache = new AsyncCache<string, string>({ clock, persistence: memoryPersistence(file) });
    await cache.ready;
    expect(await cache.getWithMeta('k')).toMatchObject({ value: 'v', age: 0, ttlLeft: 60_000 });
    await clock.advance(60_000);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('a caller who came before clear counts no more after it', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ name: 'c', clock, tier: memoryTier() });
    const read = cache.get('k');
    await cache.clear();
    await read;
    expect(cache.getMetrics()).toMatchObject({ hits: 0, misses: 0 });
  });

  it('a persistence that never opens makes nothing grow', async () => {
    const clock = fakeClock();
    const persistence = hangingPersistence(memoryPersistence());
    const cache = new AsyncCache<number, number>({ clock, persistence, maxSize: 10 });
    for (let key = 0; key < 200_000; key++) void cache.set(key, key);
    expect(cache.size).toBe(10);
    expect(await Promise.race([cache.ready, Promise.resolve('pending')])).toBe('pending');
  });

  it('an invalidated tag stays so when more were invalidated during a restore than are remembered', async () => {
    const clock = fakeClock();
    const file: MemoryFile = new Map();
    const before = new AsyncCache<string, string>({ clock, persistence: memoryPersistence(file) });
    await before.set('tagged', 'old', { tags: ['t'] });
    await before.set('plain', 'old');
    await before.close();
    const after = new AsyncCache<string, string>({ clock, persistence: memoryPersistence(file) });
    const many = Array.from({ length: 100_001 }, (_, number) => `tag ${number}`);
    await Promise.all([after.invalidateTags('t', ...many), after.ready]);
    expect([after.peek('tagged'), after.peek('plain')]).toEqual([undefined, 'old']);
    await after.close();
    expect(file.size).toBe(1);
  });
});
