const SLICE_MILLISECONDS = 1;

/**
 * The limit of expiry: a `Map` in order of expiry, emptied in slices of a millisecond.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ ttl, loader }) => {
  /** @type {Map<string, { value: unknown, expires: number }>} */
  const map = new Map();
  const lifetime = /** @type {number} */ (ttl);
  const sweep = () => {
    const now = performance.now();
    let next = now + lifetime;
    for (const [key, { expires }] of map) {
      next = expires;
      if (expires > now || performance.now() - now > SLICE_MILLISECONDS) break;
      map.delete(key);
    }
    if (map.size > 0) setTimeout(sweep, Math.max(1, next - now)).unref();
  };
  setTimeout(sweep, lifetime).unref();
  return {
    get: loader,
    set: (key, value) => map.set(key, { value, expires: performance.now() + lifetime }),
    size: () => map.size,
  };
};
