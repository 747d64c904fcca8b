/*
 * Loads that everybody has left, by timeout or signal, and that stop for it, as the driver of a database
 * does: who comes while one is still stopping must not pay for those who have left.
 */
import fc from 'fast-check';
import { outcomeOf, failOnUnhandledRejections } from '../test/outcome.js';
import { AsyncCache, LoadTimeoutError, type AsyncCacheOptions, type LoadContext } from './index.js';
import { failingTier, fakeClock, memoryTier } from './testing.js';

failOnUnhandledRejections();

/** How long a load takes, and how long it takes to stop, in milliseconds. */
const LOAD = 30;
const STOP = 8;

function setUp(options: AsyncCacheOptions<string, number> = {}) {
  const clock = fakeClock();
  const cache = new AsyncCache<string, number>({ clock, ...options });
  /** Loads that have begun, that run, and that ran at once. */
  const loads = { begun: 0, running: 0, most: 0 };
  /** Heeds its signal, brings its number else. */
  const heeding =
    (takes = LOAD, stops = STOP) =>
    (_key: string, { signal }: LoadContext<number>): Promise<number> =>
      new Promise((resolve, reject) => {
        const number = ++loads.begun;
        loads.most = Math.max(loads.most, ++loads.running);
        let hasEnded = false;
        const end = (settle: () => void): void => {
          if (hasEnded) return;
          hasEnded = true;
          loads.running--;
          settle();
        };
        clock.setTimeout(() => end(() => resolve(number)), takes);
        signal.addEventListener('abort', () => {
          const stopped = (): void => end(() => reject(new DOMException('gone', 'AbortError')));
          if (stops === 0) stopped();
          else clock.setTimeout(stopped, stops);
        });
      });
  const loader = heeding();
  /** Somebody asks, and leaves after 10 ms: the load stops, and will have stopped 8 ms later. */
  const stopping = async (): Promise<void> => {
    const first = cache.get('k', { loader, timeout: 10 });
    first.catch(() => undefined);
    await clock.advance(10);
    await expect(first).rejects.toThrow(LoadTimeoutError);
  };
  /** Time passes bit by bit, since what follows from one thing begins when that has happened. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 5) await clock.advance(5);
  };
  return { cache, clock, heeding, loader, loads, pass, stopping };
}

describe('who joins a load that is stopping', () => {
  it.each([0, 5, 50])('gets the value of one other load, with %p ms to stop', async (stops) => {
    const { cache, clock, heeding, loads, pass } = setUp();
    const loader = heeding(LOAD, stops);
    const first = outcomeOf(cache.get('k', { loader, timeout: 10 }));
    await clock.advance(10);
    const joined = [
      cache.get('k', loader),
      cache.get('k', { loader, timeout: 1000 }),
      cache.getWithMeta('k', loader).then(({ value }) => value),
      cache.getMany(['k'], { loader }).then((values) => values.get('k')),
    ];
    await clock.advance(4);
    joined.push(cache.get('k', loader));
    await pass(200);
    await first;
    const values = await Promise.all(joined);
    expect(new Set(values).size).toBe(1);
    expect(loads.most).toBe(1);
    // One that does not stop before it is through brings what it was asked for.
    expect(loads.begun).toBe(stops < LOAD - 10 ? 2 : 1);
    expect(cache.peek('k')).toBe(values[0]);
  });

  it('gets what it brings, where it does not stop', async () => {
    const { cache, clock, loads, pass } = setUp();
    const deaf = (): Promise<number> =>
      new Promise((resolve) => {
        loads.begun++;
        clock.setTimeout(() => resolve(7), 100);
      });
    const first = outcomeOf(cache.get('k', { loader: deaf, timeout: 10 }));
    await clock.advance(10);
    const joined = cache.getWithMeta('k', deaf);
    await pass(100);
    await first;
    expect(await joined).toMatchObject({ value: 7, status: 'joined' });
    expect(cache.peek('k')).toBe(7);
    expect(loads.begun).toBe(1);
  });

  it('gets an error that it ends with and that is its own', async () => {
    const { cache, clock, pass } = setUp();
    const wrong = new Error('the table is gone');
    const failing = (): Promise<number> =>
      new Promise((_, reject) => void clock.setTimeout(() => reject(wrong), 100));
    const first = outcomeOf(cache.get('k', { loader: failing, timeout: 10 }));
    await clock.advance(10);
    const joined = expect(cache.get('k', failing)).rejects.toBe(wrong);
    await pass(100);
    await Promise.all([first, joined]);
  });

  it('by its own signal leaves alone, and the others get a value', async () => {
    const { cache, clock, loader, loads, pass, stopping } = setUp();
    await stopping();
    const leaver = new AbortController();
    const leaving = cache.get('k', { loader, signal: leaver.signal });
    const staying = cache.get('k', loader);
    await clock.advance(1);
    leaver.abort('mine');
    await expect(leaving).rejects.toBe('mine');
    await pass(100);
    expect(await staying).toBe(2);
    expect(loads.most).toBe(1);
  });

  it('and leaves before it has stopped has nothing loaded for it', async () => {
    const { cache, loader, loads, pass, stopping } = setUp();
    await stopping();
    const leaver = new AbortController();
    const leaving = cache.get('k', { loader, signal: leaver.signal });
    leaver.abort('mine');
    await expect(leaving).rejects.toBe('mine');
    await pass(100);
    expect(loads).toEqual({ begun: 1, running: 0, most: 1 });
  });

  it('and times out before it has stopped gets a LoadTimeoutError, and no load', async () => {
    const { cache, loader, loads, pass, stopping } = setUp();
    await stopping();
    const next = expect(cache.get('k', { loader, timeout: 5 })).rejects.toThrow(LoadTimeoutError);
    await pass(100);
    await next;
    expect(loads).toEqual({ begun: 1, running: 0, most: 1 });
  });

  it('is not told its failure, which is not remembered either', async () => {
    const { cache, clock, loader, pass, stopping } = setUp({ errorTtl: '1h' });
    await stopping();
    const joined = cache.get('k', loader);
    await pass(100);
    expect(await joined).toBe(2);
    await cache.delete('k');
    await stopping();
    await clock.advance(STOP);
    const next = cache.get('k', loader);
    await pass(100);
    expect(await next).toBe(4);
  });

  it('gets a value by what it loads with itself, where getMany began it', async () => {
    const { cache, clock } = setUp();
    const many = cache.getMany(['k', 'other'], {
      timeout: 10,
      loadMany: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new DOMException('gone', 'AbortError')));
        }),
    });
    many.catch(() => undefined);
    await clock.advance(10);
    const joined = cache.get('k', () => 7);
    await expect(many).rejects.toThrow(LoadTimeoutError);
    expect(await joined).toBe(7);
  });

  it('has its own load of those of its keys that were stopped, by getMany', async () => {
    const { cache, loads, pass, stopping } = setUp();
    await stopping();
    const asked: (readonly string[])[] = [];
    const many = cache.getMany(['k', 'other'], (keys) => {
      asked.push(keys);
      expect(loads.running).toBe(keys.includes('k') ? 0 : 1);
      return keys.map(() => 99);
    });
    await pass(100);
    expect([...(await many)]).toEqual([
      ['k', 99],
      ['other', 99],
    ]);
    expect(asked.flat().sort()).toEqual(['k', 'other']);
  });

  it('is refused when the cache is closed', async () => {
    const { cache, loader, stopping } = setUp();
    await stopping();
    const joined = expect(cache.get('k', loader)).rejects.toMatchObject({
      code: 'ERR_ACACHE_CLOSED',
    });
    await cache.close();
    await joined;
  });

  it.each([
    ['a tier', memoryTier()],
    ['a tier that fails', failingTier(memoryTier())],
  ])('gets a value behind %s', async (_, tier) => {
    const { cache, clock, loader, loads, pass } = setUp({ name: 'c', tier });
    const first = outcomeOf(cache.get('k', { loader, timeout: 10 }));
    await clock.advance(10);
    const joined = Promise.all([cache.get('k', loader), cache.get('k', loader)]);
    await pass(200);
    await first;
    expect(new Set(await joined).size).toBe(1);
    expect(loads.most).toBe(1);
    await cache.close();
  });
});

describe('while a load is stopping', () => {
  it('a delete gives who comes later a load of its own, and who joined before a value', async () => {
    const { cache, loader, pass, stopping } = setUp();
    await stopping();
    const before = cache.get('k', loader);
    void cache.delete('k');
    const after = cache.get('k', loader);
    await pass(100);
    expect(await before).toEqual(expect.any(Number));
    expect(await after).toBeGreaterThan(1);
  });

  it('a set is what who comes later gets, and what stays', async () => {
    const { cache, loader, pass, stopping } = setUp();
    await stopping();
    const before = cache.get('k', loader);
    void cache.set('k', 777);
    expect(await cache.get('k', loader)).toBe(777);
    await pass(100);
    expect(await before).toEqual(expect.any(Number));
    expect(cache.peek('k')).toBe(777);
  });

  it('a refresh is a load of its own', async () => {
    const { cache, loader, pass, stopping } = setUp();
    await stopping();
    const refreshed = cache.get('k', { loader, refresh: true });
    const joined = cache.get('k', loader);
    await pass(100);
    expect(await Promise.all([refreshed, joined])).toEqual([2, 2]);
  });

  it('a stale value inside staleIfError is served, and there is never a second load', async () => {
    const { cache, clock, heeding, loads, pass } = setUp({
      ttl: 10,
      staleIfError: '1h',
      timeout: 10,
    });
    const loader = heeding(LOAD, 15);
    await cache.set('k', 100);
    await clock.advance(20);
    const read: Promise<string>[] = [];
    for (let at = 0; at < 20; at++) {
      read.push(cache.getWithMeta('k', loader).then(({ status }) => status));
      await clock.advance(4);
    }
    await pass(200);
    expect(new Set(await Promise.all(read))).toEqual(new Set(['error-stale', 'hit']));
    expect(loads.most).toBe(1);
  });
});

it.each([0, STOP])(
  'who comes when all have left by signal loads anew: %p ms to stop',
  async (stops) => {
    const { cache, clock, heeding, pass } = setUp();
    const loader = heeding(LOAD, stops);
    const leaver = new AbortController();
    const first = cache.get('k', { loader, signal: leaver.signal });
    await clock.advance(5);
    leaver.abort('left');
    const next = cache.get('k', loader);
    await expect(first).rejects.toBe('left');
    await pass(100);
    expect(await next).toBe(2);
    expect(cache.peek('k')).toBe(2);
  },
);

/** A caller: what the load would take, how the caller leaves, and how long it is until the next one. */
const caller = fc.record({
  takes: fc.nat(40),
  stops: fc.constantFrom(0, 10, 20),
  timeout: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  abortsAfter: fc.option(fc.nat(30), { nil: undefined }),
  deletes: fc.boolean(),
  pause: fc.nat(14),
});

it('gives everybody a value or a reason of their own, whoever leaves when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(caller, { minLength: 2, maxLength: 40, size: 'max' }),
      fc.constantFrom<AsyncCacheOptions<string, number>>(
        {},
        { maxSize: 0 },
        { ttl: 20, staleIfError: 30 },
      ),
      fc.boolean(),
      async (callers, options, mayAbort) => {
        const { cache, clock, heeding, loads, pass } = setUp(options);
        const outcomes: Promise<unknown>[] = [];
        for (const { abortsAfter, deletes, pause, stops, takes, timeout } of callers) {
          const leaver = new AbortController();
          const reason = {};
          if (mayAbort && abortsAfter !== undefined) {
            clock.setTimeout(() => leaver.abort(reason), abortsAfter);
          }
          const signal = mayAbort ? { signal: leaver.signal } : {};
          const patience = timeout === undefined ? {} : { timeout };
          const got = cache.get('k', { loader: heeding(takes, stops), ...signal, ...patience });
          outcomes.push(
            got.then(
              (value) => expect(value).toEqual(expect.any(Number)),
              (error: unknown) => {
                if (error === reason) return;
                expect(error).toBeInstanceOf(LoadTimeoutError);
                expect(timeout).toBeDefined();
              },
            ),
          );
          if (mayAbort && deletes) void cache.delete('k');
          await clock.advance(pause);
        }
        await pass(2000);
        await Promise.all(outcomes);
        expect(loads.running).toBe(0);
        // Who leaves by a signal, and who deletes, let the next one begin at once.
        if (!mayAbort) expect(loads.most).toBe(1);
        await cache.close();
      },
    ),
    { numRuns: 200 },
  );
});
