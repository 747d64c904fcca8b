import { context, trace, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { createAgentCache } from '../index.js';
import { openTelemetry, type OpenTelemetryOptions } from '../opentelemetry.js';

const spans = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const tracer = provider.getTracer('test');
const contexts = new AsyncLocalStorageContextManager();

beforeAll(() => {
  context.setGlobalContextManager(contexts.enable());
  trace.setGlobalTracerProvider(provider);
});
beforeEach(() => spans.reset());
afterAll(() => {
  context.disable();
  trace.disable();
});

function setUp(options?: OpenTelemetryOptions) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 });
  const meters = new MeterProvider({ readers: [reader] });
  const runtime = createAgentCache();
  runtime.observe(openTelemetry({ meter: meters.getMeter('test'), ...options }));
  const read = runtime.tool({ name: 'get_cart', effect: 'read' });
  const session = runtime.session({ id: 's', maxToolRepeats: 2 });
  /** What was counted, by name and attributes. */
  const counted = async () => {
    await reader.forceFlush();
    const found: Record<string, number> = {};
    for (const { scopeMetrics } of exporter.getMetrics()) {
      for (const { dataPoints, descriptor } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        for (const { attributes, value } of dataPoints) {
          const of = Object.values(attributes).join(' ');
          found[`${descriptor.name} ${of}`.trim()] =
            typeof value === 'number' ? value : value.count;
        }
      }
    }
    await meters.shutdown();
    return found;
  };
  return { counted, read, runtime, session };
}

/** Runs something in a span, and says what the span was told. */
async function inSpan(name: string, work: () => Promise<unknown>, attributes: Attributes = {}) {
  await tracer.startActiveSpan(name, { attributes }, async (span) => {
    await work().catch(() => undefined);
    span.end();
  });
  return spans.getFinishedSpans().find((span) => span.name === name)!;
}

describe('the active span', () => {
  it('of a tool call is enriched', async () => {
    const { counted, read, session } = setUp();
    const call = () => read.call(['secret'], () => 'answer', { session, callId: 'c1' });
    const miss = await inSpan('execute_tool get_cart', call);
    expect(miss.attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'get_cart',
      'gen_ai.tool.call.id': 'c1',
      'acache.cache.status': 'miss',
      'acache.scope': 'session',
      'acache.session.id': 's',
    });
    const hit = await inSpan('ai.toolCall', call);
    expect(hit.attributes['acache.cache.status']).toBe('hit');
    const loop = await inSpan('a call', call, { 'gen_ai.operation.name': 'execute_tool' });
    expect(loop.attributes).toMatchObject({
      'acache.cache.status': 'refused',
      'acache.loop.kind': 'repeat',
      'error.type': 'ERR_ACACHE_AGENT_LOOP',
    });
    expect(spans.getFinishedSpans()).toHaveLength(3);
    expect(await counted()).toEqual({
      'acache.tool.calls get_cart miss session': 1,
      'acache.tool.calls get_cart hit session': 1,
      'acache.tool.calls get_cart refused session': 1,
      'acache.loop.detections get_cart repeat': 1,
    });
  });

  it('of something else gets an event for each call', async () => {
    const { read, session } = setUp();
    const call = () => read.call([], () => 1, { session });
    const agent = await inSpan('invoke_agent', async () => {
      await call();
      await call();
    });
    expect(agent.attributes).toEqual({});
    expect(agent.events.map(({ attributes }) => attributes?.['acache.cache.status'])).toEqual([
      'miss',
      'hit',
    ]);
  });

  it('is of the outer tool where one calls another', async () => {
    const { read, runtime, session } = setUp();
    const outer = runtime.tool({ name: 'outer' });
    const span = await inSpan('execute_tool outer', () =>
      outer.call([], () => read.call([], () => 1), { session }),
    );
    expect(span.attributes['gen_ai.tool.name']).toBe('outer');
    expect(span.events.map(({ attributes }) => attributes?.['gen_ai.tool.name'])).toEqual([
      'get_cart',
    ]);
  });

  it('may not be there', async () => {
    const { counted, read, runtime } = setUp();
    expect(await runtime.mutate({ name: 'set' }, () => 1)()).toBe(1);
    expect(await read.call([1], () => 1, { session: runtime.session() })).toBe(1);
    await runtime.invalidate('x');
    expect(spans.getFinishedSpans()).toEqual([]);
    expect(await counted()).toMatchObject({
      'acache.tool.calls set bypass session': 1,
      'acache.invalidations set': 1,
      'acache.invalidations': 1,
    });
  });

  it('holds arguments and results only where that was asked for', async () => {
    const { read, session } = setUp({ arguments: true, results: true });
    const span = await inSpan('execute_tool x', () =>
      read.call([{ id: 1n }], () => ({ ok: true }), { session }),
    );
    expect(span.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '[{"id":"1"}]',
      'gen_ai.tool.call.result': '{"ok":true}',
    });
  });
});

describe("spans: 'create'", () => {
  it('opens a span per call, in which the tool runs', async () => {
    const { counted, read, runtime, session } = setUp({ spans: 'create', tracer });
    const inner = runtime.tool({ name: 'inner' });
    await read.call([], () => inner.call([], () => 1), { session });
    await read.call([], () => 1, { session });
    const error = Object.assign(new TypeError('secret'), { code: undefined });
    await inner.call([], () => Promise.reject(error)).catch(() => undefined);
    const [of, outer, hit, failed] = spans.getFinishedSpans();
    expect([of, outer, hit, failed].map((span) => span?.name)).toEqual([
      'execute_tool inner',
      'execute_tool get_cart',
      'execute_tool get_cart',
      'execute_tool inner',
    ]);
    expect(of?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(hit?.attributes['acache.cache.status']).toBe('hit');
    expect(failed?.status).toEqual({ code: 2 });
    expect(failed?.attributes['error.type']).toBe('TypeError');
    expect(JSON.stringify(failed?.events)).not.toContain('secret');
    expect(await counted()).toMatchObject({
      'gen_ai.execute_tool.duration get_cart miss': 1,
      'gen_ai.execute_tool.duration get_cart hit': 1,
    });
  });

  it('is one of two ways', () => {
    expect(() => openTelemetry({ spans: 'none' as never })).toThrow(
      "spans must be 'enrich' or 'create', got 'none'",
    );
  });
});
