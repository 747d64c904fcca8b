import { DEFINITIONS, LOAD_DURATION, type Definition } from './definitions.js';
import { observer } from './observation.js';
import type { Caches } from './observed.js';
import { resolveOptions, type MetricsOptions } from './options.js';

/** The part of a result of a batch callback that is used. */
export interface OpenTelemetryResult {
  observe(instrument: never, value: number, attributes: Record<string, string>): void;
}

interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
}

/** The part of a `Histogram` of @opentelemetry/api that is used. */
export interface OpenTelemetryHistogram {
  record(value: number, attributes: Record<string, string>): void;
}

/** The part of a `Meter` of @opentelemetry/api that is used. */
export interface OpenTelemetryMeter {
  createObservableCounter(name: string, options: InstrumentOptions): unknown;
  createObservableUpDownCounter(name: string, options: InstrumentOptions): unknown;
  createHistogram(
    name: string,
    options: InstrumentOptions & { readonly advice: { explicitBucketBoundaries: number[] } },
  ): OpenTelemetryHistogram;
  addBatchObservableCallback(
    callback: (result: OpenTelemetryResult) => void,
    instruments: never[],
  ): void;
  removeBatchObservableCallback(
    callback: (result: OpenTelemetryResult) => void,
    instruments: never[],
  ): void;
}

/**
 * Shows caches by a meter of OpenTelemetry. They are read when the metrics are collected; in between they
 * only tell of each load that ends.
 *
 * @param caches - those there are, which are not kept alive by it; or a function that is asked at each
 *   collection
 * @returns what ends the observation
 * @throws InvalidOptionError for what are no caches
 *
 * @example
 * opentelemetry([users, orders], metrics.getMeter('my-service'));
 */
export function opentelemetry(
  caches: Caches,
  meter: OpenTelemetryMeter,
  options?: MetricsOptions,
): () => void {
  const settings = resolveOptions(options);
  const loadTimes = meter.createHistogram(LOAD_DURATION.opentelemetry, {
    description: LOAD_DURATION.help,
    unit: LOAD_DURATION.unit,
    advice: { explicitBucketBoundaries: [...settings.loadBuckets] },
  });
  const { observe, stop } = observer(caches, settings, ({ label }, seconds) => {
    loadTimes.record(seconds, { 'acache.cache.name': label });
  });
  const instruments = DEFINITIONS.filter(
    ({ subject }) => subject === 'cache' || options?.tiers !== undefined,
  ).map((definition) => [definition, instrumentOf(definition, meter)] as const);
  const callback = (result: OpenTelemetryResult): void => {
    const observation = observe();
    for (const [definition, instrument] of instruments) {
      const { by, subject: kind } = definition;
      for (const { series, subject, value } of observation.points(definition)) {
        const own = { [`acache.${kind}.name`]: subject };
        const attributes = by && series !== undefined ? { ...own, [by[1]]: series } : own;
        result.observe(instrument as never, value, attributes);
      }
    }
  };
  const all = instruments.map(([, instrument]) => instrument as never);
  meter.addBatchObservableCallback(callback, all);
  return () => {
    stop();
    meter.removeBatchObservableCallback(callback, all);
  };
}

function instrumentOf(
  { help, kind, opentelemetry: name, unit }: Definition,
  meter: OpenTelemetryMeter,
): unknown {
  const options = { description: help, unit };
  return kind === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableUpDownCounter(name, options);
}
