import { deferred, nextTurn } from '../test/deferred.js';
import { failOnUnhandledRejections } from '../test/outcome.js';
import { AsyncCache, type CacheEventName, type LoadContext } from './index.js';
import { fakeClock } from './testing.js';

failOnUnhandledRejections();

/** What promises have come to by now: a value, the message of an error, or `'pending'`. */
async function states(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const found: unknown[] = promises.map(() => 'pending');
  promises.forEach((promise, at) => {
    promise.then(
      (value) => (found[at] = value),
      (error: unknown) => (found[at] = (error as Error).message),
    );
  });
  await nextTurn();
  return found;
}

const patient = (): AbortSignal => new AbortController().signal;

describe('a caller who is made to leave while the load that it waits for ends', () => {
  it('by a loader that begins anew, leaves alone', async () => {
    const cache = new AsyncCache<string, string>();
    const leaver = new AbortController();
    const first = deferred<undefined>();
    let loads = 0;
    const loader = async (_: string, context: LoadContext<string>) => {
      const load = ++loads;
      if (load === 1) await first.promise;
      else leaver.abort(new Error('left'));
      context.tag('t');
      return `load ${load}`;
    };
    const before = cache.get('k', { loader, signal: patient() });
    await cache.invalidateTags('t');
    // Each of these joins, and looks again at the end, since its value is of before the invalidation.
    const after = [patient(), leaver.signal, patient()].map((signal) => {
      return cache.get('k', { loader, signal });
    });
    first.resolve(undefined);

    expect(await states([before, ...after])).toEqual(['load 1', 'load 2', 'left', 'load 2']);
  });

  const events = ['hit', 'miss', 'load', 'loaded', 'set', 'error', 'stale', 'expire'] as const;

  describe.each([false, true])('(its load fails: %s)', (fails) => {
    it.each<CacheEventName>(events)('by a listener of %s, leaves alone', async (event) => {
      // The listener that is called for one of the first callers, or for one of the last.
      for (let nth = 1; nth <= 6; nth++) {
        const clock = fakeClock();
        const cache = new AsyncCache<string, string>({ clock, ttl: 100, staleIfError: 1000 });
        await cache.set('k', 'stale');
        await clock.advance(101);
        const leaver = new AbortController();
        const end = deferred<undefined>();
        const loader = async (): Promise<string> => {
          await end.promise;
          if (fails) throw new Error('failed');
          return 'loaded';
        };
        let told = 0;
        cache.on(event, () => {
          if (++told === nth) leaver.abort(new Error('left'));
        });
        const callers = [
          cache.get('k', { loader, signal: patient() }),
          cache.get('k', { loader, signal: leaver.signal }),
          cache.getWithMeta('k', { loader, signal: patient() }).then(({ value }) => value),
          cache.get('k', { loader, signal: leaver.signal }),
          cache.get('k', loader),
        ];
        end.resolve(undefined);
        const [first, left, second, alsoLeft, last] = await states(callers);

        const served = fails ? 'stale' : 'loaded';
        expect([first, second, last]).toEqual([served, served, served]);
        for (const state of [left, alsoLeft]) expect([served, 'left']).toContain(state);
      }
    });
  });
});
