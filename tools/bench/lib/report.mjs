import { cases } from './cases.mjs';
import { judge } from './goals.mjs';
import { SUBJECT } from './jobs.mjs';
import { absolute, ratio, spread, table } from './table.mjs';

/**
 * Both tables, as Markdown.
 *
 * @param {readonly import('./results.mjs').Result[]} results
 * @param {import('./machine.mjs').Machine} machine
 */
export function report(results, machine) {
  const measured = cases.filter(({ name }) => results.some((result) => result.case === name));
  const simple = results.filter(({ figure }) => figure === undefined);
  const rows = simple.map((result) => [
    result.case,
    result.variant,
    result.contestant,
    result.error === undefined ? ratio(result.toBaseline) : 'failed',
    ratio(result.toSubject),
    beside(absolute(result.absolute, result.unit), absolute(result.baselineAbsolute, result.unit)),
  ]);
  const verdicts = judge(results).filter(({ verdict }) => verdict !== 'not measured');
  return [
    `${machine.node}; ${machine.processor}; ${machine.system}`,
    Object.entries(machine.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    '',
    ...measured.map(({ name, about }) => `- **${name}**: ${about}`),
    '',
    ...(rows.length === 0
      ? []
      : [
          table(
            [
              'case',
              'variant',
              'contestant',
              '× baseline (25–75 %)',
              `× ${SUBJECT} (25–75 %)`,
              'here (baseline)',
            ],
            rows,
          ),
        ]),
    ...measured.flatMap(({ name, figures, down = false }) =>
      figures === undefined ? [] : ['', figureTable(name, figures, results, down)],
    ),
    ...new Set(
      results.flatMap(({ case: name, variant, contestant, error }) =>
        error === undefined ? [] : [`\n${name} ${variant}, ${contestant} failed: ${error}`],
      ),
    ),
    ...(verdicts.length === 0
      ? []
      : [
          '',
          table(
            ['goal', 'target', 'measured (25–75 %)', 'verdict'],
            verdicts.map(({ text, goal, measured, verdict }) => [
              text,
              goal,
              ratio(measured),
              verdict,
            ]),
          ),
        ]),
  ].join('\n');
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
  const rows = own.filter(({ figure }) => figure === figures[0]);
  const hasVariants = new Set(rows.map(({ variant }) => variant)).size > 1;
  const columns = figures.flatMap((figure) => columnsOf(figure, own[0].baseline));
  const head = [name, ...(hasVariants ? ['contestant'] : []), ...columns.map(({ head }) => head)];
  const lines = rows.map(({ contestant, variant }) => [
    ...(hasVariants ? [variant] : []),
    contestant,
    ...columns.map(({ figure, cell }) => {
      const result = own.find(
        (r) => r.contestant === contestant && r.variant === variant && r.figure === figure,
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
