/**
 * What is true once a minute, while nothing runs and after garbage collection.
 *
 * @typedef {object} Sample
 * @property {number} minutes since the start
 * @property {number} heap bytes in use, with what typed arrays hold outside of the heap
 * @property {number} timers that may still fire, unref'd ones too
 * @property {number} handles that keep the process alive
 * @property {number} listeners on a signal that all callers share, and on the process
 */

/** The part of a run in which caches fill, and V8 compiles and learns. */
const WARM_UP = 0.25;
/** Fewer say nothing about a slope. */
const FEWEST = 6;
/**
 * How much more may be in use at the end of what is judged than at its beginning. V8 goes on to compile: in
 * four minutes a run in memory alone grew by 0.8 MB, and a comparison of two heap snapshots found code and
 * what V8 knows of it, no entries. A leak shows in an hour: 70 million operations that leave one object of
 * 64 bytes behind in each five hundred make 9 MB.
 */
const MOST_BYTES = 4 * 2 ** 20;
const MOST_OF_HEAP = 0.05;
/**
 * Beyond that, what chance may do to the slope of so few samples, in standard deviations: entries come and go
 * with their ttl, and with a Redis that comes and goes samples differ by 6 MB.
 */
const CHANCE = 3;
/** The standard deviation of what is normally distributed is so many times its median deviation. */
const DEVIATIONS = 1.48;
/** Of the rest there are a few; a sweep that is due, or a socket that just closed, is no leak. */
const MOST_HANDLES = 3;

/**
 * Whether what is used stays flat.
 *
 * @param {readonly Sample[]} samples
 * @returns {{ flat: boolean, reasons: string[], bytesPerHour: number | undefined }}
 */
export function judge(samples) {
  const last = samples.at(-1)?.minutes ?? 0;
  const judged = samples.filter(({ minutes }) => minutes >= last * WARM_UP);
  if (judged.length < FEWEST) {
    return { flat: true, reasons: ['too short to say'], bytesPerHour: undefined };
  }
  const reasons = [];
  const points = judged.map(({ minutes, heap }) => /** @type {const} */ ([minutes, heap]));
  const bytesPerMinute = slope(points);
  const grown = bytesPerMinute * (last - judged[0].minutes);
  const most =
    Math.max(MOST_BYTES, MOST_OF_HEAP * median(judged.map(({ heap }) => heap))) +
    CHANCE * uncertainty(points, bytesPerMinute);
  if (grown > most)
    reasons.push(`the heap grew by ${megabytes(grown)}, at most ${megabytes(most)}`);
  for (const what of /** @type {const} */ (['timers', 'handles', 'listeners'])) {
    const counts = judged.map((sample) => sample[what]);
    const third = Math.floor(counts.length / 3);
    const before = median(counts.slice(0, third));
    const after = median(counts.slice(-third));
    if (after > before + MOST_HANDLES) reasons.push(`${what} grew from ${before} to ${after}`);
  }
  return { flat: reasons.length === 0, reasons, bytesPerHour: bytesPerMinute * 60 };
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen): a sample that happened to be
 * taken in an odd moment does not turn it, as it would a line of least squares.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points
 */
export function slope(points) {
  return median(
    points.flatMap(([x, y], at) => points.slice(at + 1).map(([toX, toY]) => (toY - y) / (toX - x))),
  );
}

/**
 * The standard deviation of what a line rises by from its first point to its last, as chance would have it.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points evenly spread
 * @param {number} rise of the line
 */
function uncertainty(points, rise) {
  const above = points.map(([x, y]) => y - rise * x);
  const middle = median(above);
  const deviation = DEVIATIONS * median(above.map((value) => Math.abs(value - middle)));
  return deviation * Math.sqrt(12 / points.length);
}

/** @param {readonly number[]} numbers */
function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

/** @param {number} bytes */
export const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
