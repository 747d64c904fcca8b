/**
 * The limit of growth: a `Map` that loads on a miss and, when it is full, forgets what came first. It
 * finds that in a ring of keys: the first key of a `Map` is ever further to seek.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, loader }) => {
  const map = new Map();
  /** @type {string[]} */
  const ring = [];
  let next = 0;
  const set = (
    /** @type {string} */ key,
    /** @type {import('../lib/contestant.mjs').Value} */ value,
  ) => {
    if (map.size === maxSize) map.delete(ring[next]);
    map.set(key, value);
    ring[next] = key;
    next = next + 1 === maxSize ? 0 : next + 1;
  };
  return {
    async get(key) {
      const known = map.get(key);
      if (known !== undefined) return known;
      const value = await loader(key);
      set(key, value);
      return value;
    },
    set,
    size: () => map.size,
  };
};
