/**
 * `node tools/bench/recorded.mjs`: writes the recorded report, its plots and the README's comparison anew from
 * tools/bench/report/figures.json, when only their form has changed. `--check` prints instead what differs from
 * it, without the plots, and ends with exit code 1 if anything does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withComparison } from './lib/comparison.mjs';
import { readRuns } from './lib/recording.mjs';
import { reportOf, writeReport } from './lib/written-report.mjs';

const [folder, readme] = ['report', '../../README.md'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const runs = readRuns(`${folder}/figures.json`);
const text = readFileSync(readme, 'utf8');
if (process.argv.includes('--check')) {
  const differing = [
    ...(text === withComparison(text, runs) ? [] : ['README.md']),
    ...(readFileSync(`${folder}/report.md`, 'utf8') === reportOf(runs)
      ? []
      : ['tools/bench/report/report.md']),
  ];
  for (const name of differing) {
    console.error(`${name} is not what was recorded: node tools/bench/recorded.mjs`);
  }
  process.exitCode = differing.length > 0 ? 1 : 0;
} else {
  await writeReport(folder, runs);
  writeFileSync(readme, withComparison(text, runs));
}
