/**
 * How many of the reachable hits `policy: 'tinylfu'` keeps where `'lru'` loses them, on recorded traces:
 * `node tools/bench/hit-ratio.mjs FOLDER [--seed 1]`, once the packages are built; see README.md.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readLog, simulate, TraceSampler } from '../../packages/simulate/dist/esm/index.js';

/** Sizes that were published for a trace, beside those that go by its keys. */
const PUBLISHED = {
  'arc-oltp': [250, 500, 1000, 2000, 5000, 10_000, 15_000],
  'arc-p3': [32_768],
  'arc-p6': [32_768],
  'corda-vault': [250, 500, 1000],
  'lirs-2pools': [100, 450],
  'lirs-loop': [250, 500, 750, 1000],
  'lirs-multi3': [600, 2600, 4600],
  'orm-busy': [1250, 5000],
  'scarab-recs': [25_000, 50_000, 100_000],
  'shift-corda-loop': [512],
};
/** Sizes as parts of a trace's different keys. */
const PARTS = [0.001, 0.01, 0.03, 0.1, 0.3];
/** Entries that a cache has at least. */
const LEAST = 20;
/** Points that the optimum must be above LRU for a cell to be scored: there is nothing to win in others. */
const SCORED = 1;
/** Points below LRU that count as worse. */
const WORSE = 0.5;
/** Accesses that are replayed in full. */
const MOST = 5_000_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('usage: node tools/bench/hit-ratio.mjs FOLDER [--seed 1]');
  process.exit(2);
}
const files = readdirSync(folder).filter((name) => name.endsWith('.u32.gz'));
if (files.length === 0) {
  console.error(`${folder} has no traces, which are named NAME.u32.gz`);
  process.exit(2);
}

const gaps = [];
let worse = 0;
let cells = 0;
let worst = { below: 0, cell: 'none' };
console.log('| trace | maxSize | lru | tinylfu | optimum |\n| --- | ---: | ---: | ---: | ---: |');
for (const file of files) {
  const name = basename(file, '.u32.gz');
  const sampler = new TraceSampler(MOST);
  for await (const keys of readLog(join(folder, file))) for (const key of keys) sampler.add(key);
  const trace = sampler.finish();
  const byKeys = PARTS.map((part) => Math.round(part * trace.keys)).filter((size) => size >= LEAST);
  const published = PUBLISHED[/** @type {keyof typeof PUBLISHED} */ (name)] ?? [];
  const sizes = [...new Set([...byKeys, ...published])].sort((a, b) => a - b);
  const { sizes: results } = simulate(trace, { sizes, seed: Number(values.seed) });
  for (const { hitRates, maxSize, optimum } of results) {
    const [lru, tinylfu, best] = [hitRates.lru, hitRates.tinylfu, optimum].map(
      (rate) => rate * 100,
    );
    console.log(
      `| ${name} | ${maxSize} | ${lru.toFixed(2)} | ${tinylfu.toFixed(2)} | ${best.toFixed(2)} |`,
    );
    cells++;
    if (lru - tinylfu > WORSE) worse++;
    if (lru - tinylfu > worst.below)
      worst = { below: lru - tinylfu, cell: `${name} at ${maxSize}` };
    if (best - lru >= SCORED) {
      gaps.push(Math.max(-1, Math.min(1, (tinylfu - lru) / (best - lru))));
    }
  }
}
const closed = (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length) * 100;
console.log(`
${closed.toFixed(1)} % of the gap between LRU and the optimum is closed, the mean of ${gaps.length} of ${cells} cells.
The worst cell is ${worst.below.toFixed(2)} points below LRU (${worst.cell}); ${worse} are more than half a point below it.`);
