/** The root README's comparison: a few cases that matter, ours and the best peers. */
import { peerNames } from './contestant.mjs';
import { SUBJECT } from './jobs.mjs';
import { resultsOf } from './recording.mjs';
import { number, ratio, table } from './table.mjs';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';
const BEST = 3;

/** Whose name alone would say too little. @type {Record<string, string>} */
const NAMES = {
  'lru-autopurge': 'lru-cache, a timer for each',
  'lru-purge-stale': 'lru-cache, purgeStale',
  'ioredis-pipelining': 'ioredis, autopipelined',
};

/**
 * What is compared: by case and by variants, of which the first that was measured counts.
 *
 * @type {readonly { what: string, baseline: string, name: string, variants: readonly string[], figure?: string }[]}
 */
const rows = [
  { what: 'hit, 1k entries', baseline: '`await map.get(key)`', name: 'hit', variants: ['1k, ttl'] },
  {
    what: 'hit, 100k entries',
    baseline: '`await map.get(key)`',
    name: 'hit',
    variants: ['100k, ttl'],
  },
  { what: 'miss', baseline: 'a `Map` and the loader, by hand', name: 'miss', variants: ['1k'] },
  {
    what: '10k callers on one cold key',
    baseline: 'a `Map` of promises',
    name: 'burst',
    variants: ['ttl'],
  },
  {
    what: 'set that evicts, 10k entries',
    baseline: "lru-cache's `set`",
    name: 'set',
    variants: ['10k'],
  },
  { what: 'bytes for an entry', baseline: 'a `Map`', name: 'memory', variants: ['100k, ttl'] },
  {
    what: 'longest stall while 1M entries expire',
    baseline: 'a `Map` in slices of 1 ms',
    name: 'expiry',
    variants: ['1M'],
  },
  {
    what: 'DataLoader, 100 keys',
    baseline: 'promises by hand',
    name: 'dataloader',
    variants: ['100 keys'],
  },
  {
    what: 'hit in Redis, 50 at once',
    baseline: 'ioredis `GET`, `JSON.parse`',
    name: 'redis-hit',
    variants: ['50 at once'],
  },
  {
    what: 'opening a file',
    baseline: '`v8.deserialize`',
    name: 'persist-open',
    variants: ['1M', '100k'],
    figure: 'open',
  },
];

/**
 * The README with the comparison of these runs between its markers.
 *
 * @param {string} readme
 * @param {readonly import('./recording.mjs').Run[]} runs
 * @throws {Error} where it has no markers
 */
export function withComparison(readme, runs) {
  const from = readme.indexOf(START);
  const to = readme.indexOf(END);
  if (from < 0 || to < from) throw new Error(`README.md has no ${START} … ${END}`);
  return `${readme.slice(0, from + START.length)}\n\n${comparison(runs)}\n\n${readme.slice(to)}`;
}

/** @param {readonly import('./recording.mjs').Run[]} runs */
function comparison(runs) {
  const results = resultsOf(runs);
  const lines = rows.flatMap(({ what, baseline, name, variants, figure }) => {
    const of = results.filter((result) => result.case === name && result.figure?.name === figure);
    const variant = variants.find((label) => of.some((result) => result.variant === label));
    const measured = of.filter((result) => result.variant === variant && result.toBaseline);
    const own = measured.find(({ contestant }) => contestant === SUBJECT);
    if (own === undefined) return [];
    const size = variants.length > 1 ? ` of ${variant} entries` : '';
    return [[what + size, baseline, ratio(own.toBaseline), best(measured)]];
  });
  const used = runs.filter((run) => run.results.some(isUsed));
  return [
    'Time, or bytes, as a multiple of what is written by hand or done by a library below: less is better. In brackets the 25th and',
    '75th percentile, where there is more than one sample.',
    '',
    table(['', '×', 'acache', 'best peers'], lines),
    '',
    ...used.map(
      ({ command, date, machine }) =>
        `${date}, \`${command}\`, ${machine.node.replace(/ \(.*/, '')}, ${machine.processor}, load ${machine.load.toFixed(1)}.`,
    ),
    '[All cases, peers, plots and goals](tools/bench/report/report.md), [how it is measured](tools/bench/README.md).',
  ].join('\n');
}

/** @param {import('./results.mjs').Result} result */
const isUsed = (result) =>
  rows.some(({ name, variants }) => result.case === name && variants.includes(result.variant));

/** @param {readonly import('./results.mjs').Result[]} measured */
const best = (measured) =>
  measured
    .flatMap(({ contestant, toBaseline }) =>
      peerNames.includes(contestant) && toBaseline
        ? [{ contestant, times: toBaseline.median }]
        : [],
    )
    .sort((one, other) => one.times - other.times)
    .slice(0, BEST)
    .map(({ contestant, times }) => `${NAMES[contestant] ?? contestant} ${number(times)}`)
    .join(', ');
