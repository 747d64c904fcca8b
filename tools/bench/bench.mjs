/** `node tools/bench/bench.mjs [--long] [--only hit,miss] [--record]`; see README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSubject, copyBuiltSubject } from './lib/build-subject.mjs';
import { withComparison } from './lib/comparison.mjs';
import { judge } from './lib/goals.mjs';
import { installPeers } from './lib/install-peers.mjs';
import { plan } from './lib/jobs.mjs';
import { describeMachine, isBusy } from './lib/machine.mjs';
import { readOptions, usage } from './lib/options.mjs';
import { printer } from './lib/progress.mjs';
import { merge, readRuns } from './lib/recording.mjs';
import { serverVersion } from './lib/redis.mjs';
import { failures, report } from './lib/report.mjs';
import { measure } from './lib/results.mjs';
import { writeReport } from './lib/written-report.mjs';

const options = orExit(() => readOptions(process.argv.slice(2)), `\n\n${usage}`);
if (options.help) {
  console.log(usage);
  process.exit(0);
}
orExit(installPeers);
if (options.build) orExit(buildSubject);

const subject = pathToFileURL(resolve(options.subject ?? orExit(copyBuiltSubject))).href;
process.env.ACACHE_BENCH_SUBJECT = subject; // read by contestants/acache.mjs, in processes of their own
const exports = await import(subject).catch((error) => {
  console.error(`Cannot import ${subject}: ${error.message}`);
  process.exit(1);
});

const plans = plan({ ...options, exports: Object.keys(exports) });
for (const missing of new Set(plans.flatMap((planned) => planned.missing ?? []))) {
  console.error(`${subject} has no ${missing}: its peers only.`);
}
const machine = describeMachine(
  plans.flatMap(({ case: { baseline }, rows }) => [baseline, ...rows.map((row) => row.contestant)]),
);
if (plans.some(({ case: { redis } }) => redis)) {
  machine.versions['redis-server'] = await serverVersion().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
if (isBusy(machine)) {
  console.error(`This machine is busy (load ${machine.load.toFixed(1)}): expect wide spreads.`);
}

const date = new Date().toISOString().slice(0, 10);
const started = performance.now();
const progress = printer(process.stderr);
const results = await measure(plans, progress.show);
progress.clear();
const seconds = Math.round((performance.now() - started) / 1000);

console.log(`${report(results, machine)}\n\nMeasured in ${seconds} s.`);
if (options.json !== undefined) {
  const figures = {
    machine,
    seconds,
    long: options.long,
    results,
    goals: judge(results, machine.node),
  };
  writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}
/** @type {import('./lib/recording.mjs').Run} */
const measuredRun = { date, command: commandOf(options), seconds, machine, results };
const folder = resolve(options.report ?? fileURLToPath(new URL('.cache/report', import.meta.url)));
await writeReport(folder, [measuredRun]);
console.log(`Report: ${folder}/report.md`);
if (options.record && failures(results).length > 0) {
  console.error('Nothing was recorded, since a contestant failed.');
} else if (options.record) {
  await record(measuredRun);
}
process.exitCode = results.some(({ error }) => error !== undefined) ? 1 : 0;

/** What repeats the run. @param {ReturnType<typeof readOptions>} options */
function commandOf({ long, only, peers, record }) {
  const words = [
    ...(long ? ['--long'] : []),
    ...(only === undefined ? [] : ['--only', only]),
    ...(peers === undefined ? [] : ['--peers', peers.join(',') || 'none']),
    ...(record ? ['--record'] : []),
  ];
  return ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}

/** @param {import('./lib/recording.mjs').Run} run */
async function record(run) {
  const folder = fileURLToPath(new URL('report', import.meta.url));
  const runs = await writeReport(folder, merge(readRuns(`${folder}/figures.json`), run));
  const readme = fileURLToPath(new URL('../../README.md', import.meta.url));
  writeFileSync(readme, withComparison(readFileSync(readme, 'utf8'), runs));
  console.log(`Recorded in ${folder} and in ${readme}`);
}

/**
 * @template T
 * @param {() => T} step
 * @param {string} [hint]
 * @returns {T}
 */
function orExit(step, hint = '') {
  try {
    return step();
  } catch (error) {
    console.error((error instanceof Error ? error.message : String(error)) + hint);
    process.exit(1);
  }
}
