import { InvalidOptionError } from '@acache/core';
import { DEFINITIONS, type Definition } from './definitions.js';
import { observer, type Observation } from './observation.js';
import type { Caches } from './observed.js';
import type { MetricsOptions } from './options.js';

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
  readonly type: 'counter' | 'gauge';
  readonly aggregator: 'sum';
  get(): Promise<object>;
  reset(): void;
}

/**
 * Shows caches in a registry of prom-client. They are read when the registry is scraped, and at no
 * other time.
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
  const observe = oncePerScrape(observer(caches, options));
  const metrics = DEFINITIONS.filter(
    ({ subject }) => subject === 'cache' || options?.tiers !== undefined,
  ).map((definition) => metricOf(definition, observe));
  const names = metrics.map(({ name }) => name);
  const taken = names.find((name) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) {
    throw new InvalidOptionError(
      `the registry has a metric ${taken} already: call prometheus() once for all caches, with a function that gives them`,
    );
  }
  for (const metric of metrics) registry.registerMetric(metric);
  return () => {
    for (const name of names) registry.removeSingleMetric(name);
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
      const values = observe()(definition).map(({ series, subject: label, value }) => ({
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
