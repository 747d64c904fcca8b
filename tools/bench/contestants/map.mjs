/**
 * The limit of a hit and of memory: a plain `Map`, which neither loads nor expires nor evicts.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = () => {
  const map = new Map();
  return {
    get: (key) => map.get(key),
    peek: (key) => map.get(key),
    set: (key, value) => map.set(key, value),
    size: () => map.size,
  };
};
