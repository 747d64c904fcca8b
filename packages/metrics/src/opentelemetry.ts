import { DEFINITIONS, type Definition } from './definitions.js';
import { observer } from './observation.js';
import type { Caches } from './observed.js';
import type { MetricsOptions } from './options.js';

/** The part of a result of a batch callback that is used. */
export interface OpenTelemetryResult {
  observe(instrument: never, value: number, attributes: Record<string, string>): void;
}

interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
}

/** The part of a `Meter` of @opentelemetry/api that is used. */
export interface OpenTelemetryMeter {
  createObservableCounter(name: string, options: InstrumentOptions): unknown;
  createObservableUpDownCounter(name: string, options: InstrumentOptions): unknown;
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
 * Shows caches by a meter of OpenTelemetry. They are read when the metrics are collected, and at no
 * other time.
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
  const observe = observer(caches, options);
  const instruments = DEFINITIONS.filter(
    ({ subject }) => subject === 'cache' || options?.tiers !== undefined,
  ).map((definition) => [definition, instrumentOf(definition, meter)] as const);
  const callback = (result: OpenTelemetryResult): void => {
    const observation = observe();
    for (const [definition, instrument] of instruments) {
      const { by, subject: kind } = definition;
      for (const { series, subject, value } of observation(definition)) {
        const own = { [`acache.${kind}.name`]: subject };
        const attributes = by && series !== undefined ? { ...own, [by[1]]: series } : own;
        result.observe(instrument as never, value, attributes);
      }
    }
  };
  const all = instruments.map(([, instrument]) => instrument as never);
  meter.addBatchObservableCallback(callback, all);
  return () => {
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
