import { deferred, settle, stateOf } from '../test/deferred.js';
import { AsyncCache, CacheError } from './index.js';
import { fakeClock } from './testing.js';

const never = (): Promise<string> => new Promise(() => {});

async function codeOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error instanceof CacheError ? error.code : error;
  }
  return 'no error';
}

describe('close', () => {
  it('settles who waits, at once, however long the load takes', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const waiting = [
      cache.get('a', never),
      cache.get('a', never),
      cache.get('a'),
      cache.getWithMeta('b', never),
      cache.getMany(['c', 'd'], never as never),
      cache.getMany(['e'], { loader: never }),
      cache.get('f', { loader: never, timeout: '1h', signal: new AbortController().signal }),
    ];
    const outcomes = Promise.allSettled(waiting);
    await settle();
    await cache.close();

    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'ERR_ACACHE_CLOSED' },
      });
    }
    expect(clock.pending).toBe(0);
  });

  it('makes the signals of running loads fire', async () => {
    const cache = new AsyncCache<string, string>();
    let signal: AbortSignal | undefined;
    const get = cache.get('k', (_key, context) => {
      signal = context.signal;
      return never();
    });
    const outcome = get.catch(() => 'closed');
    await cache.close();

    expect(await outcome).toBe('closed');
    expect(signal?.aborted).toBe(true);
  });

  it('settles a warm-up that runs', async () => {
    const cache = new AsyncCache<string, string>();
    const warming = cache.warmup({ a: never, b: () => 'v' }, { concurrency: 1 });
    warming.catch(() => undefined);
    await cache.close();

    expect(await stateOf(warming)).not.toBe('pending');
  });

  it('a load that ends later stores nothing and is no unhandled rejection', async () => {
    const cache = new AsyncCache<string, string>();
    const good = deferred<string>();
    const bad = deferred<string>();
    const outcomes = Promise.allSettled([
      cache.get('a', () => good.promise),
      cache.get('b', () => bad.promise),
    ]);
    await cache.close();
    good.resolve('late');
    bad.reject(new Error('late'));
    await settle();

    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('is idempotent, at once and later', async () => {
    const cache = new AsyncCache();

    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
    await cache[Symbol.asyncDispose]();
  });

  it.each<[string, (cache: AsyncCache<string, string>) => unknown]>([
    ['get', (cache) => cache.get('k')],
    ['get with a loader', (cache) => cache.get('k', () => 'v')],
    ['getWithMeta', (cache) => cache.getWithMeta('k')],
    ['getMany', (cache) => cache.getMany(['k'])],
    ['getMany of nothing', (cache) => cache.getMany([])],
    ['peek', (cache) => cache.peek('k')],
    ['has', (cache) => cache.has('k')],
    ['set', (cache) => cache.set('k', 'v')],
    ['setMany', (cache) => cache.setMany([['k', 'v']])],
    ['delete', (cache) => cache.delete('k')],
    ['expire', (cache) => cache.expire('k')],
    ['invalidateTags', (cache) => cache.invalidateTags('t')],
    ['clear', (cache) => cache.clear()],
    ['warmup', (cache) => cache.warmup({ k: () => 'v' })],
    ['flush', (cache) => cache.flush()],
  ])('later calls of %s throw ERR_ACACHE_CLOSED', async (_what, call) => {
    const cache = new AsyncCache<string, string>();
    await cache.set('k', 'v');
    const closed = cache.close();
    expect(await codeOf(() => call(cache))).toBe('ERR_ACACHE_CLOSED');
    await closed;

    expect(await codeOf(() => call(cache))).toBe('ERR_ACACHE_CLOSED');
  });

  it('a later get loads nothing', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.close();
    const loader = jest.fn(() => 'v');

    await expect(cache.get('k', loader)).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
    await settle();
    expect(loader).not.toHaveBeenCalled();
  });

  it('leaves size and metrics to be read', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.get('k', () => 'v');
    await cache.close();

    expect(typeof cache.size).toBe('number');
    expect(cache.getMetrics()).toMatchObject({ misses: 1 });
  });

  it('leaves no timer, and refreshes behind stale values end', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'v');
    await clock.advance(1_500);
    let signal: AbortSignal | undefined;
    await cache.get('k', (_key, context) => {
      signal = context.signal;
      return never();
    });
    await cache.close();

    expect(clock.pending).toBe(0);
    expect(signal?.aborted).toBe(true);
  });

  it('of one cache leaves another alone', async () => {
    const one = new AsyncCache<string, string>();
    const other = new AsyncCache<string, string>();
    await one.close();

    expect(await other.get('k', () => 'v')).toBe('v');
  });

  it('happens at the end of an `await using` block', async () => {
    let outside: AsyncCache<string, string> | undefined;
    {
      await using cache = new AsyncCache<string, string>();
      outside = cache;
      expect(await cache.get('k', () => 'v')).toBe('v');
    }

    await expect(outside.get('k')).rejects.toMatchObject({ code: 'ERR_ACACHE_CLOSED' });
  });
});

describe('ready and flush', () => {
  it('are there at once where there is memory alone', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.ready;
    expect(cache.ready).toBeInstanceOf(Promise);
    await cache.set('k', 'v');

    await expect(cache.flush()).resolves.toBeUndefined();
  });

  it('ready stays settled after close', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.close();

    expect(await stateOf(cache.ready)).not.toBe('pending');
  });
});
