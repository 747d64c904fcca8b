import { InvalidOptionError } from '@acache/core';
import { DEFINITIONS, LOAD_DURATION, type Definition } from './definitions.js';
import { LoadHistogram } from './load-times.js';
import { observer, type Observation } from './observation.js';
import type { Caches } from './observed.js';
import { resolveOptions, type MetricsOptions } from './options.js';

/** The part of a `Registry` of prom-client that is used. */
export interface PrometheusRegistry {
  // prom-client takes its own classes only, by their types, and anything that is like them in fact.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  registerMetric(metric: any): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

/** A metric as a registry of prom-client asks for it at each scrape. */
interface CollectedMetric {
  name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  get(): Promise<object>;
  reset(): void;
}

/**
 * Shows caches in a registry of prom-client. They are read when the registry is scraped; in between they
 * only tell of each load that ends.
 *
 * @param caches - those there are, which are not kept alive by it; or a function that is asked at each
 *   scrape
 * @returns what takes the metrics out of the registry again
 * @throws InvalidOptionError for what are no caches, and where the registry shows caches already
 *
 * @example
 * prometheus([users, orders], register);
 */
export function prometheus(
  caches: Caches,
  registry: PrometheusRegistry,
  options?: MetricsOptions,
): () => void {
  const settings = resolveOptions(options);
  const { loadBuckets } = settings;
  const loadTimes = new LoadHistogram(loadBuckets);
  const observed = observer(caches, settings, (place, seconds) => {
    loadTimes.count(place, seconds);
  });
  const observe = oncePerScrape(observed.observe);
  const metrics = DEFINITIONS.filter(
    ({ subject }) => subject === 'cache' || options?.tiers !== undefined,
  ).map((definition) => metricOf(definition, observe));
  metrics.push(histogramOf(loadTimes, loadBuckets, observe));
  const names = metrics.map(({ name }) => name);
  const taken = names.find((name) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    observed.stop();
    throw new InvalidOptionError(
      `the registry has a metric ${taken} already: call prometheus() once for all caches, with a function that gives them`,
    );
  }
  for (const metric of metrics) registry.registerMetric(metric);
  return () => {
    observed.stop();
    // Others may have taken the place since.
    metrics.forEach((metric, at) => {
      const name = names[at] as string;
      if (registry.getSingleMetric(name) === metric) registry.removeSingleMetric(name);
    });
  };
}

function histogramOf(
  loadTimes: LoadHistogram,
  bounds: readonly number[],
  observe: () => Observation,
): CollectedMetric {
  const { help, prometheus: name } = LOAD_DURATION;
  return {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get() {
      const values = observe().heard.flatMap((place) => {
        const { buckets, count, sum } = loadTimes.read(place);
        const labels = { cache: place.label };
        const value = (suffix: string, value: number, more: object = {}): object => ({
          metricName: `${this.name}_${suffix}`,
          labels: { ...more, ...labels },
          value,
        });
        return [
          ...buckets.map((loads, at) => value('bucket', loads, { le: bounds[at] })),
          value('bucket', count, { le: '+Inf' }),
          value('sum', sum),
          value('count', count),
        ];
      });
      return Promise.resolve({
        name: this.name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values,
      });
    },
    reset: () => undefined,
  };
}

function metricOf(definition: Definition, observe: () => Observation): CollectedMetric {
  const { by, help, kind, prometheus: name, subject } = definition;
  const type = kind === 'counter' ? 'counter' : 'gauge';
  return {
    name,
    help,
    type,
    aggregator: 'sum',
    get() {
      const values = observe()
        .points(definition)
        .map(({ series, subject: label, value }) => ({
          labels: { [subject]: label, ...(by && series !== undefined ? { [by[0]]: series } : {}) },
          value,
        }));
      // An OpenMetrics registry has taken `_total` off the name and wants it so.
      return Promise.resolve({ name: this.name, help, type, aggregator: 'sum', values });
    },
    reset: () => undefined,
  };
}

/** A registry asks every metric in one turn: they then show one moment. */
function oncePerScrape(observe: () => Observation): () => Observation {
  let current: Observation | undefined;
  return () => {
    if (current === undefined) {
      current = observe();
      void Promise.resolve().then(() => (current = undefined));
    }
    return current;
  };
}
