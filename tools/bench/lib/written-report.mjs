/** A report as a folder of files: Markdown, plots, and the figures they are made of. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUBJECT } from './jobs.mjs';
import { readRuns, resultsOf, writeRuns } from './recording.mjs';
import { aboutMachine, caseTables, failures, goalTable, measuredCases } from './report.mjs';

/** @typedef {import('./recording.mjs').Run} Run */

/**
 * @param {string} folder
 * @param {readonly Run[]} runs
 * @returns the runs as they were written, with fewer digits
 */
export async function writeReport(folder, runs) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'figures.json');
  writeRuns(file, runs);
  const written = readRuns(file);
  writeFileSync(join(folder, 'report.md'), reportOf(written));
  for (const name of readdirSync(folder)) if (name.endsWith('.svg')) rmSync(join(folder, name));
  for (const [name, svg] of await plots(written)) writeFileSync(join(folder, `${name}.svg`), svg);
  return written;
}

/**
 * The Markdown. It is made of the figures alone, so that what is committed can be checked.
 *
 * @param {readonly Run[]} runs
 */
export function reportOf(runs) {
  const results = resultsOf(runs);
  const parts = [
    '# Benchmark report',
    'Written by the command below; [what is measured, and how to read it](../README.md).',
    ...runs.map((run) => {
      const names = measuredCases(run.results).map(({ name }) => name);
      return `${run.date}, \`${run.command}\`, ${Math.round(run.seconds)} s: ${names.join(', ')}.\n\n${aboutMachine(run.machine).replace('\n', '\n\n')}`;
    }),
    ...failures(results),
    '## Goals',
    goalTable(results, nodeOf(runs)),
    ...measuredCases(results).flatMap((measured) => [
      `## ${measured.name}`,
      capitalized(measured.about),
      ...(isPlotted(measured) ? [`![${measured.name}](${measured.name}.svg)`] : []),
      ...caseTables(measured, results),
    ]),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** That on which misses were measured: their goal is another on older ones. @param {readonly Run[]} runs */
const nodeOf = (runs) => {
  const run = runs.find(({ results }) => results.some((result) => result.case === 'miss'));
  return (run ?? runs[0])?.machine.node ?? '';
};

/** Cases with several figures have no plot, unless they grow. @param {import('./case.mjs').Case} measured */
const isPlotted = ({ figures, grows }) => grows === true || figures === undefined;

/**
 * @param {readonly Run[]} runs
 * @returns {Promise<[name: string, svg: string][]>}
 */
async function plots(runs) {
  // Not before there is something to draw: a report can be checked where the peers are not installed.
  const { dotPlot, growthPlot } = await import('./plot.mjs');
  const results = resultsOf(runs);
  return measuredCases(results)
    .filter(isPlotted)
    .map((measured) => {
      const { about, baseline, figures, grows, name } = measured;
      const own = results.filter((result) => result.case === name);
      if (grows)
        return [name, growthPlot(`${name}: cost by number of entries`, panels(figures ?? [], own))];
      const groups = [...new Set(own.map(({ variant }) => variant))].map((group) => ({
        group,
        rows: own.flatMap(({ contestant, toBaseline, variant }) =>
          variant === group && toBaseline !== undefined
            ? [{ name: contestant, own: contestant === SUBJECT, times: toBaseline }]
            : [],
        ),
      }));
      return [name, dotPlot(`${name}: × ${baselineOf(about) ?? baseline}, less is better`, groups)];
    });
}

/** As the case words it. @param {string} about */
const baselineOf = (about) => /baseline (.*)$/.exec(about)?.[1].replaceAll('`', '');

/**
 * @param {readonly import('./case.mjs').Figure[]} figures
 * @param {readonly import('./results.mjs').Result[]} results
 */
function panels(figures, results) {
  const contestants = [...new Set(results.map(({ contestant }) => contestant))];
  return figures.map(({ name, unit }) => ({
    name,
    unit,
    lines: contestants
      .map((contestant) => ({
        name: contestant,
        points: results.flatMap((result) =>
          result.contestant === contestant &&
          result.figure?.name === name &&
          result.absolute !== undefined
            ? [{ entries: entriesOf(result.variant), value: result.absolute }]
            : [],
        ),
      }))
      .filter(({ points }) => points.length > 0),
  }));
}

/** Of a label such as 100k. @param {string} label */
const entriesOf = (label) =>
  Number.parseFloat(label) * (label.endsWith('M') ? 1e6 : label.endsWith('k') ? 1e3 : 1);

/** @param {string} words */
const capitalized = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;
