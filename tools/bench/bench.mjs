/** `node tools/bench/bench.mjs [--long] [--quick] [--only hit,miss] [--peers lru-cache] [--json FILE]`; see README.md. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSubject, copyBuiltSubject } from './lib/build-subject.mjs';
import { judge } from './lib/goals.mjs';
import { installPeers } from './lib/install-peers.mjs';
import { plan } from './lib/jobs.mjs';
import { describeMachine, isBusy } from './lib/machine.mjs';
import { readOptions, usage } from './lib/options.mjs';
import { printer } from './lib/progress.mjs';
import { serverVersion } from './lib/redis.mjs';
import { report } from './lib/report.mjs';
import { measure } from './lib/results.mjs';

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

const started = performance.now();
const progress = printer(process.stderr);
const results = await measure(plans, progress.show);
progress.clear();
const seconds = Math.round((performance.now() - started) / 1000);

console.log(`${report(results, machine)}\n\nMeasured in ${seconds} s.`);
if (options.json !== undefined) {
  const figures = { machine, seconds, long: options.long, results, goals: judge(results) };
  writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}
process.exitCode = results.some(({ error }) => error !== undefined) ? 1 : 0;

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
