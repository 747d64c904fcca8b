/**
 * The limit of `set`: what strict recency with an exact ttl takes by itself. Columns and a ring in typed
 * arrays, one look at the clock for each entry; it loads nothing, tells nobody and revokes nothing.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ maxSize, ttl }) => {
  const life = ttl ?? Infinity;
  const slots = new Map();
  /** @type {string[]} */
  const keys = new Array(maxSize + 1);
  /** @type {unknown[]} */
  const values = new Array(maxSize + 1);
  const freshUntil = new Float64Array(maxSize + 1);
  /** Per slot the older neighbour, then the newer one; those of slot 0 are the newest and the oldest. */
  const ring = new Uint32Array(2 * (maxSize + 1));
  const leave = (/** @type {number} */ slot) => {
    const [older, newer] = [ring[slot * 2] ?? 0, ring[slot * 2 + 1] ?? 0];
    ring[older * 2 + 1] = newer;
    ring[newer * 2] = older;
  };
  const enter = (/** @type {number} */ slot) => {
    const newest = ring[0] ?? 0;
    ring[slot * 2] = newest;
    ring[slot * 2 + 1] = 0;
    ring[newest * 2 + 1] = slot;
    ring[0] = slot;
  };
  return {
    async get(key) {
      const slot = slots.get(key);
      if (slot === undefined || Date.now() >= (freshUntil[slot] ?? 0)) return undefined;
      leave(slot);
      enter(slot);
      return /** @type {import('../lib/contestant.mjs').Value} */ (values[slot]);
    },
    set(key, value) {
      let slot = slots.get(key);
      if (slot === undefined && slots.size < maxSize) slot = slots.size + 1;
      else {
        slot ??= ring[1] ?? 0;
        if (keys[slot] !== key) slots.delete(keys[slot]);
        leave(slot);
      }
      slots.set(key, slot);
      keys[slot] = key;
      values[slot] = value;
      freshUntil[slot] = Date.now() + life;
      enter(slot);
    },
    size: () => slots.size,
  };
};
