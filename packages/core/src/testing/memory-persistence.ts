import { diesAt, type Entry } from '../entry.js';
import type { Persistence, PersistenceHost } from '../persistence.js';

/** What a file would hold: entries by key, in the order in which they were used last. */
export type MemoryFile = Map<string, Entry>;

/**
 * Makes a persistence for tests. What was flushed to `file` is there for the next one that is made
 * on it; what was not is lost, as in a crash.
 */
export function memoryPersistence(file: MemoryFile = new Map()): Persistence {
  let changes: (() => void)[] = [];
  let host: PersistenceHost | undefined;

  const write = (): void => {
    for (const change of changes) change();
    changes = [];
    for (const key of host?.order() ?? []) {
      const entry = file.get(key);
      if (entry === undefined) continue;
      file.delete(key);
      file.set(key, entry);
    }
  };

  return {
    async open(given) {
      host = given;
      await Promise.resolve();
      const now = given.clock.now();
      for (const [key, entry] of [...file]) if (diesAt(entry) > now) given.restore(key, entry);
    },
    set(key, entry) {
      const { value, createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags } = entry;
      const times = { createdAt, freshUntil, staleWhileRevalidate, staleIfError };
      const weight = entry.weight === undefined ? {} : { weight: entry.weight };
      changes.push(() => file.set(key, { value, ...times, tags, ...weight }));
    },
    delete(key) {
      changes.push(() => file.delete(key));
    },
    clear() {
      changes.push(() => {
        file.clear();
      });
    },
    async flush() {
      await Promise.resolve();
      write();
    },
    async close() {
      await Promise.resolve();
      write();
    },
  };
}
