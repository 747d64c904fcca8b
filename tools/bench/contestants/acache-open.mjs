const { encodeKey, filePersistence, systemClock } = await import(
  process.env.ACACHE_BENCH_SUBJECT ?? ''
);

/**
 * The file alone: `open` of the persistence, with a `Map` in the place of the cache.
 *
 * @type {import('../lib/contestant.mjs').Restoring}
 */
export const restoring = (folder) => async () => {
  /** @type {Map<string, { value: unknown }>} */
  const map = new Map();
  await filePersistence(`${folder}/cache.acache`).open({
    clock: systemClock(),
    restore: (/** @type {string} */ key, /** @type {{ value: unknown }} */ entry) =>
      map.set(key, entry),
    order: () => map.keys(),
    fail(/** @type {unknown} */ error) {
      throw error;
    },
  });
  return { size: map.size, get: (key) => map.get(encodeKey(key))?.value, lazy: true };
};
