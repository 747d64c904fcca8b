import { InvalidOptionError } from '@acache/core';
import { InputError, simulate, TraceSampler, type SampledTrace } from './index.js';

/** Half of all accesses are to one key, the others spread over 20,000. */
function keys(hot: string): string[] {
  let state = 7;
  return Array.from({ length: 300_000 }, (_, at) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return at % 2 === 0 ? `k${Math.floor((state / 2 ** 32) ** 3 * 20_000)}` : hot;
  });
}

function sampled(log: readonly string[], most: number): SampledTrace {
  const sampler = new TraceSampler(most);
  for (const key of log) sampler.add(key);
  return sampler.finish();
}

it('keeps the ratios right where the sample has too many or too few accesses to one key', () => {
  const exact = simulate(sampled(keys('hot'), 10_000_000), { sizes: [2000, 10_000] });
  for (const [hot, most] of [
    ['hot', 50_000],
    ['/', 160_000],
    ['user:1', 200_000],
  ] as const) {
    const trace = sampled(keys(hot), most);
    expect(trace.rate).toBeLessThan(1);
    const { reachable, sizes } = simulate(trace, { sizes: [2000, 10_000] });
    expect(Math.abs(reachable - exact.reachable)).toBeLessThan(0.02);
    sizes.forEach(({ hitRates }, at) => {
      const { lru, tinylfu } = exact.sizes[at]!.hitRates;
      expect(Math.abs(hitRates.lru - lru)).toBeLessThan(0.02);
      expect(Math.abs(hitRates.tinylfu - tinylfu)).toBeLessThan(0.02);
    });
  }
}, 60_000);

it('says so where nothing is left to replay', () => {
  const log = Array.from({ length: 30_000 }, (_, at) => `key ${at % 5}`);
  expect(() => simulate(sampled(log, 5000))).toThrow(InputError);
  expect(() => simulate(sampled(log, 5000))).toThrow('nothing is left to replay');
});

it.each([0, -1, NaN, 0.5, Infinity])('keeps no sample of %p accesses', (most) => {
  expect(() => new TraceSampler(most)).toThrow(InvalidOptionError);
});

it.each([0, -1, NaN, Infinity, 1.5])('replays no cache of %p entries', (size) => {
  const trace = sampled(['a', 'b', 'a'], 100);
  expect(() => simulate(trace, { sizes: [size] })).toThrow('sizes must be whole numbers above 0');
});
