/**
 * Fills a cache as its user would, by loading; a `Map`, which cannot load, is set.
 *
 * @param {import('./contestant.mjs').Contestant} cache
 * @param {string[]} keys
 * @param {import('./data.mjs').Value[]} values
 */
export async function fill(cache, keys, values) {
  for (let i = 0; i < keys.length; i++) {
    if ((await cache.get(keys[i])) === undefined) await cache.set?.(keys[i], values[i]);
  }
}
