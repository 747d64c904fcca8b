import { settle } from '../test/deferred.js';
import { AsyncCache } from './index.js';
import { fakeClock } from './testing.js';

/** Pseudo-random numbers, the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

/** The life of one entry, as the contract tells it. */
interface Held {
  value: number;
  storedAt: number;
  freshUntil: number;
}

describe('the three windows, against a model', () => {
  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'any sequence of calls and pauses is answered as the contract says (seed %p)',
    async (seed) => {
      const random = randomOf(seed + 1);
      for (let run = 0; run < 40; run++) {
        const [ttl, swr, sie] = [1 + random(20), random(20), random(20)] as const;
        const clock = fakeClock();
        const cache = new AsyncCache<string, number>({
          clock,
          ttl,
          staleWhileRevalidate: swr,
          staleIfError: sie,
        });
        let held: Held | undefined;
        let made = 0;
        const log: string[] = [`ttl ${ttl} swr ${swr} sie ${sie}`];
        const store = (value: number): void => {
          held = { value, storedAt: clock.now(), freshUntil: clock.now() + ttl };
        };
        for (let step = 0; step < 40; step++) {
          const now = clock.now();
          if (held !== undefined && now >= held.freshUntil + Math.max(swr, sie)) held = undefined;
          const past = held === undefined ? Infinity : now - held.freshUntil;
          const fresh = past < 0;
          expect([log, cache.peek('k')]).toEqual([log, fresh ? held?.value : undefined]);
          expect([log, cache.size]).toEqual([log, held === undefined ? 0 : 1]);

          const action = random(10);
          if (action < 3) {
            const ms = random(15);
            log.push(`advance ${ms}`);
            await clock.advance(ms);
          } else if (action === 3) {
            log.push('set');
            store(++made);
            void cache.set('k', made);
          } else if (action === 4) {
            log.push('delete');
            expect([log, await cache.delete('k')]).toEqual([log, held !== undefined]);
            held = undefined;
          } else if (action === 5) {
            log.push('expire');
            expect([log, await cache.expire('k')]).toEqual([log, held !== undefined]);
            if (held !== undefined) held = { ...held, freshUntil: Math.min(held.freshUntil, now) };
          } else if (action === 6) {
            log.push('get');
            const { value, status } = await cache.getWithMeta('k');
            const expected = fresh ? 'hit' : past < swr ? 'stale' : 'miss';
            expect([log, status, value]).toEqual([
              log,
              expected,
              expected === 'miss' ? undefined : held?.value,
            ]);
          } else {
            const fails = action === 9;
            log.push(fails ? 'get, loader fails' : 'get, loader loads');
            const before: Held | undefined = held;
            let called = 0;
            const value = ++made;
            const loader = async (): Promise<number> => {
              called++;
              if (fails) throw new Error('down');
              return value;
            };
            const answer = await cache.getWithMeta('k', loader).catch(() => 'rejected' as const);
            await settle();
            const [status, got] =
              answer === 'rejected' ? ['rejected', undefined] : [answer.status, answer.value];
            if (fresh || past < swr) {
              expect([log, status, got]).toEqual([log, fresh ? 'hit' : 'stale', before?.value]);
              if (called > 0 && !fails) store(value);
              expect(called).toBeLessThanOrEqual(fresh ? 0 : 1);
            } else if (fails) {
              const expected =
                past < sie ? ['error-stale', before?.value] : ['rejected', undefined];
              expect([log, status, got]).toEqual([log, ...expected]);
            } else {
              expect([log, status, got]).toEqual([log, 'miss', value]);
              store(value);
            }
            if (answer !== 'rejected' && status !== 'miss') {
              expect([log, answer.age]).toEqual([log, now - before!.storedAt]);
              expect([log, answer.ttlLeft]).toEqual([log, fresh ? before!.freshUntil - now : 0]);
            }
          }
        }
        const { hits, misses, size } = cache.getMetrics();
        const gets = log.filter((entry) => entry.startsWith('get')).length;
        expect([log, hits + misses]).toEqual([log, gets]);
        expect(size).toBeLessThanOrEqual(1);
      }
    },
  );
});
