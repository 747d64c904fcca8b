import { join } from 'node:path';
import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { filePersistence } from '../src/file-persistence.js';
import type { FilePersistenceOptions } from '../src/options.js';
import { inFolder } from './host.js';

/** Keys and values of any kind. */
export type AnyCache = AsyncCache<unknown, unknown>;

/** A cache on a file as a user makes it; it writes at `flush` and `close` only unless told otherwise. */
export function openCache(
  file: string,
  ofFile: FilePersistenceOptions = {},
  options: AsyncCacheOptions<unknown, unknown> = {},
): AnyCache {
  const quiet = { flushInterval: '1h', fsyncInterval: false } as const;
  const persistence = filePersistence(file, { ...quiet, ...ofFile });
  return new AsyncCache<unknown, unknown>({ maxSize: null, ...options, persistence });
}

/** Runs with a folder of its own, and the name of a file in it. */
export function inOwnFolder<T>(task: (folder: string, file: string) => Promise<T>): Promise<T> {
  return inFolder((folder) => task(folder, join(folder, 'cache')));
}

/** What a file gives back, by key, to a cache that only looks. */
export async function contentOf(
  file: string,
  keys: Iterable<unknown>,
  options: FilePersistenceOptions = {},
): Promise<Map<unknown, unknown>> {
  const errors: unknown[] = [];
  const cache = openCache(file, { ...options, onError: (error) => errors.push(error) });
  await cache.ready;
  const content = heldBy(cache, keys);
  await cache.close();
  expect(errors).toEqual([]);
  return content;
}

/** What a cache holds of some keys. */
export function heldBy(cache: AnyCache, keys: Iterable<unknown>): Map<unknown, unknown> {
  const held = new Map<unknown, unknown>();
  for (const key of keys) if (cache.has(key)) held.set(key, cache.peek(key));
  return held;
}

/** Gives the same whole numbers below what it is asked for, for the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
  };
}
