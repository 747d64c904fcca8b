/**
 * Median and interquartile range: one slow round, when another process took the core, moves neither.
 *
 * @typedef {{ median: number, low: number, high: number, count: number }} Summary
 */

/**
 * @param {readonly number[]} numbers
 * @returns {Summary}
 */
export function summarize(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    count: sorted.length,
  };
}

/**
 * Round by round, so that what slowed both contestants in a round cancels out.
 *
 * @param {readonly number[]} numbers
 * @param {readonly number[]} references of the same rounds
 */
export function ratios(numbers, references) {
  return numbers.map((number, round) => number / references[round]);
}

/**
 * @param {readonly number[]} sorted
 * @param {number} q
 */
export function quantile(sorted, q) {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below + (above - below) * (position - Math.floor(position));
}
