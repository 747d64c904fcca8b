/**
 * The limit of a miss: what one writes by hand first, without a bound, a ttl or single-flight.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ loader }) => {
  const map = new Map();
  return {
    async get(key) {
      const known = map.get(key);
      if (known !== undefined) return known;
      const value = await loader(key);
      map.set(key, value);
      return value;
    },
    size: () => map.size,
  };
};
