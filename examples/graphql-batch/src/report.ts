import Table from 'cli-table3';
import type { Run } from './compare.js';

/** A line for each run. */
export function report(runs: readonly Run[]): string {
  const table = new Table({
    head: ['', 'queries', 'rows', 'time'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const { label, queries, rows, time } of runs) {
    table.push([label, queries, rows, `${time.toFixed(1)} ms`]);
  }
  return table.toString();
}
