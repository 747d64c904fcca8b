import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Entry } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { inspect } from '../src/inspect.js';
import { keptIn } from './caches.js';
import { entryOf, inFolder, openSession, until, type Session } from './host.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const YEAR = 365 * 24 * 60 * MINUTE;
const T = 1_700_000_000_000;

/** `ACACHE_RUNS=1000` for a long run. */
const RUNS = Number(process.env.ACACHE_RUNS ?? 40);

/** A life of a process: it begins at some instant of its clock and ends so much later. */
async function live<R>(
  path: string,
  begins: number,
  lasts: number,
  task: (session: Session, now: number) => R,
): Promise<R> {
  const clock = fakeClock(begins);
  const session = await openSession(path, { flushInterval: '1h' }, { clock });
  const result = task(session, begins);
  await clock.advance(lasts);
  await session.persistence.close();
  expect(session.errors).toEqual([]);
  return result;
}

function setFor(ttl: number, more: Partial<Entry> = {}) {
  return ({ persistence }: Session, now: number): void => {
    persistence.set('k', entryOf('v', { createdAt: now, freshUntil: now + ttl, ...more }));
  };
}

/** How long the entry is still fresh; `undefined` where there is none. */
function left({ restored }: Session, now: number): number | undefined {
  const entry = restored.get('k');
  return entry && entry.freshUntil - now;
}

describe('a clock that was set back between two lives', () => {
  it.each([
    ['1 ms', 1],
    ['30 s', 30 * SECOND],
    ['5 min', 5 * MINUTE],
    ['9 min', 9 * MINUTE],
    ['60 min', 60 * MINUTE],
  ])('by %s prolongs nothing', (_, back) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, T, 9 * MINUTE, setFor(10 * MINUTE));
      const begins = T + 9 * MINUTE - back;
      expect(await live(path, begins, 20 * SECOND, left)).toBe(MINUTE);
      // It goes on from there, whatever the clock does then.
      expect(await live(path, begins + 50 * SECOND, 0, left)).toBe(10 * SECOND);
      expect(await live(path, begins, 9 * SECOND, left)).toBe(10 * SECOND);
      expect(await live(path, T - YEAR, SECOND, left)).toBe(SECOND);
      expect(await live(path, T - YEAR, 0, left)).toBe(undefined);
    }),
  );

  it('does not undo expire()', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const clock = fakeClock(T);
      const options = { ttl: '10m', staleIfError: '1h', clock } as const;
      const first = keptIn(path, options);
      await first.cache.set('k', 'v');
      await clock.advance(MINUTE);
      await first.cache.expire('k');
      await first.cache.close();
      const second = keptIn(path, { ...options, clock: fakeClock(T + 30 * SECOND) });
      await second.cache.ready;
      expect(await second.cache.get('k', () => 'anew')).toBe('anew');
      await second.cache.close();
      expect([...first.errors, ...second.errors]).toEqual([]);
    }));

  it('shortens stale windows just as much, and may be before the epoch for what is old', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const windows = { staleWhileRevalidate: 5 * MINUTE, staleIfError: 20 * MINUTE };
      await live(path, T, 12 * MINUTE, setFor(10 * MINUTE, windows));
      // Two minutes of the windows are over; the clock begins where it can tell of nothing before.
      const read = ({ restored }: Session) => plain(restored.get('k') as Entry);
      expect(await live(path, 5, 0, read)).toMatchObject({
        createdAt: 0,
        freshUntil: 0,
        staleWhileRevalidate: 3 * MINUTE + 5,
        staleIfError: 18 * MINUTE + 5,
      });
      // No cache refuses it.
      const { cache, errors } = keptIn(path, { clock: fakeClock(5) });
      await cache.ready;
      await cache.close();
      expect(errors).toEqual([]);
      expect(await live(path, 5, 0, read)).toMatchObject({ staleIfError: 18 * MINUTE + 5 });
    }));

  it('keeps nothing alive on a machine whose clock begins anew with every boot', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, 0, MINUTE, setFor(10 * MINUTE));
      for (let boot = 1; boot < 10; boot++) {
        expect(await live(path, 0, MINUTE, left)).toBe((10 - boot) * MINUTE);
      }
      expect(await live(path, 0, 0, left)).toBe(undefined);
    }));

  it('counts what was written last where the process was killed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const clock = fakeClock(T);
      const options = { flushInterval: SECOND, fsyncInterval: false } as const;
      const { persistence } = await openSession(path, options, { clock });
      setFor(10 * MINUTE)({ persistence } as Session, T);
      await persistence.flush();
      await clock.advance(9 * MINUTE);
      const { size } = await stat(path);
      // Nobody flushes it: no head tells of it.
      persistence.set('other', entryOf('v', { createdAt: clock.now() }));
      void clock.advance(SECOND);
      await until(async () => (await stat(path)).size > size);
      const killed = join(folder, 'killed');
      await copyFile(path, killed);
      await persistence.close();
      for (const begins of [T, T + 5 * MINUTE, T - YEAR]) {
        await copyFile(killed, path);
        expect(await live(path, begins, 0, left)).toBe(59 * SECOND);
      }
    }));

  it('is remembered by a process that is killed before it writes anything', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, T, MINUTE, setFor(10 * MINUTE));
      const session = await openSession(path, {}, { clock: fakeClock(T) });
      await until(async () => (await inspect(path, T)).time.setBack === MINUTE);
      const killed = join(folder, 'killed');
      await copyFile(path, killed);
      await session.persistence.close();
      expect(await live(killed, T + 2 * MINUTE, 0, left)).toBe(7 * MINUTE);
    }));

  it('survives that the file is written anew', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, T, 5 * MINUTE, setFor(10 * MINUTE));
      const settings = { leastToCompact: 1, clock: fakeClock(T) };
      const session = await openSession(path, { flushInterval: '1h' }, settings);
      const { size } = await stat(path);
      for (let round = 0; round < 30; round++) {
        session.persistence.set('large', entryOf('x'.repeat(50_000), { createdAt: T }));
        await session.persistence.flush();
      }
      await session.persistence.close();
      expect((await stat(path)).size).toBeLessThan(size + 30 * 50_000);
      expect(await live(path, T, 0, left)).toBe(5 * MINUTE);
    }));
});

