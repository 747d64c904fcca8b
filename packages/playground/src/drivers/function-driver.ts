import { AsyncLRU, AsyncTTL, makeKey } from '@acache/all';
import { tagsOf, type Item } from '../source.js';
import { cacheOf } from './cache-of.js';
import type { Driver, DriverParts } from './driver.js';

/**
 * Drives a decorated function, `findItem(connection, id)`. It keeps its results in a cache that is given,
 * so that the page can show what is in there; by itself it would have one of its own.
 */
export function createFunctionDriver(kind: 'AsyncTTL' | 'AsyncLRU', parts: DriverParts): Driver {
  const { settings, source } = parts;
  const { skipArgs, staleIfError, staleWhileRevalidate, ttl } = settings;
  const cache = cacheOf(parts);

  async function findItem(connection: number, id: string): Promise<Item> {
    return source.find(id, connection);
  }
  const options = {
    cache,
    name: 'findItem',
    skipArgs,
    ttl,
    staleWhileRevalidate,
    staleIfError,
    tags: (_: number, id: string) => tagsOf(id),
  };
  const cached = kind === 'AsyncTTL' ? AsyncTTL(options)(findItem) : AsyncLRU(options)(findItem);

  return {
    cache,
    keyOf: (id, connection) => makeKey('findItem', [connection, id], skipArgs),
    get: async (id, connection) => ({ item: await cached(connection, id) }),
    refresh: async (id, connection) => ({ item: await cached.refresh(connection, id) }),
    loaderOf: (id) => (_, context) => {
      context.tag(...tagsOf(id));
      return source.find(id);
    },
  };
}
