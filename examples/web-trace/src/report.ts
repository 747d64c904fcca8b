import Table from 'cli-table3';
import { percentile, type Played } from './play.js';

/** A run through the trace and what it cost the database. */
export interface Run extends Played {
  readonly queries: number;
  /** What the cache counted; absent where there was none. */
  readonly cache?: { readonly hits: number; readonly misses: number; readonly joined: number };
}

/** Both runs side by side. */
export function comparison(without: Run, through: Run): string {
  const table = new Table({
    head: ['', 'without cache', 'AsyncCache'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const row = (label: string, cell: (run: Run) => string) =>
    table.push([label, cell(without), cell(through)]);

  row('requests', ({ latencies }) => count(latencies.length));
  row('hits', ({ cache }) => (cache ? count(cache.hits) : '-'));
  row('misses', ({ cache }) => (cache ? count(cache.misses) : '-'));
  row('  of them joined a load', ({ cache }) => (cache ? count(cache.joined) : '-'));
  row('hit rate', ({ cache }) => (cache ? percent(cache.hits, cache.hits + cache.misses) : '-'));
  row('database queries', ({ queries }) => count(queries));
  row('queries saved', ({ queries, latencies: { length } }) =>
    queries === length ? '-' : `${count(length - queries)} (${percent(length - queries, length)})`,
  );
  row('latency p50', ({ latencies }) => duration(percentile(latencies, 0.5)));
  row('latency p99', ({ latencies }) => duration(percentile(latencies, 0.99)));
  row('wall time', ({ wallMs }) => `${(wallMs / 1000).toFixed(1)} s`);
  return table.toString();
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A number with its noun: '1 query', '100 queries'. */
export function counted(value: number, one: string, many: string): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

/** Three digits that matter: 2.54 µs, 6.38 ms, 120 ms. */
export function duration(ms: number): string {
  const [value, unit] = ms < 0.1 ? [1000 * ms, 'µs'] : [ms, 'ms'];
  return `${Number(value.toPrecision(3))} ${unit}`;
}
