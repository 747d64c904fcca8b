import { sampleOf } from './case.mjs';
import { makeFolder, removeFolder } from './folder.mjs';
import { run, SUBJECT } from './jobs.mjs';
import { ratios, summarize } from './statistics.mjs';

/**
 * A row of the table.
 *
 * @typedef {import('./statistics.mjs').Summary} Summary
 * @typedef {object} Result
 * @property {string} case
 * @property {string} variant
 * @property {string} contestant
 * @property {import('./case.mjs').Figure} [figure] which of the case's, where it has several
 * @property {import('./case.mjs').Unit} unit
 * @property {string} baseline
 * @property {Summary} [absolute] for orientation: it depends on the machine
 * @property {Summary} [baselineAbsolute] of the same runs
 * @property {Summary} [toBaseline] times the baseline
 * @property {Summary} [toSubject] times the subject: above 1, the subject is better
 * @property {string} [error]
 */

/**
 * Runs what was planned, one process at a time.
 *
 * @param {import('./jobs.mjs').Plan[]} plans
 * @param {(done: number, total: number, about: string, contestant: string) => void} onProgress
 * @returns {Promise<Result[]>}
 */
export async function measure(plans, onProgress) {
  const total = plans.flatMap(({ rows }) => rows.flatMap(({ jobs }) => jobs)).length;
  let done = 0;
  /** @type {Result[]} */
  const results = [];
  for (const { case: measured, variant, rows } of plans) {
    /** @type {Map<string, import('./case.mjs').Samples[]>} */
    const samplesByRow = new Map();
    /** @type {Map<string, string>} */
    const errors = new Map();
    const most = Math.max(...rows.map(({ jobs }) => jobs.length));
    const folder = makeFolder();
    if (measured.prepare !== undefined) {
      onProgress(done, total, `${measured.name} ${variant.label}`, 'its files');
      const job = { ...rows[0].jobs[0], folder, prepares: true };
      await run(job, measured).catch((error) => {
        for (const { contestant } of rows) errors.set(contestant, error.message);
      });
    }
    // Repetitions outermost: a minute in which the machine is busy then spoils a part of each row
    // instead of all of one.
    for (let turn = 0; turn < most; turn++) {
      for (const { contestant, jobs } of rows) {
        if (turn >= jobs.length || errors.has(contestant)) continue;
        onProgress(done++, total, `${measured.name} ${variant.label}`, contestant);
        try {
          const samples = await run({ ...jobs[turn], folder }, measured);
          samplesByRow.set(contestant, [...(samplesByRow.get(contestant) ?? []), samples]);
        } catch (error) {
          errors.set(contestant, error instanceof Error ? error.message : String(error));
        }
      }
    }
    removeFolder(folder);
    for (const { contestant } of rows) {
      for (const figure of measured.figures ?? [undefined]) {
        const summaries = measured.alone
          ? summarizeApart(samplesByRow, contestant, measured, figure)
          : summarizeTogether(samplesByRow.get(contestant) ?? [], contestant, measured.baseline);
        results.push({
          case: measured.name,
          variant: variant.label,
          contestant,
          ...(figure === undefined ? {} : { figure }),
          unit: (figure ?? measured).unit,
          baseline: measured.baseline,
          ...summaries,
          ...(errors.has(contestant) ? { error: errors.get(contestant) } : {}),
        });
      }
    }
  }
  return results;
}

/**
 * @param {import('./case.mjs').Samples[]} runs of one row: baseline, contestant and subject in turns
 * @param {string} contestant
 * @param {string} baseline
 */
function summarizeTogether(runs, contestant, baseline) {
  if (runs.length === 0) return {};
  /** @param {string} reference */
  const to = (reference) =>
    summarize(runs.flatMap((samples) => ratios(samples[contestant], samples[reference])));
  return {
    absolute: summarize(runs.flatMap((samples) => samples[contestant])),
    baselineAbsolute: summarize(runs.flatMap((samples) => samples[baseline])),
    ...(contestant === baseline ? {} : { toBaseline: to(baseline) }),
    ...(contestant === SUBJECT || runs[0][SUBJECT] === undefined ? {} : { toSubject: to(SUBJECT) }),
  };
}

/**
 * @param {Map<string, import('./case.mjs').Samples[]>} samplesByRow each in a process of its own
 * @param {string} contestant
 * @param {import('./case.mjs').Case} measured
 * @param {import('./case.mjs').Figure} [figure]
 */
function summarizeApart(samplesByRow, contestant, { baseline, runs }, figure) {
  /** @param {string} name */
  const samplesOf = (name) =>
    samplesByRow.get(name)?.flatMap((samples) => samples[sampleOf(name, figure)] ?? []);
  const own = samplesOf(contestant);
  if (own === undefined || own.length === 0) return {};
  /** @param {string} reference */
  const to = (reference) => {
    const samples = samplesOf(reference);
    if (samples === undefined || samples.length === 0 || reference === contestant) return undefined;
    if (runs !== undefined && samples.length === own.length) return summarize(ratios(own, samples));
    const { median } = summarize(samples);
    return summarize(own.map((sample) => sample / median));
  };
  return { absolute: summarize(own), toBaseline: to(baseline), toSubject: to(SUBJECT) };
}
