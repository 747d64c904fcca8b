/**
 * Runs, as they are kept in a file: what a report is made of, whenever and on whatever machine each of
 * its cases was measured.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cases } from './cases.mjs';

/** A figure has no more digits that mean something. */
const DIGITS = 4;

/**
 * @typedef {import('./results.mjs').Result} Result
 *
 * @typedef {object} Run
 * @property {string} date as in 2026-11-21
 * @property {string} command that repeats it
 * @property {number} seconds
 * @property {import('./machine.mjs').Machine} machine
 * @property {Result[]} results
 */

/** @param {string} file @returns {Run[]} none where there is no such file */
export function readRuns(file) {
  if (!existsSync(file)) return [];
  const runs = JSON.parse(readFileSync(file, 'utf8'));
  for (const run of runs) {
    run.results = run.results.map((/** @type {any} */ result) => withFigure(result));
  }
  return runs;
}

/**
 * A line for each result, so that what moved shows in a diff.
 *
 * @param {string} file
 * @param {readonly Run[]} runs
 */
export function writeRuns(file, runs) {
  const texts = runs.map(({ results, ...about }) => {
    const head = JSON.stringify(about).slice(0, -1);
    return `${head},"results":[\n${results.map((result) => JSON.stringify(named(result))).join(',\n')}\n]}`;
  });
  writeFileSync(file, `[\n${texts.join(',\n')}\n]\n`);
}

/**
 * The recorded runs with another: it takes the place of what they say about its cases. What was recorded with
 * `--long` has sizes that a short run leaves out, and only a long one replaces it.
 *
 * @param {readonly Run[]} runs
 * @param {Run} run
 */
export function merge(runs, run) {
  const kept = casesOf(isLong(run) ? [] : runs.filter(isLong));
  const results = run.results.filter((result) => !kept.has(result.case));
  const renewed = casesOf([{ ...run, results }]);
  const others = runs.map((old) => ({
    ...old,
    results: old.results.filter((result) => !renewed.has(result.case)),
  }));
  return [...others, { ...run, results }].filter((one) => one.results.length > 0);
}

/** @param {Run} run */
const isLong = ({ command }) => command.includes('--long');

/** @param {readonly Run[]} runs */
const casesOf = (runs) => new Set(runs.flatMap(({ results }) => results.map((one) => one.case)));

/** The results of all runs. @param {readonly Run[]} runs */
export const resultsOf = (runs) => runs.flatMap(({ results }) => results);

/** @param {Result} result */
function named({ figure, ...result }) {
  const rounded = Object.entries(result).map(([name, value]) => [name, rounding(value)]);
  return { ...Object.fromEntries(rounded), ...(figure && { figure: figure.name }) };
}

/** A ratio of counts that are 0 is left out. @param {unknown} value */
function rounding(value) {
  if (typeof value !== 'object' || value === null) return value;
  const numbers = Object.entries(value);
  if (!numbers.every(([, number]) => Number.isFinite(number))) return undefined;
  return Object.fromEntries(
    numbers.map(([name, number]) => [name, Number(number.toPrecision(DIGITS))]),
  );
}

/** @param {Omit<Result, 'figure'> & { figure?: string }} result */
function withFigure({ figure: name, ...result }) {
  const measured = cases.find((known) => known.name === result.case);
  const figure = measured?.figures?.find((known) => known.name === name);
  return figure === undefined ? result : { ...result, figure };
}
