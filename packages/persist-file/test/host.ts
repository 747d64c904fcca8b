import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Entry, PersistenceHost } from '@acache/core';
import { systemClock } from '@acache/core';
import { FilePersistence } from '../src/file-persistence.js';
import { resolveOptions, type FilePersistenceOptions, type Settings } from '../src/options.js';

/** What a cache would know of its persistence. */
export interface Session {
  readonly persistence: FilePersistence;
  /** What was restored, in its order. */
  readonly restored: Map<string, Entry>;
  readonly errors: unknown[];
  /** What the cache says its order is; at first what was restored. */
  order: () => Iterable<string>;
}

/** Opens a file as a cache does. */
export async function openSession(
  path: string,
  options: FilePersistenceOptions = {},
  { clock = systemClock(), ...settings }: Partial<Settings> & { clock?: Clock } = {},
): Promise<Session> {
  const persistence = new FilePersistence(path, { ...resolveOptions(options), ...settings });
  const restored = new Map<string, Entry>();
  const errors: unknown[] = [];
  const session: Session = { persistence, restored, errors, order: () => restored.keys() };
  const host: PersistenceHost = {
    clock,
    restore: (key, entry) => restored.set(key, entry),
    order: () => session.order(),
    fail: (error) => errors.push(error),
  };
  await persistence.open(host);
  return session;
}

/** An entry that never expires. */
export function entryOf(value: unknown, more: Partial<Entry> = {}): Entry {
  const windows = { staleWhileRevalidate: 0, staleIfError: 0 };
  return {
    value,
    createdAt: 1_700_000_000_000,
    freshUntil: Infinity,
    ...windows,
    tags: [],
    ...more,
  };
}

/** The values that a file gives back, by key. */
export function valuesOf({ restored }: Session): Record<string, unknown> {
  return Object.fromEntries([...restored].map(([key, entry]) => [key, entry.value]));
}

/** Runs with a folder of its own. */
export async function inFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'persist-file-'));
  try {
    return await task(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until something is so; real time, for what the system does. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not come to pass');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
