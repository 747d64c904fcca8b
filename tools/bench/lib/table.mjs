/** Markdown that is also aligned on a terminal. */

/** @typedef {import('./statistics.mjs').Summary} Summary */

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function table(head, rows) {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column].length)),
  );
  /** @param {readonly string[]} cells */
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** With its spread, unless there is one sample only. @param {Summary | undefined} summary */
export const ratio = (summary) => {
  if (summary === undefined) return '';
  const { count, high, low, median } = summary;
  return count === 1 ? number(median) : `${number(median)} (${number(low)}–${number(high)})`;
};

/**
 * @param {Summary | undefined} summary
 * @param {string} unit
 * @param {number} [most] what stands for so much or more
 */
export const absolute = (summary, unit, most = Infinity) => {
  if (summary === undefined) return '';
  const { median } = summary;
  if (unit === '') return `${Math.round(median)}`; // a count
  return `${median >= most ? '≥ ' : ''}${number(median)} ${unit}`;
};

/**
 * @param {Summary | undefined} summary
 * @param {string} unit
 */
export const spread = (summary, unit) => (summary === undefined ? '' : `${ratio(summary)} ${unit}`);

/**
 * Three figures that mean something.
 *
 * @param {number} value
 */
export function number(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
