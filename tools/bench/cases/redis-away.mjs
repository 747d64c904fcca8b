import { setTimeout as sleep } from 'node:timers/promises';
import { sampleOf, TTL } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys } from '../lib/data.mjs';
import { startServer } from '../lib/redis.mjs';
import { quantile } from '../lib/statistics.mjs';
import { fillTogether } from '../lib/tiers.mjs';

/** @typedef {import('../../redis/redis-server.js').RedisServer} RedisServer */

/** Milliseconds that a load takes. */
const LOADING = 5;
/** Milliseconds between two volleys of gets. */
const PAUSE = 5;
/** Keys that are in memory when Redis goes away; each is read in every volley. */
const CACHED = 20;
/** Each volley has a new key, and reads it again so many volleys later. */
const AGAIN_AFTER = [50, 100];
const WARM_UP = 100;
const VOLLEYS = 600;
/** Milliseconds that the last gets are waited for. */
const PATIENCE = 1000;
/** Stands for a get that failed, or had not ended when nobody watched any more. */
const NEVER = VOLLEYS * PAUSE + PATIENCE;
const IN_TIME = 1000;
const BACK_WITHIN = 10_000;

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const latencies = ['cached', 'new'].flatMap((kind) =>
  ['p50', 'p99', 'max'].map((part) => ({
    name: `${kind} ${part}`,
    unit: /** @type {const} */ ('ms'),
    most: NEVER,
  })),
);
/** @type {import('../lib/case.mjs').Figure} */
const inTime = { name: 'within 1 s', unit: '%' };
/** @type {import('../lib/case.mjs').Figure} */
const loads = { name: 'loads in 3 s', unit: '' };
/** @type {import('../lib/case.mjs').Figure} */
const wellAfter = { name: 'coherent after', unit: 'ms', most: BACK_WITHIN };

/** @type {Omit<import('../lib/case.mjs').Case, 'name' | 'about' | 'measure'>} */
const alike = {
  baseline: 'promise-map',
  needs: 'redisTier',
  redis: true,
  unit: 'ms',
  figures: [...latencies, inTime, loads, wellAfter],
  alone: true,
  runs: (long) => (long ? 5 : 1),
  variants: (long) => [
    {
      label: '3 s',
      peers: [
        'bentocache-timeouts',
        ...(long
          ? [
              'bentocache',
              'cacheable',
              'cacheable-nonblocking',
              'layered-loader',
              'layered-loader-timeouts',
            ]
          : []),
      ],
    },
  ],
};

/** @type {import('../lib/case.mjs').Case} */
export const redisFrozen = {
  ...alike,
  name: 'redis-frozen',
  about: `gets for 3 s after Redis was stopped with SIGSTOP: latency of those of ${CACHED} keys in memory, and of the first of a new key every ${PAUSE} ms, which takes ${LOADING} ms to load and is read again after 0.25 and 0.5 s; the share of all that was answered within 1 s; calls of the loader (${VOLLEYS} keys are new); how soon after SIGCONT memory is trusted again; first row without Redis`,
  measure: ([name]) =>
    measureAway(
      name,
      (server) => server.freeze(),
      (server) => server.thaw(),
    ),
};

/** @type {import('../lib/case.mjs').Case} */
export const redisKilled = {
  ...alike,
  name: 'redis-killed',
  about: 'the same after Redis was killed with SIGKILL, and how soon after its restart',
  measure: ([name]) =>
    measureAway(
      name,
      (server) => server.kill(),
      (server) => server.restart(),
    ),
};

/**
 * @param {string} name
 * @param {(server: RedisServer) => unknown} goAway
 * @param {(server: RedisServer) => unknown} comeBack
 * @returns {Promise<import('../lib/case.mjs').Samples>}
 */
async function measureAway(name, goAway, comeBack) {
  const { open, openTier } = await contestant(name);
  const server = await startServer();
  const keys = makeKeys(CACHED + WARM_UP + VOLLEYS);
  let loaded = 0;
  const loader = async (/** @type {string} */ key) => {
    loaded++;
    await sleep(LOADING);
    return { id: Number(key.slice(key.indexOf(':') + 1)), name: 'value' };
  };
  const options = { maxSize: 2 * keys.length, ttl: TTL, loader };
  const cache =
    openTier === undefined ? open(options) : await openTier({ ...options, port: server.port });
  const cached = keys.slice(0, CACHED);
  await fillTogether(cache, cached, []);
  await fire(cache, cached, keys.slice(CACHED, CACHED + WARM_UP), 0);

  await goAway(server);
  loaded = 0;
  const fired = await fire(cache, cached, keys.slice(CACHED + WARM_UP), PATIENCE);
  const all = [...fired.cached, ...fired.fresh, ...fired.again];
  const quick = all.filter((latency) => latency <= IN_TIME).length;
  const figures = [
    ...[fired.cached, fired.fresh].flatMap((times) => {
      const sorted = times.sort((a, b) => a - b);
      return [0.5, 0.99, 1].map((q) => quantile(sorted, q));
    }),
    (quick / all.length) * 100,
    loaded,
  ];
  if (cache.isWell !== undefined) {
    await comeBack(server);
    const from = performance.now();
    while (!cache.isWell() && performance.now() - from < BACK_WITHIN) await sleep(1);
    figures.push(Math.min(performance.now() - from, BACK_WITHIN));
  }
  return Object.fromEntries(
    figures.map((figure, at) => [sampleOf(name, alike.figures?.[at]), [figure]]),
  );
}

/**
 * Volleys of gets that do not wait for each other, as requests do not.
 *
 * @param {import('../lib/contestant.mjs').Contestant} cache
 * @param {string[]} cached
 * @param {string[]} fresh one for each volley
 * @param {number} patience milliseconds to wait for the last
 */
async function fire({ get }, cached, fresh, patience) {
  const latencies = {
    cached: new Array(fresh.length * cached.length).fill(NEVER),
    fresh: new Array(fresh.length).fill(NEVER),
    again: new Array(
      AGAIN_AFTER.reduce((sum, after) => sum + Math.max(0, fresh.length - after), 0),
    ),
  };
  latencies.again.fill(NEVER);
  let watching = true;
  /** @param {number[]} times @param {number} nth @param {string} key */
  const ask = (times, nth, key) => {
    const from = performance.now();
    get(key).then(
      () => {
        if (watching) times[nth] = performance.now() - from;
      },
      () => undefined,
    );
  };
  let again = 0;
  const began = performance.now();
  for (let volley = 0; volley < fresh.length; volley++) {
    const wait = began + volley * PAUSE - performance.now();
    if (wait > 0) await sleep(wait);
    cached.forEach((key, at) => ask(latencies.cached, volley * cached.length + at, key));
    ask(latencies.fresh, volley, fresh[volley]);
    for (const after of AGAIN_AFTER) {
      if (volley >= after) ask(latencies.again, again++, fresh[volley - after]);
    }
  }
  await sleep(patience);
  watching = false;
  return latencies;
}
