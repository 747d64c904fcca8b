import { getEventListeners } from 'node:events';
import { deferred, settle, stateOf } from '../test/deferred.js';
import { AsyncCache, LoadTimeoutError } from './index.js';
import { fakeClock } from './testing.js';
import type { LoadContext } from './index.js';

const never = (): Promise<string> => new Promise(() => {});

function listening(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

describe('a caller whose signal has fired', () => {
  const reason = new Error('gone');

  it('rejects with its reason, and nothing is loaded for it', async () => {
    const cache = new AsyncCache<string, string>();
    const loader = jest.fn(() => 'v');
    const signal = AbortSignal.abort(reason);

    await expect(cache.get('k', { loader, signal })).rejects.toBe(reason);
    await expect(cache.get('k', { signal })).rejects.toBe(reason);
    await expect(cache.getWithMeta('k', { loader, signal })).rejects.toBe(reason);
    await expect(cache.get('k', { loader, signal, refresh: true })).rejects.toBe(reason);
    expect(loader).not.toHaveBeenCalled();
    expect(cache.getMetrics().loads).toBe(0);
    expect(listening(signal)).toBe(0);
  });

  it('rejects even where the value is cached', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('k', 'v');

    await expect(cache.get('k', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('starts no refresh behind a stale value', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'v');
    await clock.advance(1_500);
    const loader = jest.fn(() => 'w');

    await expect(cache.get('k', { loader, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    await settle();
    expect(loader).not.toHaveBeenCalled();
  });

  it('does not join, and does not disturb a load that runs', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    let signal: AbortSignal | undefined;
    const first = cache.get('k', (_key, context) => {
      signal = context.signal;
      return load.promise;
    });
    await expect(cache.get('k', { loader: never, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(signal?.aborted).toBe(false);
    load.resolve('v');

    expect(await first).toBe('v');
  });

  it.each([undefined, null, 0, 'text'])('rejects with the reason %p as it is', async (given) => {
    const stop = new AbortController();
    stop.abort(given);

    await expect(new AsyncCache().get('k', { loader: never, signal: stop.signal })).rejects.toBe(
      stop.signal.reason,
    );
  });
});

describe('a caller whose signal fires while it waits', () => {
  it('rejects with its reason at once; the others wait on', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    const loader = jest.fn((_key: string, context: LoadContext<string>) => {
      signal = context.signal;
      return load.promise;
    });
    const leader = cache.get('k', { loader, signal: stop.signal });
    const follower = cache.get('k', loader);
    const reason = new Error('gone');
    stop.abort(reason);

    await expect(leader).rejects.toBe(reason);
    expect(await stateOf(follower)).toBe('pending');
    expect(signal?.aborted).toBe(false);
    load.resolve('v');
    expect(await follower).toBe('v');
    expect(cache.peek('k')).toBe('v');
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('is heard also when it only joined', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const stop = new AbortController();
    const leader = cache.get('k', () => load.promise);
    const follower = cache.get('k', { loader: never, signal: stop.signal });
    const silent = cache.get('k', { signal: stop.signal });
    stop.abort();

    await expect(follower).rejects.toBe(stop.signal.reason);
    await expect(silent).rejects.toBe(stop.signal.reason);
    load.resolve('v');
    expect(await leader).toBe('v');
  });

  it('and who was the last makes the signal of the load fire; the next caller loads anew', async () => {
    const cache = new AsyncCache<string, string>();
    const load = deferred<string>();
    const stops = [new AbortController(), new AbortController()];
    let signal: AbortSignal | undefined;
    const gets = stops.map((stop) =>
      cache.get('k', {
        signal: stop.signal,
        loader: (_key, context) => {
          signal = context.signal;
          return load.promise;
        },
      }),
    );
    const outcomes = Promise.allSettled(gets);
    stops[0]!.abort();
    expect(signal?.aborted).toBe(false);
    stops[1]!.abort();
    expect(signal?.aborted).toBe(true);
    await outcomes;

    expect(await cache.get('k', () => 'new')).toBe('new');
    load.resolve('late');
    await settle();
    expect(cache.peek('k')).toBe('new');
  });

  it('a loader that asks for its signal only then gets one that has fired', async () => {
    const cache = new AsyncCache<string, string>();
    const stop = new AbortController();
    const load = deferred<string>();
    let late: (() => AbortSignal) | undefined;
    const get = cache.get('k', {
      signal: stop.signal,
      loader: (_key, context) => {
        late = () => context.signal;
        return load.promise;
      },
    });
    stop.abort();
    await expect(get).rejects.toBe(stop.signal.reason);

    expect(late!().aborted).toBe(true);
    expect(late!()).toBe(late!());
  });

  it('a loader that fails because of it is nobody`s error', async () => {
    const cache = new AsyncCache<string, string>();
    const stop = new AbortController();
    const get = cache.get('k', {
      signal: stop.signal,
      loader: (_key, { signal }) =>
        new Promise<string>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    stop.abort(new Error('gone'));

    await expect(get).rejects.toThrow('gone');
    expect(await cache.get('k', () => 'new')).toBe('new');
  });

  it('leaves what was cached before', async () => {
    const cache = new AsyncCache<string, string>();
    await cache.set('k', 'old');
    const stop = new AbortController();
    const load = deferred<string>();
    const get = cache.get('k', { refresh: true, loader: () => load.promise, signal: stop.signal });
    stop.abort();
    await expect(get).rejects.toBe(stop.signal.reason);
    load.resolve('late');
    await settle();

    expect(cache.peek('k')).toBe('old');
  });

  it('inside its own loader rejects it', async () => {
    const cache = new AsyncCache<string, string>();
    const stop = new AbortController();
    const get = cache.get('k', {
      signal: stop.signal,
      loader: async () => {
        stop.abort();
        return 'v';
      },
    });

    await expect(get).rejects.toBe(stop.signal.reason);
  });

  it('no more after it was answered', async () => {
    const cache = new AsyncCache<string, string>();
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    const value = await cache.get('k', {
      signal: stop.signal,
      loader: (_key, context) => {
        signal = context.signal;
        return 'v';
      },
    });
    stop.abort();

    expect(value).toBe('v');
    expect(signal?.aborted).toBe(false);
    expect(cache.peek('k')).toBe('v');
  });

  it('and one who has its answer by softTimeout counts as gone, but does not end the load', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      clock,
      ttl: 1_000,
      staleIfError: '1h',
      softTimeout: 50,
    });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const load = deferred<string>();
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    const get = cache.get('k', {
      signal: stop.signal,
      loader: (_key, context) => {
        signal = context.signal;
        return load.promise;
      },
    });
    await clock.advance(50);
    expect(await get).toBe('old');
    stop.abort();
    expect(signal?.aborted).toBe(false);
    load.resolve('new');
    await settle();

    expect(cache.peek('k')).toBe('new');
  });

  it('a refresh behind a stale value outlives the caller who started it', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, ttl: 1_000, staleWhileRevalidate: '1h' });
    await cache.set('k', 'old');
    await clock.advance(1_500);
    const load = deferred<string>();
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    await cache.get('k', {
      signal: stop.signal,
      loader: (_key, context) => {
        signal = context.signal;
        return load.promise;
      },
    });
    stop.abort();
    expect(signal?.aborted).toBe(false);
    load.resolve('new');
    await settle();

    expect(cache.peek('k')).toBe('new');
  });
});

describe('listeners on the signals of callers', () => {
  it.each([
    'hit',
    'loaded',
    'failed',
    'joined',
    'timeout',
    'stale',
    'none',
    'many',
    'close',
    'aborted',
  ])('are gone after: %s', async (situation) => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({
      clock,
      ttl: 1_000,
      staleWhileRevalidate: '1h',
    });
    const stop = new AbortController();
    const { signal } = stop;
    const load = deferred<string>();
    const loader = (): Promise<string> => load.promise;
    const calls: Promise<unknown>[] = [];
    if (situation === 'hit' || situation === 'stale') await cache.set('k', 'v');
    if (situation === 'stale') await clock.advance(1_500);
    if (situation === 'joined') calls.push(cache.get('k', loader));
    if (situation === 'none') calls.push(cache.get('k', { signal }));
    else if (situation === 'many') calls.push(cache.getMany(['k', 'l'], { loader, signal }));
    else {
      const timeout = situation === 'timeout' ? 50 : 5_000;
      for (let at = 0; at < 8; at++) calls.push(cache.get('k', { loader, signal, timeout }));
    }
    const settled = Promise.allSettled(calls);
    if (situation === 'timeout') await clock.advance(50);
    if (situation === 'close') await cache.close();
    if (situation === 'aborted') stop.abort();
    if (situation === 'failed') load.reject(new Error('down'));
    else if (situation !== 'timeout' && situation !== 'close') load.resolve('v');
    await settled;

    expect(listening(signal)).toBe(0);
  });

  it('are one at most for each call that waits', async () => {
    const cache = new AsyncCache<string, string>();
    const { signal } = new AbortController();
    const load = deferred<string>();
    const gets = [
      cache.get('k', { loader: () => load.promise, signal }),
      cache.getMany(['a', 'b', 'c'], { loader: () => load.promise, signal }),
    ];
    await settle();
    expect(listening(signal)).toBeLessThanOrEqual(4);
    load.resolve('v');
    await Promise.all(gets);

    expect(listening(signal)).toBe(0);
  });
});

describe('timeout and signal together', () => {
  it('whichever is first ends the wait', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, timeout: 100 });
    const stop = new AbortController();
    const first = cache.get('a', { loader: never, signal: stop.signal });
    const second = cache.get('b', { loader: never, signal: stop.signal, timeout: 10 });
    const outcomes = Promise.allSettled([first, second]);
    await clock.advance(10);
    stop.abort();
    const [a, b] = await outcomes;

    expect(a).toMatchObject({ status: 'rejected', reason: stop.signal.reason as unknown });
    expect(b).toMatchObject({ status: 'rejected', reason: expect.any(LoadTimeoutError) });
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  it('one gone by timeout and one by signal have both left: the load is told', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const stop = new AbortController();
    let signal: AbortSignal | undefined;
    const loader = (_key: string, context: LoadContext<string>): Promise<string> => {
      signal = context.signal;
      return never();
    };
    const outcomes = Promise.allSettled([
      cache.get('k', { loader, timeout: 50 }),
      cache.get('k', { loader, signal: stop.signal }),
    ]);
    await clock.advance(50);
    expect(signal?.aborted).toBe(false);
    stop.abort();
    expect(signal?.aborted).toBe(true);

    await outcomes;
  });

  it('a timeout of 0 waits for nothing that takes its time', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, timeout: 0 });
    const outcome = cache.get('k', never).catch((error: unknown) => error);
    await clock.advance(0);

    expect(await outcome).toBeInstanceOf(LoadTimeoutError);
  });

  it('LoadTimeoutError says which cache, which key and how long', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<unknown, string>({ clock, name: 'users', timeout: '2s' });
    const key = { id: 7 };
    const outcome = cache.get(key, never).catch((error: unknown) => error);
    await clock.advance(2_000);

    expect(await outcome).toMatchObject({
      name: 'LoadTimeoutError',
      key,
      message: expect.stringMatching(/users.*2000/),
    });
  });

  it.each(['get', 'get with a timeout', 'getWithMeta', 'getMany', 'several'])(
    'a caller after the timeout, by %s, does not pay for those who have left',
    async (way) => {
      const clock = fakeClock();
      const cache = new AsyncCache<string, string>({ clock });
      let running = 0;
      const closed = deferred<undefined>();
      /** Ends some time after it is told to, as a driver does. */
      const obedient = async (_key: string, { signal }: LoadContext<string>): Promise<string> => {
        running++;
        await closed.promise;
        running--;
        signal.throwIfAborted();
        return 'late';
      };
      const beside: number[] = [];
      const loader = (): string => {
        beside.push(running);
        return 'own';
      };
      const first = cache.get('k', { loader: obedient, timeout: 50 });
      first.catch(() => undefined);
      await clock.advance(50);
      await expect(first).rejects.toThrow(LoadTimeoutError);
      expect(running).toBe(1);
      const next: Promise<unknown> = {
        get: () => cache.get('k', loader),
        'get with a timeout': () => cache.get('k', { loader, timeout: 1000 }),
        getWithMeta: () => cache.getWithMeta('k', loader).then(({ value }) => value),
        getMany: () => cache.getMany(['k'], () => [loader()]).then((values) => values.get('k')),
        several: async () =>
          (await Promise.all([cache.get('k', loader), cache.get('k', loader)]))[1],
      }[way]!();
      closed.resolve(undefined);
      expect(await next).toBe('own');
      // Never a second load beside the first.
      expect(beside).toEqual([0]);
      expect(await cache.get('k')).toBe('own');
    },
  );

  it('a caller after the timeout who cannot load finds nothing, where what ran was stopped', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock });
    const load = deferred<string>();
    const first = cache.get('k', { loader: () => load.promise, timeout: 50 });
    first.catch(() => undefined);
    await clock.advance(50);
    const looking = cache.get('k');
    load.reject(new DOMException('stopped', 'AbortError'));
    expect(await looking).toBeUndefined();
  });

  it('a caller after the timeout joins what still runs', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, timeout: 100 });
    const load = deferred<string>();
    const loader = jest.fn(() => load.promise);
    const first = cache.get('k', loader).catch(() => 'timed out');
    await clock.advance(100);
    expect(await first).toBe('timed out');
    const second = cache.get('k', loader);
    await clock.advance(50);
    load.resolve('late');

    expect(await second).toBe('late');
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('a load that fails after every caller timed out is an event and no unhandled rejection', async () => {
    const clock = fakeClock();
    const cache = new AsyncCache<string, string>({ clock, timeout: 100 });
    const errors: unknown[] = [];
    cache.on('error', ({ error }) => errors.push(error));
    const load = deferred<string>();
    const first = cache.get('k', () => load.promise).catch(() => 'timed out');
    await clock.advance(100);
    await first;
    const down = new Error('down');
    load.reject(down);
    await settle();

    expect(errors).toContain(down);
    expect(await cache.get('k', () => 'new')).toBe('new');
  });
});
