import { POLICIES } from './policies.js';
import type { Simulation, SizeResult } from './simulate.js';

const WIDTH = 800;
const HEIGHT = 480;
const MARGIN = { top: 48, right: 112, bottom: 56, left: 64 };
/** Told apart by those who see no colours as well, from light and dark. */
const STYLES: Readonly<Record<string, { color: string; dashes: string }>> = {
  lru: { color: '#0072b2', dashes: '' },
  tinylfu: { color: '#d55e00', dashes: '' },
  optimum: { color: '#767676', dashes: '6 4' },
};

type Point = readonly [maxSize: number, rate: number];

/** The hit ratios by size as an SVG document. */
export function plotSimulation(found: Simulation, title: string): string {
  const { recommended, sizes } = found;
  const [smallest = 1, largest = 1] = [sizes[0]?.maxSize, sizes.at(-1)?.maxSize];
  const decades = Math.log10(Math.max(largest, smallest + 1) / smallest);
  const x = (size: number): number => {
    const part = Math.log10(size / smallest) / decades;
    return round(MARGIN.left + part * (WIDTH - MARGIN.left - MARGIN.right));
  };
  const y = (rate: number): number => {
    return round(HEIGHT - MARGIN.bottom - rate * (HEIGHT - MARGIN.top - MARGIN.bottom));
  };
  const path = (points: readonly Point[]): string =>
    points.map(([size, rate], at) => `${at === 0 ? 'M' : 'L'}${x(size)},${y(rate)}`).join('');
  const curve = (name: string, rateOf: (size: SizeResult) => number): string => {
    const points = sizes.map((size): Point => [size.maxSize, rateOf(size)]);
    const { color, dashes } = STYLES[name] as { color: string; dashes: string };
    const [, end = 0] = points.at(-1) ?? [];
    const [, before = 0] = points.at(Math.floor(points.length / 2)) ?? [];
    // Named where the curves are apart: at their ends they meet.
    const [middle = 1] = points.at(Math.floor(points.length / 2)) ?? [];
    return [
      `<path d="${path(points)}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dashes}"/>`,
      `<text x="${x(middle) + 6}" y="${y(before) + (name === 'lru' ? 16 : -8)}" fill="${color}">${name}</text>`,
      `<circle cx="${x(largest)}" cy="${y(end)}" r="3" fill="${color}"/>`,
    ].join('\n');
  };
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (rate) =>
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(rate)}" y2="${y(rate)}" stroke="#ddd"/>` +
      `<text x="${MARGIN.left - 8}" y="${y(rate) + 4}" text-anchor="end">${Math.round(100 * rate)} %</text>`,
  );
  const ticks = powersOfTen(smallest, largest).map(
    (size) =>
      `<text x="${x(size)}" y="${HEIGHT - MARGIN.bottom + 20}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
  );
  const mark =
    recommended === undefined || recommended.maxSize < smallest
      ? ''
      : `<line x1="${x(recommended.maxSize)}" x2="${x(recommended.maxSize)}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" stroke="#767676" stroke-dasharray="2 3"/>` +
        `<text x="${x(recommended.maxSize)}" y="${MARGIN.top - 6}" text-anchor="middle">90 %: ${recommended.maxSize.toLocaleString('en')}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="13" role="img" aria-label="Hit ratio by size">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${MARGIN.left}" y="20" font-size="15">${escaped(title)}</text>`,
    ...grid,
    ...ticks,
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">maxSize</text>`,
    mark,
    ...POLICIES.map((name) => curve(name, ({ hitRates }) => hitRates[name])),
    curve('optimum', ({ optimum }) => optimum),
    '</svg>',
    '',
  ].join('\n');
}

function powersOfTen(from: number, to: number): number[] {
  const powers: number[] = [];
  for (let power = 1; power <= to; power *= 10) if (power >= from) powers.push(power);
  return powers;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

/** What XML 1.0 does not take, in whatever form. */
const NO_XML = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  const legal = text.replace(NO_XML, '\ufffd');
  return legal.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
