#!/usr/bin/env node
// npm run soak -- --help: works caches for as long as you say, and fails when what they use grows.
import { setTimeout as sleep } from 'node:timers/promises';
import { openCaches } from './caches.mjs';
import { readOptions, USAGE } from './options.mjs';
import { countTimers, takeStock } from './resources.mjs';
import { mixedTraffic } from './traffic.mjs';
import { judge, megabytes } from './verdict.mjs';

/** In any run. */
const LINES = 12;
/** Milliseconds in which timers that are due, and writes that were begun, come to their end. */
const SETTLING = 700;

const options = optionsOrExit();
const pause = Math.min(60_000, (options.minutes * 60_000) / LINES);
if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
countTimers();
const { cleanUp, caches, trouble, untilWell } = await openCaches({ ...options, pause });
const shared = new AbortController();
/** @type {unknown[]} */
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error));
const traffic = mixedTraffic(caches, shared.signal, options.seed);

/** @type {import('./verdict.mjs').Sample[]} */
const samples = [];
const started = performance.now();
const lines = Math.round((options.minutes * 60_000) / pause);
console.log(
  [
    'minutes',
    'operations',
    'hit rate',
    'heap',
    'rss',
    'timers',
    'handles',
    'listeners',
    'entries',
    'troubles',
  ]
    .map((head) => head.padStart(10))
    .join(' '),
);
for (let line = 1; line <= lines; line++) {
  traffic.resume();
  trouble.resume();
  await sleep(Math.max(0, started + line * pause - performance.now()));
  await trouble.pause();
  await traffic.pause();
  await untilWell();
  await sleep(SETTLING);
  const { rss, ...stock } = await takeStock(shared.signal);
  const minutes = (performance.now() - started) / 60_000;
  samples.push({ minutes, ...stock });
  const { hits, misses } = sums();
  console.log(
    [
      minutes.toFixed(1),
      traffic.counts.operations.toLocaleString('en'),
      `${((100 * hits) / (hits + misses)).toFixed(1)} %`,
      megabytes(stock.heap),
      megabytes(rss),
      stock.timers,
      stock.handles,
      stock.listeners,
      caches.reduce((sum, { size }) => sum + size, 0),
      trouble.count(),
    ]
      .map((cell) => String(cell).padStart(10))
      .join(' '),
  );
}
for (const cache of caches) await cache.close();
await cleanUp();
const left = (await takeStock(shared.signal)).timers;

const { flat, reasons, bytesPerHour } = judge(samples);
const { failures, loads, operations, wrong } = traffic.counts;
const faults = [
  ...(flat ? [] : reasons),
  ...(left > 0 ? [`${left} timers are left after close()`] : []),
  ...new Set(wrong),
  ...unhandled.map((error) => `unhandled rejection: ${error}`),
];
console.log(
  `\n${operations.toLocaleString('en')} operations, ${loads.toLocaleString('en')} loads, ${failures.toLocaleString('en')} failed as they should; ` +
    (bytesPerHour === undefined
      ? reasons.join()
      : `the heap grows by ${megabytes(bytesPerHour)} an hour`),
);
for (const fault of faults.slice(0, 20)) console.error(`failed: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

function sums() {
  const metrics = caches.map((cache) => cache.getMetrics());
  return {
    hits: metrics.reduce((sum, { hits }) => sum + hits, 0),
    misses: metrics.reduce((sum, { misses }) => sum + misses, 0),
  };
}

function optionsOrExit() {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
