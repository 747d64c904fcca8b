export { openTelemetry, type OpenTelemetryOptions } from './opentelemetry/observer.js';
