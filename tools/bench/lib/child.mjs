/** One job in a process of its own: measures, and prints its samples as the last line of stdout. */
import { cases } from './cases.mjs';

/** @type {import('./jobs.mjs').Job} */
const job = JSON.parse(process.argv[2]);
const measured = cases.find(({ name }) => name === job.case);
if (measured === undefined) throw new Error(`no case ${job.case}`);

const { contestants, variant, seconds, folder = '' } = job;
const samples = job.prepares
  ? await measured.prepare?.(variant, folder)
  : await measured.measure(contestants, variant, seconds, folder);
process.stdout.write(`\n${JSON.stringify(samples ?? {})}\n`, () => process.exit(0));
