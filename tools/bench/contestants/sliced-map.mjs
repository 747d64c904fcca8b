const SLICE_MILLISECONDS = 1;

/**
 * The limit of expiry: a `Map` and a list of its entries in order of expiry, emptied in slices of a
 * millisecond. Without the list each slice would seek the first entry that is left among those that are
 * not: V8 keeps their places until it shrinks the table.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ ttl, loader }) => {
  /** @typedef {{ key: string, value: unknown, expires: number }} Entry */
  /** @type {Map<string, Entry>} */
  const map = new Map();
  /** @type {Entry[]} */
  const order = [];
  let first = 0;
  const lifetime = /** @type {number} */ (ttl);
  const sweep = () => {
    const now = performance.now();
    for (; first < order.length; first++) {
      const { expires, key } = order[first];
      if (expires > now || performance.now() - now > SLICE_MILLISECONDS) break;
      if (map.get(key) === order[first]) map.delete(key);
    }
    const next = order[first]?.expires ?? now + lifetime;
    if (map.size > 0) setTimeout(sweep, Math.max(1, next - now)).unref();
  };
  setTimeout(sweep, lifetime).unref();
  return {
    get: loader,
    set: (key, value) => {
      const entry = { key, value, expires: performance.now() + lifetime };
      map.set(key, entry);
      order.push(entry);
    },
    size: () => map.size,
  };
};
