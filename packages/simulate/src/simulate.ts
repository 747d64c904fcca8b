import { describeValue, InvalidOptionError } from '@acache/core';
import { InputError } from './input-error.js';
import { optimum } from './optimum.js';
import { POLICIES, type PolicyName } from './policies.js';
import { replay } from './replay.js';
import type { SampledTrace } from './sampled-trace.js';

/** The share of the reachable hits that a recommended size reaches. */
const ENOUGH = 0.9;
/** Entries that a replayed cache has at least: below, chance decides. */
const LEAST = 20;
const SIZES = 10;

/** What a cache of some size would have served. */
export interface SizeResult {
  readonly maxSize: number;
  /** Hit ratios from 0 to 1. */
  readonly hitRates: Readonly<Record<PolicyName, number>>;
  /** That of a cache that knows what will be asked for. */
  readonly optimum: number;
}

/** What a log says of caches. */
export interface Simulation {
  /** Accesses in the log. */
  readonly accesses: number;
  /** Different keys in it; estimated where it was sampled. */
  readonly keys: number;
  /** The part of the keys that was replayed, 1 for all. */
  readonly rate: number;
  /** The hit ratio of a cache that keeps everything. */
  readonly reachable: number;
  readonly sizes: readonly SizeResult[];
  /** The smallest size that reaches 90 % of what is reachable, and under which policy. */
  readonly recommended: { readonly maxSize: number; readonly policy: PolicyName } | undefined;
}

export interface SimulationOptions {
  /** @defaultValue ten, evenly spread by their logarithm */
  readonly sizes?: readonly number[] | undefined;
  /** @defaultValue `1` */
  readonly seed?: number | undefined;
  /** Told after each replay how many there are, and how many are done. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/** Replays a log on caches of several sizes and policies. */
export function simulate(
  trace: SampledTrace,
  { sizes = usualSizes(trace), seed = 1, progress }: SimulationOptions = {},
): Simulation {
  checkSizes(sizes);
  const { accesses, keys, rate, total } = trace;
  if (accesses.length === 0 && total > 0) {
    throw new InputError(
      'nothing is left to replay: a few keys have nearly all accesses; let more of them be kept (--most)',
    );
  }
  // What a sample of the keys has too much or too little is the accesses to a few hot ones, which any
  // cache serves: SHARDS-adj.
  const expected = total * rate;
  const unseen = expected - accesses.length;
  const ratio = (hits: number): number =>
    expected === 0 ? 0 : Math.min(1, Math.max(0, (hits + unseen) / expected));
  const scaled = (maxSize: number): number => Math.max(1, Math.round(maxSize * rate));
  const replays = sizes.length * (POLICIES.length + 1) + searchSteps(keys);
  let done = 0;
  const rateOf = (name: PolicyName, maxSize: number): number => {
    progress?.(++done, replays);
    return ratio(replay(trace, name, scaled(maxSize), seed));
  };
  const results = sizes.map((maxSize): SizeResult => {
    const hitRates = { lru: rateOf('lru', maxSize), tinylfu: rateOf('tinylfu', maxSize) };
    progress?.(++done, replays);
    return { maxSize, hitRates, optimum: ratio(optimum(trace, scaled(maxSize))) };
  });
  const reachable = ratio(accesses.length - keys);
  const all = Math.round(keys / rate);
  const recommended = reachable === 0 ? undefined : smallest(all, ENOUGH * reachable, rateOf);
  progress?.(replays, replays);
  return { accesses: total, keys: all, rate, reachable, sizes: results, recommended };
}

function checkSizes(sizes: readonly unknown[]): void {
  const odd = sizes.find((size) => !(Number.isSafeInteger(size) && Number(size) > 0));
  if (odd === undefined && !sizes.includes(undefined)) return;
  throw new InvalidOptionError(`sizes must be whole numbers above 0, got ${describeValue(odd)}`);
}

/** The smallest size, to a few percent, that reaches a hit ratio, and by which policy it does. */
function smallest(
  keys: number,
  wanted: number,
  rateOf: (name: PolicyName, maxSize: number) => number,
): Simulation['recommended'] {
  let best: Simulation['recommended'];
  for (const policy of POLICIES) {
    let low = 0;
    let high = keys;
    while (high - low > Math.max(1, high * 0.02)) {
      const middle = Math.ceil(Math.sqrt(Math.max(1, low) * high));
      const tried = middle >= high ? high - 1 : middle;
      if (tried <= low) break;
      if (rateOf(policy, tried) >= wanted) high = tried;
      else low = tried;
    }
    if (best === undefined || high < best.maxSize) best = { maxSize: high, policy };
  }
  return best;
}

function searchSteps(keys: number): number {
  return POLICIES.length * Math.ceil(Math.log2(Math.max(2, Math.log2(Math.max(2, keys)) / 0.03)));
}

function usualSizes({ keys, rate }: SampledTrace): number[] {
  const from = Math.min(keys, LEAST) / rate;
  const to = Math.max(1, keys / rate);
  const sizes = Array.from({ length: SIZES }, (_, at) => {
    return Math.round(from * (to / from) ** (at / (SIZES - 1)));
  });
  return [...new Set(sizes)].filter((size) => size > 0);
}
