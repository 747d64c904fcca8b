import { cacheSnapshot, tierSnapshot, type Definition } from './definitions.js';
import { cachesNow, tiersNow, type Caches } from './observed.js';
import { resolveOptions, type MetricsOptions } from './options.js';
import { Totals, type Reading } from './totals.js';

/** A number of a metric and whose it is. */
export interface Point {
  readonly subject: string;
  /** What tells it from the other series of the metric. */
  readonly series: string | undefined;
  readonly value: number;
}

/** What all subjects count at one moment. */
export type Observation = (definition: Definition) => readonly Point[];

/**
 * What reads all caches and tiers, whenever it is called, and nothing in between.
 *
 * @throws InvalidOptionError for what are no caches, and for an option that cannot be meant
 */
export function observer(caches: Caches, options?: MetricsOptions): () => Observation {
  const { maxCaches, tiers, warn } = resolveOptions(options);
  const ofCaches = new Totals({
    subjects: cachesNow(caches),
    nameOf: ({ name }) => name,
    snapshot: cacheSnapshot,
    most: maxCaches,
    overflow: (label) => {
      warn(
        `@acache/metrics shows ${maxCaches} caches at most, and leaves out '${label}' and any other: raise maxCaches, or give fewer`,
      );
    },
  });
  const ofTiers = new Totals({
    subjects: tiersNow(tiers),
    nameOf: () => 'tier',
    snapshot: tierSnapshot,
    most: Infinity,
    overflow: () => undefined,
  });
  const readingsOf = (totals: { collect(): readonly Reading[] }): readonly Reading[] => {
    try {
      return totals.collect();
    } catch (error) {
      // A scrape is not ours alone: the other metrics of the process must not go with it.
      warn(`@acache/metrics shows no caches, since there was no list of them: ${String(error)}`);
      return [];
    }
  };
  return () => {
    const readings = { cache: readingsOf(ofCaches), tier: readingsOf(ofTiers) };
    return (definition) => pointsOf(definition, readings[definition.subject]);
  };
}

function pointsOf({ kind, series }: Definition, readings: readonly Reading[]): readonly Point[] {
  return readings.flatMap(({ counters, label, levels }) => {
    const numbers = kind === 'counter' ? counters : levels;
    return series.flatMap(({ of, value: name }) => {
      const value = numbers[of];
      return value === undefined ? [] : [{ subject: label, series: name, value }];
    });
  });
}
