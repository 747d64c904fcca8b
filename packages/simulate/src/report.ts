import { POLICIES } from './policies.js';
import type { Simulation } from './simulate.js';

const NUMBER = new Intl.NumberFormat('en');

/** What was found, for a terminal. */
export function describeSimulation(found: Simulation): string {
  const { accesses, keys, rate, reachable, recommended } = found;
  const lines = [
    `${count(accesses)} accesses to ${rate < 1 ? 'about ' : ''}${count(keys)} keys; a cache that keeps everything serves ${percent(reachable)}`,
  ];
  if (rate < 1) {
    lines.push(
      `sampled: one key in ${count(Math.round(1 / rate))} was replayed, on caches that much smaller`,
    );
  }
  lines.push('', ...table(found), '');
  lines.push(
    recommended === undefined
      ? 'no key is asked for twice: no cache helps'
      : `90 % of what is reachable, ${percent(0.9 * reachable)}, needs maxSize: ${count(recommended.maxSize)} with policy: '${recommended.policy}'`,
  );
  return lines.join('\n');
}

function table({ sizes }: Simulation): string[] {
  const header = ['maxSize', ...POLICIES, 'optimum'];
  const rows = sizes.map(({ maxSize, hitRates, optimum }) => [
    count(maxSize),
    ...POLICIES.map((name) => percent(hitRates[name])),
    percent(optimum),
  ]);
  const widths = header.map((_, at) =>
    Math.max(...[header, ...rows].map((row) => (row[at] as string).length)),
  );
  return [header, ...rows].map((row) =>
    row.map((cell, at) => cell.padStart(widths[at] as number)).join('  '),
  );
}

function count(value: number): string {
  return NUMBER.format(value);
}

function percent(rate: number): string {
  return `${(100 * rate).toFixed(2)} %`;
}
