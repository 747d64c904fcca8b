import { tagsOf } from '../source.js';
import { cacheOf } from './cache-of.js';
import type { Answer, Driver, DriverParts } from './driver.js';

/** Drives a cache by itself: `cache.get(id, loader)`. */
export function createCacheDriver(parts: DriverParts): Driver {
  const { source } = parts;
  const cache = cacheOf(parts);

  const read = async (id: string, connection: number, refresh: boolean): Promise<Answer> => {
    const { value, status } = await cache.getWithMeta(id, {
      loader: (key) => source.find(key, connection),
      tags: tagsOf(id),
      refresh,
    });
    return { item: value, status };
  };

  return {
    cache,
    keyOf: (id) => id,
    get: (id, connection) => read(id, connection, false),
    refresh: (id, connection) => read(id, connection, true),
    loaderOf: (id) => (_, context) => {
      context.tag(...tagsOf(id));
      return source.find(id);
    },
  };
}
