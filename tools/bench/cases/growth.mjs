import { totalmem } from 'node:os';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { sampleOf, short, TTL } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys, makeValues, picker } from '../lib/data.mjs';
import { watchGaps } from '../lib/gaps.mjs';
import { watchPauses } from '../lib/gc-pauses.mjs';
import { settledBytes } from '../lib/heap.mjs';
import { collectGarbage } from '../lib/interleave.mjs';
import { getAwaited, setAtOnce } from '../lib/loops.mjs';

/** Ten million entries take 4 GB, and their garbage collection as much again. */
const ROOMY_MACHINE = 12 * 2 ** 30;
/** Operations of a round, a power of two: a loop goes around them with a mask. */
const ROUND = 2 ** 14;
const ROUNDS = 12;
const WARM_UPS = 3;
/** Entries whose bytes are told from what V8 needs for itself; small caches are weighed many at once. */
const WEIGHED = 100_000;
/** Entries set in one turn of the event loop. */
const SLICE = 10_000;
/** Milliseconds a million entries may take to be set before the first expires. */
const FILLING = 2500;
const LEAST_TTL = 500;
/** Milliseconds after which a million expired entries must be gone. */
const SWEEPING = 1500;

/** Who expires by itself, in the place of who does not. @type {Record<string, string>} */
const EXPIRING = { 'bounded-map': 'sliced-map', 'lru-cache': 'lru-autopurge' };

/** @type {readonly import('../lib/case.mjs').Figure[]} */
const figures = [
  { name: 'hit', unit: 'ns', detail: 'spread' },
  { name: 'set', unit: 'ns', detail: 'spread' },
  { name: 'miss', unit: 'ns', detail: 'spread' },
  { name: 'bytes', unit: 'B' },
  { name: 'gc pause', unit: 'ms' },
  { name: 'expiry gap', unit: 'ms' },
];

/** @typedef {import('../lib/contestant.mjs').Contestant} Contestant */
/** @typedef {import('../lib/data.mjs').Value} Value */

/** @type {import('../lib/case.mjs').Case} */
export const growth = {
  name: 'growth',
  about:
    'a cache that is full: an awaited hit, a set that evicts, an awaited miss that evicts; bytes per entry beyond key and value; the longest pause of garbage collection while it is filled and used; the longest gap between ticks of a 1 ms timer while all of it expires, of lru-cache with a timer for each entry; first row a Map with a ring of keys, for expiry one that is emptied in slices of 1 ms; each in a process of its own',
  baseline: 'bounded-map',
  unit: 'ns',
  figures,
  alone: true,
  grows: true,
  nodeFlags: ['--max-old-space-size=16384'],
  patience: 600_000,
  runs: () => 1,
  variants: (long) =>
    [1e3, 1e4, 1e5, ...(long ? millions() : [])].map((entries) => ({
      label: short(entries),
      entries,
      peers: ['acache-tinylfu', 'lru-cache'],
    })),
  async measure([name], { entries = 0 }) {
    const keys = makeKeys(entries);
    const values = makeValues(entries);
    const longestPause = watchPauses();
    const used = await usage(name, keys, values);
    const pause = await longestPause();
    collectGarbage();
    const expiring = await gapOfExpiry(EXPIRING[name] ?? name, keys, values);
    const { hits, sets, misses, bytes } = used;
    return Object.fromEntries(
      [hits, sets, misses, [bytes], [pause], expiring].map((samples, at) => [
        sampleOf(name, figures[at]),
        samples,
      ]),
    );
  },
};

const millions = () => (totalmem() > ROOMY_MACHINE ? [1e6, 1e7] : [1e6]);

/**
 * Fills a cache and works it. It is garbage afterwards.
 *
 * @param {string} name
 * @param {string[]} keys
 * @param {Value[]} values
 */
async function usage(name, keys, values) {
  const { open } = await contestant(name);
  const value = { id: 1, name: 'value' };
  const options = { ttl: TTL, loader: () => Promise.resolve(value) };
  await warmUp(open({ ...options, maxSize: ROUND }));

  const before = await settledBytes();
  const caches = Array.from({ length: Math.ceil(WEIGHED / keys.length) }, () =>
    open({ ...options, maxSize: keys.length }),
  );
  for (const cache of caches) await fillInSlices(cache, keys, values);
  const bytes = ((await settledBytes()) - before) / (keys.length * caches.length);
  const [cache] = caches;
  if (cache.size?.() !== keys.length) throw new Error(`${name} holds ${cache.size?.()} entries`);

  const pick = picker(keys);
  const { get, set } = cache;
  if (set === undefined) throw new Error(`${name} has no set`);
  let known = 0;
  const newKeys = () => makeKeys(ROUND, `new ${known++}`);
  const present = () => Array.from({ length: ROUND }, pick);
  const roundValues = Array.from({ length: ROUND }, () => value);
  return {
    bytes,
    hits: await rounds(present, (round) => getAwaited(get, round, 0, ROUND)),
    sets: await rounds(newKeys, (round) => setAtOnce(set, round, roundValues, 0, ROUND)),
    misses: await rounds(newKeys, (round) => getAwaited(get, round, 0, ROUND)),
  };
}

/** Code and its feedback are no part of an entry. @param {Contestant} cache */
async function warmUp({ get, set }) {
  const keys = makeKeys(2 * ROUND);
  const values = makeValues(2 * ROUND);
  for (let round = 0; round < WARM_UPS; round++) {
    if (set !== undefined) setAtOnce(set, keys, values, 0, keys.length);
    await getAwaited(get, keys, 0, keys.length);
  }
}

/**
 * @param {Contestant} cache
 * @param {string[]} keys
 * @param {Value[]} values
 */
async function fillInSlices({ set }, keys, values) {
  for (let i = 0; i < keys.length; i++) {
    set?.(keys[i], values[i]);
    if (i % SLICE === 0) await turn(); // lest a timer of the cache starts with a clock of long ago
  }
}

/**
 * Nanoseconds per operation of every round.
 *
 * @param {() => string[]} prepare not timed
 * @param {(keys: string[]) => unknown} run
 */
async function rounds(prepare, run) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const keys = prepare();
    await turn();
    const start = process.hrtime.bigint();
    const result = run(keys);
    if (typeof result !== 'number') await result;
    times.push(Number(process.hrtime.bigint() - start) / ROUND);
  }
  return times;
}

/**
 * Nothing, where the first entries expire before the last is set.
 *
 * @param {string} name
 * @param {string[]} keys
 * @param {Value[]} values
 */
async function gapOfExpiry(name, keys, values) {
  const { open } = await contestant(name);
  const ttl = Math.round(LEAST_TTL + (FILLING * keys.length) / 1e6);
  const loader = () => Promise.reject(new Error('nothing is loaded here'));
  const cache = open({ maxSize: keys.length, ttl, loader });
  const opened = performance.now();
  await fillInSlices(cache, keys, values);
  const filled = performance.now();
  if (filled - opened > ttl) return [];
  collectGarbage();
  const sweeping = LEAST_TTL + (SWEEPING * keys.length) / 1e6;
  // Nobody looks meanwhile: to ask for the size of some is to sweep them.
  const { longest } = await watchGaps(() => sleep(filled + ttl + sweeping - performance.now()));
  if (cache.size?.() !== 0) throw new Error(`${name} still holds ${cache.size?.()} entries`);
  return [longest];
}
