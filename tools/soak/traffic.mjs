import { setTimeout as sleep } from 'node:timers/promises';

/** Callers who do one thing after another. */
const CALLERS = 24;
/** Things that a caller does before it rests, and for how many milliseconds. */
const SPELL = 40;
const REST = 4;
const KEYS = 20_000;
const TAGS = 500;
/** More of them say no more. */
const MOST_FAULTS = 100;

/** What a loader of this traffic fails with. */
export class LoadFailed extends Error {}

/**
 * @typedef {{ key: string, version: number, text: string }} Value
 * @typedef {import('@acache/core').AsyncCache<string, Value>} Cache
 *
 * @typedef {object} Counts
 * @property {number} operations
 * @property {number} loads
 * @property {number} failures that are part of the traffic: failed loads, aborted waits, timeouts
 * @property {string[]} wrong what must not happen
 */

/**
 * Mixed traffic on caches, until it is told to pause: reads that hit, load, fail, time out and are
 * aborted, bulks, warm-ups, sets with short ttls, deletions and invalidations by tag.
 *
 * @param {readonly Cache[]} caches
 * @param {AbortSignal} shared a signal that lives as long as the process, as a server's does
 * @param {number} seed
 */
export function mixedTraffic(caches, shared, seed) {
  const random = randomNumbers(seed);
  /** @type {Counts} */
  const counts = { operations: 0, loads: 0, failures: 0, wrong: [] };
  let going = false;
  let version = 0;
  /** @type {Promise<void>[]} */
  let callers = [];

  const below = (/** @type {number} */ most) => Math.floor(random() * most);
  // Some are asked for much more often than others.
  const someKey = () => `user:${Math.floor(KEYS * random() ** 3)}`;
  const tagOf = (/** @type {string} */ key) => `team:${Number(key.slice(5)) % TAGS}`;
  const valueOf = (/** @type {string} */ key) => ({
    key,
    version: ++version,
    text: 'x'.repeat(below(200)),
  });

  /** @type {import('@acache/core').Loader<string, Value>} */
  const load = async (key, context) => {
    counts.loads++;
    const chance = random();
    context.tag(tagOf(key));
    if (chance < 0.05) await sleep(below(60), undefined, { signal: context.signal });
    else if (chance < 0.5) await null;
    if (chance > 0.97) throw new LoadFailed(key);
    if (chance > 0.9) context.ttl(1 + below(500));
    if (chance > 0.895 && chance < 0.9) context.skipStore();
    return valueOf(key);
  };
  const loadMany = async (/** @type {readonly string[]} */ keys) => {
    counts.loads += keys.length;
    await null;
    return keys.map((key) => (random() < 0.01 ? new LoadFailed(key) : valueOf(key)));
  };
  const fault = (/** @type {string} */ text) => {
    if (counts.wrong.length < MOST_FAULTS) counts.wrong.push(text);
  };
  /** @param {string} key @param {Value | undefined} value */
  const check = (key, value) => {
    if (value !== undefined && value.key !== key) fault(`${key} got ${value.key}`);
  };

  /** In shares of the traffic, which add up to 100. @type {[share: number, act: (cache: Cache, key: string) => unknown][]} */
  const acts = [
    [62, async (cache, key) => check(key, await cache.get(key, load))],
    [8, (cache, key) => check(key, cache.peek(key))],
    [6, async (cache, key) => check(key, await cache.get(key, { loader: load, signal: shared }))],
    [4, (cache, key) => cache.set(key, valueOf(key), { tags: [tagOf(key)] })],
    [4, (cache, key) => cache.set(key, valueOf(key), { ttl: 1 + below(300), staleIfError: 50 })],
    [4, abortedGet],
    [3, (cache, key) => cache.delete(key)],
    [2, (cache, key) => cache.expire(key)],
    [2, (cache, key) => cache.invalidateTags(tagOf(key), 'nobody')],
    [2, async (cache, key) => check(key, await cache.get(key, { loader: load, refresh: true }))],
    [1.5, (cache, key) => cache.get(key, { loader: load, timeout: 20, softTimeout: 5 })],
    [
      0.9,
      async (cache) => checkAll(await cache.getMany(Array.from({ length: 50 }, someKey), loadMany)),
    ],
    [0.5, (cache, key) => cache.on(random() < 0.5 ? 'hit' : 'error', () => key)()],
    [0.05, (cache) => cache.warmup(Array.from({ length: 100 }, () => [someKey(), load]))],
    [0.05, shortLived],
  ];
  /** @param {Cache} cache @param {string} key */
  async function abortedGet(cache, key) {
    const leaving = new AbortController();
    const got = cache.get(key, { loader: load, signal: leaving.signal });
    if (random() < 0.5) await null;
    leaving.abort(new LoadFailed('left'));
    check(key, await got);
  }
  /** @param {ReadonlyMap<string, Value>} values */
  function checkAll(values) {
    for (const [key, value] of values) check(key, value);
  }
  /** @param {Cache} cache @param {string} key */
  async function shortLived({ constructor }, key) {
    const Cache = /** @type {typeof import('@acache/core').AsyncCache} */ (constructor);
    const own = new Cache({ maxSize: 10, ttl: '1s', staleWhileRevalidate: '1s' });
    await own.get(key, load).finally(() => own.close());
  }

  const total = acts.reduce((sum, [share]) => sum + share, 0);
  const someAct = () => {
    let left = random() * total;
    return acts.find(([share]) => (left -= share) < 0)?.[1] ?? acts[0][1];
  };

  async function caller() {
    while (going) {
      for (let i = 0; i < SPELL; i++) {
        counts.operations++;
        try {
          await someAct()(caches[below(caches.length)], someKey());
        } catch (error) {
          if (isExpected(error)) counts.failures++;
          else fault(String(error));
        }
      }
      await sleep(REST);
    }
  }

  return {
    counts,
    resume() {
      going = true;
      callers = Array.from({ length: CALLERS }, caller);
    },
    /** Resolves when every caller has come to rest. */
    async pause() {
      going = false;
      await Promise.all(callers);
    },
  };
}

/**
 * What this traffic itself leads to.
 *
 * @param {unknown} error
 */
const isExpected = (error) =>
  error instanceof LoadFailed ||
  /** @type {{ code?: unknown }} */ (error).code === 'ERR_ACACHE_LOAD_TIMEOUT';

/**
 * mulberry32
 *
 * @param {number} seed
 */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
