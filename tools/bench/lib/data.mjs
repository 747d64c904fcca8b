/**
 * What a service caches: small objects under string keys. Objects rather than numbers, because
 * resolving a promise with an object looks for its `then`, which is part of what a hit costs.
 *
 * @typedef {{ id: number, name: string }} Value
 */

/** @param {number} count @param {string} [prefix] */
export function makeKeys(count, prefix = 'user') {
  const keys = Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
  new Set(keys); // flattens and hashes each string once, before anything is timed
  return keys;
}

/** @param {number} count @returns {Value[]} */
export function makeValues(count) {
  return Array.from({ length: count }, (_, id) => ({ id, name: 'value' }));
}

/**
 * What a service keeps in a file: objects of about 200 bytes, whichever way they are serialized.
 *
 * @param {number} count
 */
export function makeUsers(count) {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `User ${id}`,
    email: `user.${id}@example.com`,
    team: `team ${id % 97}`,
    roles: ['reader', 'editor'],
    active: id % 3 > 0,
    score: id * 0.37,
    joined: 1_600_000_000_000 + id * 1000,
    settings: { language: 'en', theme: 'dark' },
  }));
}

/**
 * A loader that counts its calls: a benchmark of hits that loads measures something else.
 *
 * @param {string[]} keys
 * @param {Value[]} values
 */
export function countingLoader(keys, values) {
  const source = new Map(keys.map((key, i) => [key, values[i]]));
  const counter = {
    calls: 0,
    loader: async (/** @type {string} */ key) => {
      counter.calls++;
      return /** @type {Value} */ (source.get(key));
    },
  };
  return counter;
}

/**
 * Picks from the list at random, each as likely as the other, the same picks in every run. The
 * result is a power of two long, so that a loop goes around it with a mask.
 *
 * @template T
 * @param {T[]} list
 * @returns {T[]}
 */
export function randomPicks(list) {
  return Array.from({ length: powerOfTwo(list.length * 4) }, picker(list));
}

/**
 * The same without the list of picks.
 *
 * @template T
 * @param {T[]} list
 */
export function picker(list) {
  const random = randomNumbers(12345);
  return () => list[Math.floor(random() * list.length)];
}

/**
 * The next power of two, 16384 at least.
 *
 * @param {number} atLeast
 */
export function powerOfTwo(atLeast) {
  return Math.max(16_384, 2 ** Math.ceil(Math.log2(atLeast)));
}

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
