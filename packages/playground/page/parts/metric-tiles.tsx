import type { CacheMetrics } from '@acache/core';
import { count, milliseconds, percent } from '../text.js';

/** What the cache has counted. */
export function MetricTiles({
  metrics,
  maxSize,
  withTier,
}: {
  metrics: CacheMetrics | undefined;
  maxSize?: number | null;
  withTier: boolean;
}) {
  if (metrics === undefined) return null;
  const { hitRate, hits, joined, loadErrors, loads, loadTimeMs, misses, size } = metrics;
  const bound = maxSize == null ? '' : ` / ${count(maxSize)}`;
  const tiles: [name: string, value: string][] = [
    ['hit rate', percent(hitRate)],
    ['hits', count(hits)],
    ['of these stale', count(metrics.staleHits)],
    ['misses', count(misses)],
    ['of these joined', count(joined)],
    ['loads', count(loads)],
    ['load errors', count(loadErrors)],
    ['mean load', loads === 0 ? '–' : milliseconds(loadTimeMs / loads)],
    ['entries', `${count(size)}${bound}`],
    ['evictions', count(metrics.evictions)],
    ['expirations', count(metrics.expirations)],
    ...(withTier
      ? ([
          ['hits in Redis', count(metrics.tierHits)],
          ['tier errors', count(metrics.tierErrors)],
        ] as [string, string][])
      : []),
  ];
  return (
    <section class="tiles-panel" aria-labelledby="metrics-title">
      <h2 id="metrics-title" class="unseen">
        Metrics
      </h2>
      <dl class="tiles">
        {tiles.map(([name, value]) => (
          <div key={name} class="tile">
            <dt>{name}</dt>
            <dd data-metric={name}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
