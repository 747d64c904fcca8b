/** Plots as SVG documents that are readable on light and on dark pages. */
import { scaleLinear, scaleLog } from 'd3-scale';
import { number } from './table.mjs';

const WIDTH = 760;
const ROW = 20;
const MARGIN = { top: 34, right: 72, bottom: 30, left: 170 };
const PANEL = { width: 360, height: 230 };
const PANEL_MARGIN = { top: 34, right: 92, bottom: 32, left: 54 };
/** Told apart by those who see no colours as well: on light and on dark pages. */
const COLORS = [
  ['#0072b2', '#4aa3df'],
  ['#c65102', '#ff9d52'],
  ['#008562', '#3cc79d'],
  ['#7a5aa6', '#b79ae0'],
  ['#656d76', '#9198a1'],
];
/** Two names that are nearer than this lie upon each other. */
const LINE = 13;

/** @param {0 | 1} page */
const colors = (page) =>
  COLORS.map(
    (pair, nth) => `.line${nth} { stroke: ${pair[page]}; } .name${nth} { fill: ${pair[page]}; }`,
  ).join('\n');

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 13px; }
.note { fill: #656d76; }
.grid { stroke: #d0d7de; }
.page { fill: #ffffff; }
.peer { fill: #767676; stroke: #767676; }
.own { fill: #0072b2; stroke: #0072b2; }
${colors(0)}
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .page { fill: #0d1117; }
  .peer { fill: #9198a1; stroke: #9198a1; }
  .own { fill: #4aa3df; stroke: #4aa3df; }
${colors(1)}
}
</style>`;

/** @typedef {import('./statistics.mjs').Summary} Summary */

/**
 * A line for each contestant: the median as a dot, the middle half of the rounds as a bar, on a scale
 * of powers of ten.
 *
 * @param {string} title
 * @param {readonly { group: string, rows: readonly { name: string, own: boolean, times: Summary }[] }[]} groups
 */
export function dotPlot(title, groups) {
  const all = groups.flatMap(({ rows }) => rows.map(({ times }) => times));
  const lowest = Math.min(1, ...all.map(({ low }) => low));
  const highest = Math.max(2, ...all.map(({ high }) => high));
  const x = scaleLog([lowest, highest], [MARGIN.left, WIDTH - MARGIN.right]);
  const lines = groups.reduce((sum, { rows }) => sum + rows.length + 1, 0);
  const bottom = MARGIN.top + lines * ROW;
  let y = MARGIN.top;
  const marks = groups.flatMap(({ group, rows }) => {
    y += ROW;
    return [
      text(8, y - 6, group, 'class="note"'),
      ...rows.map(({ name, own, times: { low, median, high } }) => {
        y += ROW;
        const middle = y - 10;
        const kind = own ? 'own' : 'peer';
        return [
          text(MARGIN.left - 10, middle + 4, name, 'text-anchor="end"'),
          `<line class="${kind}" stroke-width="5" stroke-opacity="0.45" x1="${at(x(low))}" x2="${at(x(high))}" y1="${middle}" y2="${middle}"/>`,
          `<circle class="${kind}" cx="${at(x(median))}" cy="${middle}" r="4"/>`,
          text(Math.max(x(high), x(median)) + 9, middle + 4, number(median), 'class="note"'),
        ].join('');
      }),
    ];
  });
  const ticks = ticksOf(x, 6);
  return svg(WIDTH, bottom + MARGIN.bottom, title, [
    ...ticks.map((tick) => vertical(x(tick), MARGIN.top, bottom)),
    `<line class="grid" stroke-width="2" x1="${at(x(1))}" x2="${at(x(1))}" y1="${MARGIN.top}" y2="${bottom}"/>`,
    ...ticks.map((tick) =>
      text(x(tick), bottom + 18, `${tick}×`, 'class="note" text-anchor="middle"'),
    ),
    text(8, 20, title, 'class="title"'),
    ...marks,
  ]);
}

/**
 * Small panels, each with a line for each contestant over the number of entries; both axes are of powers
 * of ten.
 *
 * @param {string} title
 * @param {readonly { name: string, unit: string, lines: readonly { name: string, points: readonly { entries: number, value: Summary }[] }[] }[]} panels
 */
export function growthPlot(title, panels) {
  const rows = Math.ceil(panels.length / 2);
  const drawn = panels.map((panel, nth) => {
    const shift = `translate(${(nth % 2) * PANEL.width} ${MARGIN.top + Math.floor(nth / 2) * PANEL.height})`;
    return `<g transform="${shift}">${panelOf(panel)}</g>`;
  });
  return svg(2 * PANEL.width, MARGIN.top + rows * PANEL.height + 8, title, [
    text(8, 20, title, 'class="title"'),
    ...drawn,
  ]);
}

/** @param {Parameters<typeof growthPlot>[1][number]} panel */
function panelOf({ lines, name, unit }) {
  const points = lines.flatMap((line) => line.points);
  const left = PANEL_MARGIN.left;
  const right = PANEL.width - PANEL_MARGIN.right;
  const [top, bottom] = [PANEL_MARGIN.top, PANEL.height - PANEL_MARGIN.bottom];
  const sizes = points.map(({ entries }) => entries);
  const x = scaleLog(
    [Math.min(...sizes), Math.max(...sizes, 2 * Math.min(...sizes))],
    [left, right],
  );
  const y = scaleLog(
    [
      Math.min(...points.map(({ value }) => value.low)),
      Math.max(...points.map(({ value }) => value.high)),
    ],
    [bottom, top],
  ).nice();
  const ticks = ticksOf(y, 4);
  const ends = apart(
    lines.map(({ points: own }) => y(own.at(-1)?.value.median ?? 1) + 4),
    LINE,
  );
  return [
    text(left, top - 12, `${name}, ${unit}`, ''),
    ...ticks.map((tick) => horizontal(y(tick), left, right)),
    ...ticks.map((tick) =>
      text(left - 6, y(tick) + 4, brief(tick), 'class="note" text-anchor="end"'),
    ),
    ...[...new Set(sizes)].map((size) =>
      text(x(size), bottom + 18, brief(size), 'class="note" text-anchor="middle"'),
    ),
    ...lines.map(({ name: contestant, points: own }, nth) => {
      const color = nth % COLORS.length;
      const path = own
        .map(
          ({ entries, value }, at0) =>
            `${at0 === 0 ? 'M' : 'L'}${at(x(entries))},${at(y(value.median))}`,
        )
        .join('');
      const bars = own.map(
        ({ entries, value: { low, high } }) =>
          `<line class="line${color}" stroke-opacity="0.5" stroke-width="4" x1="${at(x(entries))}" x2="${at(x(entries))}" y1="${at(y(low))}" y2="${at(y(high))}"/>`,
      );
      return (
        `<path d="${path}" class="line${color}" fill="none" stroke-width="2"/>${bars.join('')}` +
        text(right + 6, ends[nth], contestant, `class="name${color}"`)
      );
    }),
  ].join('\n');
}

/**
 * The same places, none nearer to another than that.
 *
 * @param {readonly number[]} places
 * @param {number} distance
 */
export function apart(places, distance) {
  const order = places.map((place, nth) => ({ place, nth })).sort((a, b) => a.place - b.place);
  for (const [at0, one] of order.entries()) {
    if (at0 > 0) one.place = Math.max(one.place, order[at0 - 1].place + distance);
  }
  return order.sort((a, b) => a.nth - b.nth).map(({ place }) => place);
}

/**
 * Powers of ten, or round numbers where there are less than two of them.
 *
 * @param {any} scale
 * @param {number} count
 * @returns {number[]}
 */
function ticksOf(scale, count) {
  const [from, to] = scale.domain();
  const powers = scale
    .ticks()
    .filter((/** @type {number} */ tick) => Number.isInteger(Math.log10(tick)));
  return powers.length > 1
    ? powers
    : scaleLinear([from, to], [0, 1])
        .ticks(count)
        .filter((tick) => tick > 0);
}

/** @param {number} value */
const brief = (value) =>
  value >= 1e6
    ? `${value / 1e6}M`
    : value >= 1e3
      ? `${value / 1e3}k`
      : `${Number(value.toPrecision(3))}`;

/** @param {number} value */
const at = (value) => Math.round(value * 10) / 10;

/** @param {number} x @param {number} from @param {number} to */
const vertical = (x, from, to) =>
  `<line class="grid" x1="${at(x)}" x2="${at(x)}" y1="${from}" y2="${to}"/>`;

/** @param {number} y @param {number} from @param {number} to */
const horizontal = (y, from, to) =>
  `<line class="grid" x1="${from}" x2="${to}" y1="${at(y)}" y2="${at(y)}"/>`;

/** @param {number} x @param {number} y @param {string} words @param {string} attributes */
const text = (x, y, words, attributes) =>
  `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escaped(words)}</text>`;

/** @param {string} words */
const escaped = (words) => words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * @param {number} width
 * @param {number} height
 * @param {string} title
 * @param {readonly string[]} parts
 */
const svg = (width, height, title, parts) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<rect class="page" width="100%" height="100%" rx="6"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
