import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { filePersistence } from '../src/file-persistence.js';
import type { FilePersistenceOptions } from '../src/options.js';
import { inFolder, openSession, until, valuesOf } from './host.js';

/** A cache, and what went wrong with its file. */
export interface Kept<V = unknown> {
  readonly cache: AsyncCache<string, V>;
  readonly errors: unknown[];
}

/** Makes a cache that is kept in a file, as users do. */
export function keptIn<V = unknown>(
  path: string,
  options: AsyncCacheOptions<string, V> = {},
  ofFile: FilePersistenceOptions = {},
): Kept<V> {
  const persistence = filePersistence(path, ofFile);
  const cache = new AsyncCache<string, V>({ maxSize: null, persistence, ...options });
  const errors: unknown[] = [];
  cache.on('error', ({ error }) => errors.push(error));
  return { cache, errors };
}

/**
 * What a process would find that started now: what is in the file, by key without the mark of its kind.
 * The file may be in use, or not there yet.
 */
export async function foundIn(path: string): Promise<Record<string, unknown>> {
  return inFolder(async (folder) => {
    const copy = join(folder, 'copy');
    if ((await stat(path).catch(() => undefined)) === undefined) return {};
    await copyFile(path, copy);
    const session = await openSession(copy);
    const found = Object.entries(valuesOf(session));
    await session.persistence.close();
    return Object.fromEntries(found.map(([key, value]) => [key.replace(/^s\d+:/, ''), value]));
  });
}

/** Waits until the file holds this and nothing else, without anybody asking for it. */
export async function untilFound(path: string, wanted: Record<string, unknown>): Promise<void> {
  try {
    await until(async () => isDeepStrictEqual(await foundIn(path), wanted));
  } catch {
    expect(await foundIn(path)).toEqual(wanted);
  }
}
