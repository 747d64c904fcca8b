import { cacheSnapshot, tierSnapshot, type Definition } from './definitions.js';
import { cachesNow, tiersNow, type Caches } from './observed.js';
import { listen } from './load-events.js';
import type { Settings } from './options.js';
import { Totals, type Place, type Reading } from './totals.js';

/** A number of a metric and whose it is. */
export interface Point {
  readonly subject: string;
  /** What tells it from the other series of the metric. */
  readonly series: string | undefined;
  readonly value: number;
}

/** What all subjects count at one moment. */
export interface Observation {
  points(definition: Definition): readonly Point[];
  /** Places of the caches that tell of their loads. */
  readonly heard: readonly Place[];
}

/** Reads all caches and tiers whenever it is asked, and hears in between how long loads took. */
export interface Observer {
  readonly observe: () => Observation;
  readonly stop: () => void;
}

/**
 * @param loaded - told of each load that ends, and at whose place
 * @throws InvalidOptionError for what are no caches
 */
export function observer(
  caches: Caches,
  { maxCaches, tiers, warn }: Settings,
  loaded: (place: Place, seconds: number) => void,
): Observer {
  const loads = listen((cache, ms) => {
    const place = ofCaches.placeOf(cache);
    if (place !== undefined) loaded(place, ms / 1000);
  });
  const heard = new WeakSet<Place>();
  const ofCaches = new Totals({
    subjects: cachesNow(caches),
    nameOf: ({ name }) => name,
    snapshot: cacheSnapshot,
    appeared: (cache, place) => {
      if (loads.add(cache)) heard.add(place);
    },
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
  // Those that are known already are heard from now on; others from the first time that they are read.
  if (typeof caches !== 'function' || 'getMetrics' in caches) ofCaches.enter();
  return {
    observe() {
      const readings = { cache: readingsOf(ofCaches), tier: readingsOf(ofTiers) };
      return {
        points: (definition) => pointsOf(definition, readings[definition.subject]),
        heard: readings.cache.map(({ place }) => place).filter((place) => heard.has(place)),
      };
    },
    stop: loads.stop,
  };
}

function pointsOf({ kind, series }: Definition, readings: readonly Reading[]): readonly Point[] {
  return readings.flatMap(({ counters, levels, place: { label } }) => {
    const numbers = kind === 'counter' ? counters : levels;
    return series.flatMap(({ of, value: name }) => {
      const value = numbers[of];
      return value === undefined ? [] : [{ subject: label, series: name, value }];
    });
  });
}
