import { cases } from './cases.mjs';
import { judge } from './goals.mjs';
import { SUBJECT } from './jobs.mjs';
import { absolute, ratio, table } from './table.mjs';

/**
 * Both tables, as Markdown.
 *
 * @param {readonly import('./results.mjs').Result[]} results
 * @param {import('./machine.mjs').Machine} machine
 */
export function report(results, machine) {
  const measured = cases.filter(({ name }) => results.some((result) => result.case === name));
  const rows = results.map((result) => [
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
    ...results.flatMap(({ case: name, variant, contestant, error }) =>
      error === undefined ? [] : [`\n${name} ${variant}, ${contestant} failed: ${error}`],
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

/** @param {string} own @param {string} baseline */
const beside = (own, baseline) => (baseline === '' ? own : `${own} (${baseline})`);
