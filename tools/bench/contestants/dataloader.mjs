import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';

/** @type {import('../lib/contestant.mjs').OpenLoader} */
export const openLoader = (loadMany, keep) =>
  new DataLoader(loadMany, keep ? undefined : { cache: false });

/**
 * One that is kept for all requests, on lru-cache, which gives it a bound and a ttl.
 *
 * @type {import('../lib/contestant.mjs').OpenSource}
 */
export const openSource = ({ load, loadMany, maxSize, ttl }) => {
  /** @type {LRUCache<string, Promise<any>>} */
  const cacheMap = new LRUCache({ max: maxSize, ttl });
  const one = (/** @type {readonly string[]} */ keys) =>
    Promise.all(keys.map((key) => load(key).catch((error) => error)));
  const loader = new DataLoader(loadMany ?? one, { cacheMap });
  return {
    get: (key) => loader.load(key),
    getMany: (keys) => loader.loadMany(keys),
    set: (key, value) => loader.clear(key).prime(key, value),
    delete: (key) => loader.clear(key),
    has: [],
  };
};
