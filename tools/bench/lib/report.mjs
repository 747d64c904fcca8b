import { cases } from './cases.mjs';
import { judge } from './goals.mjs';
import { growthFactors } from './growth-factors.mjs';
import { SUBJECT } from './jobs.mjs';
import { absolute, ratio, spread, table } from './table.mjs';

/**
 * Every table, as Markdown for a terminal.
 *
 * @param {readonly import('./results.mjs').Result[]} results
 * @param {import('./machine.mjs').Machine} machine
 */
export function report(results, machine) {
  const simple = results.filter(({ figure }) => figure === undefined);
  return [
    aboutMachine(machine),
    measuredCases(results)
      .map(({ name, about }) => `- **${name}**: ${about}`)
      .join('\n'),
    simple.length === 0 ? '' : ratioTable(simple),
    ...measuredCases(results).flatMap((measured) =>
      measured.figures === undefined ? [] : caseTables(measured, results),
    ),
    ...failures(results),
    goalTable(results, machine.node),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** In the order of the table. @param {readonly Result[]} results */
export const measuredCases = (results) =>
  cases.filter(({ name }) => results.some((result) => result.case === name));

/** @param {import('./machine.mjs').Machine} machine */
export function aboutMachine({ load, node, processor, system, versions }) {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${node}; ${processor}; ${system}; load ${load.toFixed(1)}\n${peers.join(', ')}`;
}

/** The tables of one case. @param {import('./case.mjs').Case} measured @param {readonly Result[]} results */
export function caseTables(measured, results) {
  const { figures, name, down = false } = measured;
  if (figures === undefined) return [ratioTable(results.filter((result) => result.case === name))];
  return [
    figureTable(name, figures, results, down),
    ...(measured.grows ? [growthFactors(measured, results)] : []),
  ];
}

/** @param {readonly Result[]} results */
export const failures = (results) => [
  ...new Set(
    results.flatMap(({ case: name, variant, contestant, error }) =>
      error === undefined ? [] : [`${name} ${variant}, ${contestant} failed: ${error}`],
    ),
  ),
];

/** What was reached of the goals that were measured. @param {readonly Result[]} results @param {string} node */
export function goalTable(results, node) {
  const verdicts = judge(results, node).filter(({ verdict }) => verdict !== 'not measured');
  if (verdicts.length === 0) return '';
  return table(
    ['goal', 'target', 'measured (25–75 %)', 'verdict'],
    verdicts.map(({ text, goal, measured, verdict }) => [text, goal, ratio(measured), verdict]),
  );
}

/** @param {readonly Result[]} results */
function ratioTable(results) {
  return table(
    [
      'case',
      'variant',
      'contestant',
      '× baseline (25–75 %)',
      `× ${SUBJECT} (25–75 %)`,
      'here (baseline)',
    ],
    results.map((result) => [
      result.case,
      result.variant,
      result.contestant,
      result.error === undefined ? ratio(result.toBaseline) : 'failed',
      ratio(result.toSubject),
      beside(
        absolute(result.absolute, result.unit),
        absolute(result.baselineAbsolute, result.unit),
      ),
    ]),
  );
}

/**
 * A case with several figures: a column for each, or a line.
 *
 * @param {string} name
 * @param {readonly import('./case.mjs').Figure[]} figures
 * @param {readonly import('./results.mjs').Result[]} results
 * @param {boolean} down
 */
function figureTable(name, figures, results, down) {
  const own = results.filter((result) => result.case === name);
  const rows = own.filter(({ figure }) => figure?.name === figures[0].name);
  const hasVariants = new Set(rows.map(({ variant }) => variant)).size > 1;
  const columns = figures.flatMap((figure) => columnsOf(figure, own[0].baseline));
  const head = [name, ...(hasVariants ? ['contestant'] : []), ...columns.map(({ head }) => head)];
  const lines = rows.map(({ contestant, variant }) => [
    ...(hasVariants ? [variant] : []),
    contestant,
    ...columns.map(({ figure, cell }) => {
      const result = own.find(
        (r) =>
          r.contestant === contestant && r.variant === variant && r.figure?.name === figure.name,
      );
      if (result === undefined) return '';
      return result.error === undefined ? cell(result) : 'failed';
    }),
  ]);
  if (!down) return table(head, lines);
  const [first, ...others] = head.map((cell, at) => [cell, ...lines.map((line) => line[at])]);
  return table(first, others);
}

/**
 * @typedef {import('./results.mjs').Result} Result
 * @typedef {{ head: string, figure: import('./case.mjs').Figure, cell: (result: Result) => string }} Column
 *
 * @param {import('./case.mjs').Figure} figure
 * @param {string} baseline
 * @returns {Column[]}
 */
function columnsOf(figure, baseline) {
  const { name, unit, most, detail, words } = figure;
  if (words !== undefined) {
    return [{ head: name, figure, cell: ({ absolute }) => words[absolute?.median ?? -1] ?? '' }];
  }
  if (detail === undefined) {
    return [{ head: name, figure, cell: (result) => absolute(result.absolute, unit, most) }];
  }
  return [
    {
      head: `${name} (25–75 %)`,
      figure,
      cell: (/** @type {Result} */ result) => spread(result.absolute, unit),
    },
    ...(detail === 'spread'
      ? []
      : [
          {
            head: `× ${baseline}`,
            figure,
            cell: (/** @type {Result} */ { toBaseline }) => ratio(toBaseline),
          },
          {
            head: `× ${SUBJECT}`,
            figure,
            cell: (/** @type {Result} */ { toSubject }) => ratio(toSubject),
          },
        ]),
  ];
}

/** @param {string} own @param {string} baseline */
const beside = (own, baseline) => (baseline === '' ? own : `${own} (${baseline})`);
