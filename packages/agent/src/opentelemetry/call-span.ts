import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { CallObservation, ObservedCall } from '../agent-observer.js';
import { attributesOfCall, attributesOfOutcome, type CapturedContent } from './call-attributes.js';

/** Spans that belong to a call that runs. */
const taken = new WeakSet<Span>();

/**
 * Writes to the span that the SDK opened for the call. Where the active one is of something else, an agent's
 * run say, many calls meet there: it gets an event for each.
 */
export function enrichedSpan(
  call: ObservedCall,
  captured: CapturedContent,
): CallObservation | undefined {
  const span = trace.getActiveSpan();
  if (span?.isRecording() !== true) return undefined;
  const before = attributesOfCall(call, captured);
  // Within a tool, other tools may be called.
  const isOwn = isToolSpan(span) && !taken.has(span);
  if (isOwn) {
    taken.add(span);
    span.setAttributes(before);
  }
  return {
    ended(outcome) {
      const after = attributesOfOutcome(outcome, captured);
      if (isOwn) {
        taken.delete(span);
        span.setAttributes(after);
      } else span.addEvent('acache.tool_call', { ...before, ...after });
    },
  };
}

/** Opens a span for the call, in which the tool runs. */
export function createdSpan(
  call: ObservedCall,
  captured: CapturedContent,
  tracer: Tracer,
): CallObservation {
  const span = tracer.startSpan(`execute_tool ${call.tool}`, {
    kind: SpanKind.INTERNAL,
    attributes: attributesOfCall(call, captured),
  });
  return {
    run: (work) => context.with(trace.setSpan(context.active(), span), work),
    ended(outcome) {
      span.setAttributes(attributesOfOutcome(outcome, captured));
      if (outcome.failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** What the SDKs open for a tool call. A span that cannot be looked at is taken for one. */
function isToolSpan(span: Span): boolean {
  const { attributes, name } = span as { attributes?: Record<string, unknown>; name?: unknown };
  if (typeof name !== 'string' || typeof attributes !== 'object') return true;
  return (
    /^(execute_tool\b|ai\.toolCall$|tools\/call\b)/.test(name) ||
    attributes['gen_ai.operation.name'] === 'execute_tool' ||
    attributes['mcp.method.name'] === 'tools/call' ||
    'gen_ai.tool.name' in attributes ||
    'ai.toolCall.name' in attributes
  );
}
