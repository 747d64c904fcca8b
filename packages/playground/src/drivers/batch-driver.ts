import { tagsOf } from '../source.js';
import { cacheOf } from './cache-of.js';
import type { Answer, Driver, DriverParts } from './driver.js';

/** Drives a cache with a batch loader: `cache.get(id, { batchLoader })`. */
export function createBatchDriver(parts: DriverParts): Driver {
  const { source } = parts;
  const cache = cacheOf(parts);
  // One function for all calls: batches are by function.
  const batchLoader = (ids: readonly string[]) => source.findMany(ids);

  const read = async (id: string, refresh: boolean): Promise<Answer> => {
    const { value, status } = await cache.getWithMeta(id, {
      batchLoader,
      tags: tagsOf(id),
      refresh,
    });
    return { item: value, status };
  };

  return {
    cache,
    keyOf: (id) => id,
    get: (id) => read(id, false),
    refresh: (id) => read(id, true),
    loaderOf: (id) => (_, context) => {
      context.tag(...tagsOf(id));
      return source.find(id);
    },
  };
}
