/**
 * A look in 20 seconds while tuning, against the limit and lru-cache only:
 * `node tools/bench/quick.mjs packages/core/dist/esm/index.js [hit peek miss miss-bytes burst set memory keys]`,
 * or against dataloader: `node tools/bench/quick.mjs packages/batch/dist/esm/index.js dataloader dataloader-bytes`,
 * or through Redis, once the benchmark has run: `node tools/bench/quick.mjs tools/bench/.cache/subject.mjs redis-hit redis-bulk`,
 * or a tool of an agent, with and without loop detection: `… tools/bench/.cache/subject.mjs agent-call`.
 * Same cases as bench.mjs with fewer rounds, one run each, and three caches in one process.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { calls } from './cases/agent-call.mjs';
import { TTL, short } from './lib/case.mjs';
import { cases } from './lib/cases.mjs';
import { run, SUBJECT } from './lib/jobs.mjs';
import { ratios, summarize } from './lib/statistics.mjs';
import { absolute, ratio } from './lib/table.mjs';

/** @type {[name: string, entries: number, label?: string][]} */
const looks = [
  ['hit', 1_000],
  ['hit', 10_000],
  ['hit', 100_000],
  ['peek', 1_000],
  ['peek', 10_000],
  ['peek', 100_000],
  ['miss', 1_000],
  ['miss-bytes', 4096],
  ['burst', 10_000],
  ['set', 1_000],
  ['set', 10_000],
  ['set', 100_000],
  ['memory', 100_000],
  ['keys', 0, 'one string'],
  ['keys', 0, 'int, string'],
  ['keys', 0, 'nested'],
  ['dataloader', 10, '10 keys'],
  ['dataloader', 100, '100 keys'],
  ['dataloader', 1_000, '1k keys'],
  ['dataloader', 10_000, '10k keys'],
  ['dataloader-bytes', 100, '100 keys'],
  ['dataloader-bytes', 10_000, '10k keys'],
  ['redis-hit', 1, '1 at once'],
  ['redis-hit', 50, '50 at once'],
  ['redis-hit', 500, '500 at once'],
  ['redis-bulk', 100, '100 keys'],
];
for (const label of Object.keys(calls)) looks.push(['agent-call', 0, label]);

/** @param {string} name of a case */
const rivalOf = (name) => {
  if (name === 'keys') return undefined;
  if (name === 'agent-call') return 'acache-unwatched';
  if (name.startsWith('redis-')) return 'ioredis-pipelining';
  return name.startsWith('dataloader') ? 'dataloader' : 'lru-cache';
};

const [file, ...only] = process.argv.slice(2);
if (file === undefined) {
  console.error(
    'usage: node quick.mjs <module that exports AsyncCache and makeKey, or DataLoader> [case …]',
  );
  process.exit(1);
}
process.env.ACACHE_BENCH_SUBJECT = pathToFileURL(resolve(file)).href;

const started = performance.now();
for (const [name, entries, label = short(entries)] of looks) {
  if (only.length > 0 && !only.includes(name)) continue;
  const measured = cases.find((known) => known.name === name);
  if (measured === undefined) throw new Error(`no case ${name}`);
  const { alone = false, baseline, unit } = measured;
  const rival = rivalOf(name);
  const contestants = [...new Set([baseline, SUBJECT, ...(rival === undefined ? [] : [rival])])];
  const variant = { label, entries, ttl: TTL, peers: [] };
  const job = { case: name, variant, seconds: 0.35 };
  try {
    /** @type {import('./lib/case.mjs').Samples} */
    const samples = {};
    for (const together of alone ? contestants.map((one) => [one]) : [contestants]) {
      Object.assign(samples, await run({ ...job, contestants: together }, measured));
    }
    const figures = contestants.map((contestant) => {
      const here = absolute(summarize(samples[contestant]), unit);
      if (contestant === baseline) return `${contestant} ${here}`;
      return `${contestant} ${ratio(summarize(ratios(samples[contestant], samples[baseline])))} ${here}`;
    });
    const [limit, ...others] = figures;
    if (rival !== undefined && rival !== baseline) {
      const toRival = ratio(summarize(ratios(samples[SUBJECT], samples[rival])));
      others.push(`${SUBJECT} / ${rival} ${toRival}`);
    }
    console.log(`${`${name} ${label}`.padEnd(27)}${others.join('   ')}   (× ${limit})`);
  } catch (error) {
    console.log(`${name} ${label}: ${error instanceof Error ? error.message : error}`);
  }
}
console.log(`${Math.round((performance.now() - started) / 1000)} s, Node ${process.version}`);
