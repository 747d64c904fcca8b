import { Loader } from 'layered-loader/core';

const FOREVER = 10 * 365 * 86_400_000;

/** @typedef {import('../lib/data.mjs').Value} Value */

/** @type {import('../lib/contestant.mjs').Open} */
export const open = ({ maxSize, ttl, loader }) => {
  const cache = new Loader({
    inMemoryCache: { maxItems: maxSize, ttlInMsecs: ttl ?? FOREVER },
    dataSourceGetOneFn: loader,
  });
  return {
    get: (key) => /** @type {Promise<Value>} */ (cache.get(key)),
    peek: (key) => cache.getInMemoryOnly(key) ?? undefined,
  };
};
