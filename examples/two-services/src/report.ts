import Table from 'cli-table3';
import type { ServiceMetrics } from './service-process.js';

/** A number that the demo measured, and what it has to be, if it has to be anything. */
export interface Finding {
  readonly label: string;
  readonly value: number;
  readonly unit?: 'ms';
  /** The only good value. */
  readonly exactly?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export function holds({ value, exactly = value, atMost = value, atLeast = value }: Finding) {
  return value === exactly && value <= atMost && value >= atLeast;
}

/** One step of the demo: a line for each finding. */
export function findingsTable(findings: readonly Finding[]): string {
  const table = newTable(['', 'measured', 'expected', '']);
  for (const finding of findings) {
    const { label, value, unit } = finding;
    const expected = expectation(finding);
    const mark = expected === '' ? '' : holds(finding) ? '✓' : '✗';
    table.push([label, amount(value, unit), expected, mark]);
  }
  return table.toString();
}

/** What did not hold, in a line. */
export function complaint(finding: Finding): string {
  const { label, value, unit } = finding;
  return `${label}: ${amount(value, unit)}, expected ${expectation(finding)}`;
}

/** What the services counted, side by side. */
export function metricsTable(a: ServiceMetrics, b: ServiceMetrics): string {
  const table = newTable(['', 'A', 'B']);
  const rows = (of: 'tier' | 'cache', names: readonly string[]) => {
    const [ofA, ofB] = [a[of], b[of]] as unknown as Record<string, number | boolean>[];
    for (const name of names) table.push([`${of} ${name}`, cell(ofA?.[name]), cell(ofB?.[name])]);
  };
  rows('tier', Object.keys(a.tier));
  rows('cache', ['hits', 'misses', 'joined', 'loads', 'tierHits', 'tierErrors']);
  return table.toString();
}

function newTable(head: string[]) {
  return new Table({
    head,
    colAligns: ['left', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
}

function expectation({ exactly, atMost, atLeast, unit }: Finding): string {
  if (exactly !== undefined) return amount(exactly, unit);
  if (atMost !== undefined) return `≤ ${amount(atMost, unit)}`;
  return atLeast === undefined ? '' : `≥ ${amount(atLeast, unit)}`;
}

function amount(value: number, unit?: string): string {
  return unit === undefined ? value.toLocaleString('en') : `${value.toFixed(1)} ${unit}`;
}

function cell(value: number | boolean | undefined): string {
  return typeof value === 'number' ? value.toLocaleString('en') : String(value);
}
