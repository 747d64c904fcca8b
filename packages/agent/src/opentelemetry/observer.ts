import { metrics, trace, type Meter, type Tracer } from '@opentelemetry/api';
import { InvalidOptionError, describeValue } from '@acache/core';
import type { AgentObserver } from '../agent-observer.js';
import { createdSpan, enrichedSpan } from './call-span.js';
import type { CapturedContent } from './call-attributes.js';

/** What is told of calls, and where. */
export interface OpenTelemetryOptions extends CapturedContent {
  /**
   * `'enrich'` writes to the active span where that is of a tool call, since SDKs open one already, and
   * adds an event to it where it is of something else; `'create'` opens a span `execute_tool {name}` per call.
   * @defaultValue `'enrich'`
   */
  spans?: 'enrich' | 'create';
  /** @defaultValue that of the global provider */
  tracer?: Tracer;
  /** @defaultValue that of the global provider */
  meter?: Meter;
}

const NAME = '@acache/agent';

/**
 * Tells OpenTelemetry of every call, by the semantic conventions for generative AI. For `runtime.observe`.
 *
 * ```ts
 * runtime.observe(openTelemetry());
 * ```
 *
 * Spans get `gen_ai.tool.name`, `acache.cache.status`, `acache.scope`, `acache.session.id` and
 * `acache.loop.kind`. Counters: `acache.tool.calls`, `acache.invalidations`, `acache.loop.detections`; with
 * spans of its own also the histogram `gen_ai.execute_tool.duration`.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): AgentObserver {
  const { meter = metrics.getMeter(NAME), spans = 'enrich' } = options;
  const { tracer = trace.getTracer(NAME) } = options;
  if (!['enrich', 'create'].includes(spans)) {
    throw new InvalidOptionError(`spans must be 'enrich' or 'create', got ${describeValue(spans)}`);
  }
  const calls = meter.createCounter('acache.tool.calls', {
    description: 'Calls of guarded tools, by how they were answered.',
  });
  const invalidations = meter.createCounter('acache.invalidations', {
    description: 'Mutations, and explicit invalidations.',
  });
  const loops = meter.createCounter('acache.loop.detections', {
    description: 'Loops that were found, by kind.',
  });
  const durations =
    spans === 'create'
      ? meter.createHistogram('gen_ai.execute_tool.duration', {
          description: 'Duration of tool calls.',
          unit: 's',
        })
      : undefined;
  return {
    began(call) {
      const traced =
        spans === 'create' ? createdSpan(call, options, tracer) : enrichedSpan(call, options);
      return {
        ...traced,
        ended(outcome) {
          const attributes = {
            'gen_ai.tool.name': call.tool,
            'acache.cache.status': outcome.status,
          };
          calls.add(1, { ...attributes, 'acache.scope': call.scope });
          durations?.record(outcome.duration / 1000, attributes);
          const { loop } = outcome;
          if (loop !== undefined) {
            loops.add(1, { 'gen_ai.tool.name': call.tool, 'acache.loop.kind': loop.kind });
          }
          traced?.ended?.(outcome);
        },
      };
    },
    invalidated(_resources, tool) {
      invalidations.add(1, tool === undefined ? {} : { 'gen_ai.tool.name': tool });
    },
  };
}
