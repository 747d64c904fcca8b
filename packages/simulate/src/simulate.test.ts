import { AsyncCache } from '@acache/core';
import fc from 'fast-check';
import { optimum } from './optimum.js';
import { replay, type AccessTrace } from './replay.js';
import { TraceSampler } from './sampled-trace.js';
import { simulate } from './simulate.js';

function traceOf(keys: readonly number[]): AccessTrace {
  return { accesses: Uint32Array.from(keys), keys: Math.max(-1, ...keys) + 1 };
}

/** What the best of all possible decisions would serve, by trying all of them. */
function bestByTrying(keys: readonly number[], maxSize: number, held: readonly number[]): number {
  const [key, ...rest] = keys;
  if (key === undefined) return 0;
  if (held.includes(key)) {
    return 1 + bestByTrying(rest, maxSize, held);
  }
  const choices = [held];
  if (held.length < maxSize) choices.push([...held, key]);
  else for (const gone of held) choices.push([...held.filter((other) => other !== gone), key]);
  return Math.max(...choices.map((choice) => bestByTrying(rest, maxSize, choice)));
}

describe('optimum', () => {
  it('is the best of all possible decisions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(4), { maxLength: 9 }),
        fc.integer({ min: 1, max: 3 }),
        (keys, maxSize) => {
          expect(optimum(traceOf(keys), maxSize)).toBe(bestByTrying(keys, maxSize, []));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is never below a policy', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(60), { maxLength: 600, size: 'max' }),
        fc.integer({ min: 1, max: 40 }),
        (keys, maxSize) => {
          const trace = traceOf(keys);
          const best = optimum(trace, maxSize);
          expect(replay(trace, 'lru', maxSize, 1)).toBeLessThanOrEqual(best);
          expect(replay(trace, 'tinylfu', maxSize, 1)).toBeLessThanOrEqual(best);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('simulate', () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => (at * at * 7919 + at * 31) % 997);

  it('says what each size serves, and which is enough', () => {
    const sampler = new TraceSampler(100_000);
    for (const key of keys) sampler.add(`key ${key}`);
    const found = simulate(sampler.finish());
    expect(found).toMatchObject({ accesses: 20_000, rate: 1 });
    expect(found.reachable).toBeCloseTo(1 - found.keys / 20_000);
    const last = found.sizes.at(-1);
    expect(last).toMatchObject({ maxSize: found.keys, optimum: found.reachable });
    expect(last?.hitRates).toEqual({ lru: found.reachable, tinylfu: found.reachable });
    for (const { hitRates, optimum: best } of found.sizes) {
      expect(Math.max(hitRates.lru, hitRates.tinylfu)).toBeLessThanOrEqual(best);
    }
    const { maxSize, policy } = found.recommended!;
    const trace = sampler.finish();
    const rate = (size: number) => replay(trace, policy, size, 1) / 20_000;
    expect(rate(maxSize)).toBeGreaterThanOrEqual(0.9 * found.reachable);
    expect(rate(Math.floor(maxSize * 0.9))).toBeLessThan(0.9 * found.reachable);
  });

  it('says of LRU what a cache itself serves', async () => {
    const sizes = [1, 10, 50, 200, 500];
    const sampler = new TraceSampler(100_000);
    const log = keys.slice(0, 4000);
    for (const key of log) sampler.add(`key ${key}`);
    const found = simulate(sampler.finish(), { sizes });
    for (const { hitRates, maxSize } of found.sizes) {
      const cache = new AsyncCache<string, number>({ maxSize });
      for (const key of log) await cache.get(`key ${key}`, () => key);
      expect(hitRates.lru).toBeCloseTo(cache.getMetrics().hitRate, 10);
    }
  });

  it('recommends nothing where no key comes twice', () => {
    const sampler = new TraceSampler(1000);
    for (let at = 0; at < 100; at++) sampler.add(`once ${at}`);
    expect(simulate(sampler.finish())).toMatchObject({ reachable: 0, recommended: undefined });
  });

  it('says of a log that is too long about what it says of all of it', () => {
    const whole = new TraceSampler(100_000);
    const part = new TraceSampler(8000);
    // Many keys, some often: what sampling is for.
    for (let at = 0; at < 40_000; at++) {
      const key = `key ${Math.floor(4000 * ((Math.imul(at, 2_654_435_761) >>> 0) / 2 ** 32) ** 2)}`;
      whole.add(key);
      part.add(key);
    }
    const all = simulate(whole.finish(), { sizes: [1000] });
    const some = simulate(part.finish(), { sizes: [1000] });
    expect(some.accesses).toBe(40_000);
    expect(some.rate).toBeLessThan(0.5);
    expect(part.finish().accesses.length).toBeLessThanOrEqual(8000);
    expect(Math.abs(some.keys - all.keys)).toBeLessThan(0.2 * all.keys);
    expect(Math.abs(some.sizes[0]!.optimum - all.sizes[0]!.optimum)).toBeLessThan(0.1);
  });
});
