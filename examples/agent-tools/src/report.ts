import Table from 'cli-table3';
import type { Outcome } from './use-case.js';

/** One use case, as it is and guarded. */
export interface Comparison {
  readonly title: string;
  readonly bare: Outcome;
  readonly guarded: Outcome;
}

/** What was saved, and what was stopped. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const table = new Table({
    head: ['', 'model calls', 'tool runs', 'from cache', 'in the end', 'stopped by'],
    colAligns: ['left', 'right', 'right', 'right', 'left', 'left'],
    colWidths: [null, null, null, null, null, 46],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { title, bare, guarded } of comparisons) {
    table.push([
      title,
      change(bare.modelCalls, guarded.modelCalls),
      change(bare.toolRuns, guarded.toolRuns),
      guarded.hits,
      change(bare.state ?? '', guarded.state ?? ''),
      guarded.loop ?? '',
    ]);
  }
  return table.toString();
}

/** What an agent did otherwise than it had to. */
export function complaints(title: string, kind: string, got: Outcome, expected: Outcome): string[] {
  return (Object.keys(expected) as (keyof Outcome)[])
    .filter((part) => !agrees(part, got[part], expected[part]))
    .map(
      (part) => `${title}, ${kind}: ${part} is ${String(got[part])}, not ${String(expected[part])}`,
    );
}

/** Of a message it is enough that it names what has to be in it. */
function agrees(part: keyof Outcome, got: Outcome[typeof part], expected: Outcome[typeof part]) {
  if (part !== 'loop' || expected === undefined) return got === expected;
  return String(got).includes(String(expected));
}

function change(before: number | string, after: number | string): string {
  return before === after ? String(before) : `${before} → ${after}`;
}
