import { describeValue, InvalidOptionError } from '@acache/core';
import type { ObservedTier } from './observed.js';

export interface MetricsOptions {
  /**
   * Caches that are shown at most, so that no mistake floods a metrics store with series. What is
   * beyond is left out, with a warning.
   * @defaultValue `100`
   */
  maxCaches?: number;
  /**
   * The bounds of the histogram of load times, in seconds, ascending.
   * @defaultValue `[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]`
   */
  loadBuckets?: readonly number[];
  /**
   * Tiers that count what happens, by the label each is to have.
   * @defaultValue none
   */
  tiers?: Readonly<Record<string, ObservedTier>>;
  /**
   * Told once when there are more caches than `maxCaches`.
   * @defaultValue `console.warn`
   */
  onWarning?: (message: string) => void;
}

/** Seconds: from what memory answers to what a timeout ends. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The options with their defaults. */
export interface Settings {
  readonly maxCaches: number;
  readonly loadBuckets: readonly number[];
  readonly tiers: Readonly<Record<string, ObservedTier>>;
  readonly warn: (message: string) => void;
}

/** @throws InvalidOptionError for an option that cannot be meant */
export function resolveOptions(options: MetricsOptions = {}): Settings {
  const { loadBuckets = BUCKETS, maxCaches = 100, tiers = {} } = options;
  const { onWarning: warn = defaultWarning } = options;
  if (!(Number.isInteger(maxCaches) && maxCaches > 0)) {
    throw new InvalidOptionError(
      `maxCaches must be a whole number above 0, got ${describeValue(maxCaches)}`,
    );
  }
  if (!isAscending(loadBuckets)) {
    throw new InvalidOptionError(
      `loadBuckets must be seconds above 0, ascending, got ${describeValue(loadBuckets)}`,
    );
  }
  if (typeof warn !== 'function') {
    throw new InvalidOptionError(`onWarning must be a function, got ${describeValue(warn)}`);
  }
  if (typeof tiers !== 'object' || (tiers as unknown) === null) {
    throw new InvalidOptionError(
      `tiers must be an object of tiers by label, got ${describeValue(tiers)}`,
    );
  }
  return { maxCaches, loadBuckets: [...loadBuckets], tiers, warn };
}

function isAscending(bounds: unknown): boolean {
  if (!Array.isArray(bounds) || bounds.length === 0) return false;
  return (bounds as unknown[]).every(
    (bound, at) =>
      typeof bound === 'number' &&
      Number.isFinite(bound) &&
      bound > ((bounds as number[])[at - 1] ?? 0),
  );
}

function defaultWarning(message: string): void {
  console.warn(message);
}
