/**
 * What the subject is meant to reach. Ratios, so that they hold on any machine; stalls, the first
 * use of a restored value and what happens while Redis is away are absolute.
 *
 * @typedef {object} Goal
 * @property {string} text
 * @property {[string, string, string]} row case, variant, contestant
 * @property {string} [of] which figure of a case that has several
 * @property {'absolute' | 'toBaseline' | 'toSubject'} figure
 * @property {number} [atMost]
 * @property {number | ((nodeMajor: number) => number)} [atLeast]
 * @property {true} [inverse] the figure is the other way round than the goal
 */

/**
 * Before Node 22 an AbortController costs several times as much, and lru-cache makes one per miss.
 *
 * @param {number} nodeMajor
 */
const missFactor = (nodeMajor) => (nodeMajor < 22 ? 8 : 4);

/** @type {readonly Goal[]} */
const goals = [
  {
    text: 'hit, 1k entries, × await map.get',
    row: ['hit', '1k, ttl', 'acache'],
    figure: 'toBaseline',
    atMost: 1.15,
  },
  { text: 'hit, 10k', row: ['hit', '10k, ttl', 'acache'], figure: 'toBaseline', atMost: 1.25 },
  { text: 'hit, 100k', row: ['hit', '100k, ttl', 'acache'], figure: 'toBaseline', atMost: 1.5 },
  {
    text: 'hit, 1k, times faster than lru-cache fetch',
    row: ['hit', '1k, ttl', 'lru-cache'],
    figure: 'toSubject',
    atLeast: 1.15,
  },
  {
    text: 'hit, 10k, times faster than lru-cache fetch',
    row: ['hit', '10k, ttl', 'lru-cache'],
    figure: 'toSubject',
    atLeast: 1.15,
  },
  {
    text: 'hit, 100k, times faster than lru-cache fetch',
    row: ['hit', '100k, ttl', 'lru-cache'],
    figure: 'toSubject',
    atLeast: 1.15,
  },
  {
    text: 'peek, 1k, × await map.get',
    row: ['peek', '1k', 'acache'],
    figure: 'toBaseline',
    atMost: 0.45,
  },
  { text: 'peek, 10k', row: ['peek', '10k', 'acache'], figure: 'toBaseline', atMost: 0.45 },
  {
    text: 'miss, × a naive Map + loader',
    row: ['miss', '1k', 'acache'],
    figure: 'toBaseline',
    atMost: 1.5,
  },
  {
    text: 'miss, times faster than lru-cache fetch',
    row: ['miss', '1k', 'lru-cache'],
    figure: 'toSubject',
    atLeast: missFactor,
  },
  {
    text: 'burst of 10k callers, × a Map of promises',
    row: ['burst', 'ttl', 'acache'],
    figure: 'toBaseline',
    atMost: 1.1,
  },
  {
    text: 'set with eviction, 1k, × lru-cache',
    row: ['set', '1k', 'acache'],
    figure: 'toBaseline',
    atMost: 0.75,
  },
  {
    text: 'set with eviction, 10k',
    row: ['set', '10k', 'acache'],
    figure: 'toBaseline',
    atMost: 0.75,
  },
  {
    text: 'set with eviction, 100k',
    row: ['set', '100k', 'acache'],
    figure: 'toBaseline',
    atMost: 0.75,
  },
  {
    text: 'bytes per entry, 100k, × lru-cache with ttl',
    row: ['memory', '100k, ttl', 'lru-cache'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.85,
  },
  {
    text: 'bytes per entry, 1M, × lru-cache with ttl',
    row: ['memory', '1M, ttl', 'lru-cache'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.85,
  },
  {
    text: '1M entries expiring, longest delay in ms',
    row: ['expiry', '1M', 'acache'],
    figure: 'absolute',
    atMost: 30,
  },
  {
    text: 'key of one string, × JSON.stringify',
    row: ['keys', 'one string', 'acache'],
    figure: 'toBaseline',
    atMost: 0.45,
  },
  {
    text: 'key of int and string',
    row: ['keys', 'int, string', 'acache'],
    figure: 'toBaseline',
    atMost: 0.45,
  },
  {
    text: 'key of a nested object',
    row: ['keys', 'nested', 'acache'],
    figure: 'toBaseline',
    atMost: 1.6,
  },
  {
    text: 'DataLoader, 10 keys, × dataloader',
    row: ['dataloader', '10 keys', 'dataloader'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.95,
  },
  {
    text: 'DataLoader, 100 keys',
    row: ['dataloader', '100 keys', 'dataloader'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.95,
  },
  {
    text: 'DataLoader, 10k keys',
    row: ['dataloader', '10k keys', 'dataloader'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.95,
  },
  {
    text: 'bytes per load, 100 keys, × dataloader',
    row: ['dataloader-bytes', '100 keys', 'dataloader'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.8,
  },
  {
    text: 'bytes per load, 10k keys',
    row: ['dataloader-bytes', '10k keys', 'dataloader'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.8,
  },
  {
    text: 'Redis hit, 50 at once, × ioredis GET',
    row: ['redis-hit', '50 at once', 'acache'],
    figure: 'toBaseline',
    atMost: 1,
  },
  {
    text: 'Redis hit, 500 at once, × ioredis GET',
    row: ['redis-hit', '500 at once', 'acache'],
    figure: 'toBaseline',
    atMost: 1,
  },
  {
    text: 'Redis hit, 50 at once, × autopipelined GET',
    row: ['redis-hit', '50 at once', 'ioredis-pipelining'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.6,
  },
  {
    text: 'Redis hit, 500 at once, × autopipelined GET',
    row: ['redis-hit', '500 at once', 'ioredis-pipelining'],
    figure: 'toSubject',
    inverse: true,
    atMost: 0.4,
  },
  {
    text: 'bulk of 100 from Redis, × one MGET',
    row: ['redis-bulk', '100 keys', 'acache'],
    figure: 'toBaseline',
    atMost: 1.2,
  },
  ...['stopped', 'killed'].flatMap((how) => goalsWhileAway(how)),
  {
    text: 'opening a file of 1M entries, × v8.deserialize',
    row: ['persist-open', '1M', 'acache'],
    of: 'open',
    figure: 'toBaseline',
    atMost: 0.3,
  },
  {
    text: 'first use of a restored value, µs',
    row: ['persist-open', '1M', 'acache'],
    of: 'first use',
    figure: 'absolute',
    atMost: 5,
  },
  ...['100k', '1M'].flatMap((size) => goalsOfStalls(size)),
  {
    text: 'entries written to the system per second',
    row: ['persist-write', '100k, left to the system', 'acache'],
    of: 'entries',
    figure: 'absolute',
    atLeast: 100_000,
  },
];

/**
 * @param {string} size
 * @returns {Goal[]}
 */
function goalsOfStalls(size) {
  return ['flush', 'compaction', 'load'].map((phase) => ({
    text: `longest gap, ${phase} of ${size}, ms`,
    row: ['persist-stall', `${phase}, ${size}`, 'acache'],
    of: 'longest gap',
    figure: 'absolute',
    atMost: size === '1M' ? 150 : 60,
  }));
}

/**
 * The slowest get may take `commandTimeout`, 10 ms more, and the load.
 *
 * @param {string} how
 * @returns {Goal[]}
 */
function goalsWhileAway(how) {
  /** @type {Pick<Goal, 'row' | 'figure'>} */
  const row = {
    row: [how === 'killed' ? 'redis-killed' : 'redis-frozen', '3 s', 'acache'],
    figure: 'absolute',
  };
  return [
    { ...row, text: `Redis ${how}, p99 of keys in memory, ms`, of: 'cached p99', atMost: 1 },
    { ...row, text: `Redis ${how}, slowest of those, ms`, of: 'cached max', atMost: 115 },
    { ...row, text: `Redis ${how}, slowest of new keys, ms`, of: 'new max', atMost: 115 },
    { ...row, text: `Redis ${how}, loads of 620 keys`, of: 'loads in 3 s', atMost: 680 },
    { ...row, text: `Redis ${how}, coherent again after, ms`, of: 'coherent after', atMost: 1000 },
  ];
}

/**
 * @typedef {object} Verdict
 * @property {string} text
 * @property {string} goal
 * @property {import('./statistics.mjs').Summary} [measured]
 * @property {string} verdict
 *
 * @param {readonly import('./results.mjs').Result[]} results
 * @param {string} node that they were measured on, as `describeMachine` words it
 * @returns {Verdict[]}
 */
export function judge(results, node) {
  const nodeMajor = Number(/\d+/.exec(node)?.[0]);
  return goals.map(
    ({ text, row: [name, variant, contestant], of, figure, inverse, atMost, atLeast: least }) => {
      const atLeast = typeof least === 'function' ? least(nodeMajor) : least;
      const result = results.find(
        (r) =>
          r.case === name &&
          r.variant === variant &&
          r.contestant === contestant &&
          r.figure?.name === of,
      );
      const measured = inverse ? inverted(result?.[figure]) : result?.[figure];
      const target = /** @type {number} */ (atMost ?? atLeast);
      const goal = `${atMost === undefined ? '≥' : '≤'} ${Number(target.toFixed(2))}`;
      if (measured === undefined)
        return { text, goal, verdict: result?.error === undefined ? 'not measured' : 'failed' };
      const excess =
        atMost === undefined ? target / measured.median - 1 : measured.median / target - 1;
      const near =
        measured.low <= target && target <= measured.high ? ', the spread includes it' : '';
      const verdict =
        excess <= 0 ? 'reached' : `missed by ${Math.max(1, Math.round(excess * 100))} %`;
      return { text, goal, measured, verdict: verdict + near };
    },
  );
}

/**
 * @param {import('./statistics.mjs').Summary | undefined} summary
 * @returns {import('./statistics.mjs').Summary | undefined}
 */
const inverted = (summary) =>
  summary && {
    median: 1 / summary.median,
    low: 1 / summary.high,
    high: 1 / summary.low,
    count: summary.count,
  };
