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

/** The options with their defaults. */
export interface Settings {
  readonly maxCaches: number;
  readonly tiers: Readonly<Record<string, ObservedTier>>;
  readonly warn: (message: string) => void;
}

/** @throws InvalidOptionError for an option that cannot be meant */
export function resolveOptions(options: MetricsOptions = {}): Settings {
  const { maxCaches = 100, tiers = {}, onWarning: warn = defaultWarning } = options;
  if (!(Number.isInteger(maxCaches) && maxCaches > 0)) {
    throw new InvalidOptionError(
      `maxCaches must be a whole number above 0, got ${describeValue(maxCaches)}`,
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
  return { maxCaches, tiers, warn };
}

function defaultWarning(message: string): void {
  console.warn(message);
}