describe('a clock that was far ahead by mistake', () => {
  const FAR = T + 74 * YEAR;

  it('makes nothing dead for ever', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, FAR, MINUTE, setFor(10 * MINUTE));
      // What was stored then is as old as it was.
      expect(await live(path, T, MINUTE, left)).toBe(9 * MINUTE);
      // And from there on the present clock counts, also while nothing runs.
      expect(await live(path, T + 6 * MINUTE, 0, left)).toBe(3 * MINUTE);
      await live(path, T + 7 * MINUTE, 0, setFor(10 * MINUTE));
      expect(await live(path, T + 9 * MINUTE, 0, left)).toBe(8 * MINUTE);
      expect(await live(path, T + 17 * MINUTE, 0, left)).toBe(undefined);
    }));

  it.each([Infinity, 1e300, Number.MAX_SAFE_INTEGER])('even at %d', (absurd) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await live(path, T, MINUTE, setFor(Infinity));
      await live(path, absurd, MINUTE, () => undefined);
      await live(path, T, 0, setFor(10 * MINUTE));
      expect(await live(path, T, 0, left)).toBe(10 * MINUTE);
    }),
  );
});

describe('whatever clocks do between lives', () => {
  it(
    'gives no entry more than its own life',
    () =>
      inFolder(async (folder) => {
        let file = 0;
        const span = fc.oneof(fc.nat(20), fc.nat(5 * MINUTE), fc.nat(3 * 60 * MINUTE));
        const lives = fc.array(
          fc.record({
            begins: fc.oneof(
              fc.integer({ min: -10 * MINUTE, max: 10 * MINUTE }).map((at) => T + at),
              fc.constantFrom(0, T, T + 74 * YEAR),
            ),
            lasts: span,
            sets: fc.boolean(),
          }),
          { minLength: 1, maxLength: 6 },
        );
        await fc.assert(
          fc.asyncProperty(span, span, lives, async (ttl, staleIfError, sequence) => {
            const path = join(folder, `cache${++file}`);
            const life = ttl + staleIfError;
            /** By key: how old it is at least. What passes while nothing runs counts where it is seen. */
            const ages = new Map<string, number>();
            let ended = -Infinity;
            for (const [at, { begins, lasts, sets }] of sequence.entries()) {
              await live(path, begins, lasts, ({ restored, persistence }, now) => {
                for (const [key, age] of ages) {
                  const least = age + Math.max(0, now - ended);
                  ages.set(key, least);
                  const entry = restored.get(key);
                  const rest = entry && entry.freshUntil + entry.staleIfError - now;
                  expect(rest ?? 0).toBeLessThanOrEqual(Math.max(0, life - least));
                  if (at > 0 && least < life) expect(rest).toBe(life - least);
                }
                if (!sets) return;
                const entry = entryOf(at, { createdAt: now, freshUntil: now + ttl, staleIfError });
                persistence.set(`k${at}`, entry);
                ages.set(`k${at}`, 0);
              });
              for (const [key, age] of ages) ages.set(key, age + lasts);
              ended = begins + lasts;
            }
          }),
          { numRuns: RUNS },
        );
      }),
    60_000 + RUNS * 200,
  );
});

/** What the getters of an entry say. */
function plain({ createdAt, freshUntil, staleWhileRevalidate, staleIfError }: Entry) {
  return { createdAt, freshUntil, staleWhileRevalidate, staleIfError };
}
