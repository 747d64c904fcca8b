import type { CacheMetrics } from '@acache/core';
import type { Sample } from '../../src/messages.js';
import { count, milliseconds, percent } from '../text.js';
import { Chart } from './chart.js';

/** Hit rate, latency and what the cache did, over the last two minutes. */
export function Charts({
  samples,
  withLatency = false,
}: {
  samples: readonly Sample[];
  withLatency?: boolean;
}) {
  const times = samples.map(({ at }) => at / 1000);
  const perSecond = (name: 'loads' | 'joined' | 'evictions') =>
    samples.map((sample, index) => rateOf(sample, samples[index - 1], name));
  return (
    <section class="charts" aria-labelledby="charts-title">
      <h2 id="charts-title" class="unseen">
        Charts
      </h2>
      <Chart
        title="Hit rate"
        times={times}
        top={1}
        format={percent}
        lines={[
          {
            label: 'now',
            color: 'blue',
            values: samples.map((s, i) => hitRateNow(s, samples[i - 1])),
          },
          {
            label: 'since the start',
            color: 'quiet',
            dash: [5, 4],
            values: samples.map(({ metrics }) => (isUsed(metrics) ? metrics.hitRate : null)),
          },
        ]}
      />
      {withLatency ? (
        <Chart
          title="Latency of calls"
          times={times}
          format={milliseconds}
          lines={[
            {
              label: 'median',
              color: 'blue',
              values: samples.map(({ latency }) => latency?.p50 ?? null),
            },
            {
              label: '95 %',
              color: 'orange',
              dash: [5, 4],
              values: samples.map(({ latency }) => latency?.p95 ?? null),
            },
          ]}
        />
      ) : (
        <Chart
          title="Mean time of a load"
          times={times}
          format={milliseconds}
          lines={[
            {
              label: 'now',
              color: 'blue',
              values: samples.map((s, i) => loadTimeNow(s, samples[i - 1])),
            },
          ]}
        />
      )}
      <Chart
        title="Per second"
        times={times}
        format={count}
        lines={[
          { label: 'loads', color: 'orange', values: perSecond('loads') },
          { label: 'joined', color: 'green', dash: [5, 4], values: perSecond('joined') },
          { label: 'evictions', color: 'red', dash: [2, 3], values: perSecond('evictions') },
        ]}
      />
    </section>
  );
}

function isUsed({ hits, misses }: CacheMetrics): boolean {
  return hits + misses > 0;
}

function hitRateNow({ metrics }: Sample, before: Sample | undefined): number | null {
  if (before === undefined) return null;
  const hits = metrics.hits - before.metrics.hits;
  const calls = hits + metrics.misses - before.metrics.misses;
  // After a clear they begin at 0 again.
  return calls > 0 && hits >= 0 ? hits / calls : null;
}

function loadTimeNow({ metrics }: Sample, before: Sample | undefined): number | null {
  if (before === undefined) return null;
  const loads = metrics.loads - before.metrics.loads;
  const ms = metrics.loadTimeMs - before.metrics.loadTimeMs;
  return loads > 0 && ms >= 0 ? ms / loads : null;
}

function rateOf(
  { at, metrics }: Sample,
  before: Sample | undefined,
  name: 'loads' | 'joined' | 'evictions',
): number | null {
  if (before === undefined) return null;
  // Two looks that follow on each other at once say nothing of a second.
  const seconds = Math.max(0.25, (at - before.at) / 1000);
  return Math.max(0, metrics[name] - before.metrics[name]) / seconds;
}
