export { prometheus } from './prometheus.js';
export type { PrometheusRegistry } from './prometheus.js';
export { opentelemetry } from './opentelemetry.js';
export type {
  OpenTelemetryHistogram,
  OpenTelemetryMeter,
  OpenTelemetryResult,
} from './opentelemetry.js';
export type { MetricsOptions } from './options.js';
export type { CacheList, Caches, ObservedCache, ObservedTier } from './observed.js';
