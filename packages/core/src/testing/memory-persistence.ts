import { diesAt, type Entry } from '../entry.js';
import type { Archive, Persistence, PersistenceHost } from '../persistence.js';

/** What a file would hold: entries by key, in the order in which they were used last. */
export type MemoryFile = Map<string, Entry>;

/** How a persistence for tests restores. */
export interface MemoryPersistenceOptions {
  /**
   * Leaves what it restores where it is, for the cache to read from there.
   * @defaultValue `false`: it hands each entry over
   */
  archive?: boolean;
}

/**
 * Makes a persistence for tests. What was flushed to `file` is there for the next one that is made
 * on it; what was not is lost, as in a crash.
 */
export function memoryPersistence(
  file: MemoryFile = new Map(),
  { archive: isArchive = false }: MemoryPersistenceOptions = {},
): Persistence {
  let changes: (() => void)[] = [];
  let host: PersistenceHost | undefined;
  let archive = archiveOf([]);

  const write = (): void => {
    for (const change of changes) change();
    changes = [];
    for (const told of host?.order() ?? []) {
      const key = typeof told === 'number' ? archive.keyAt(told) : told;
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
      const living = [...file].filter(([, entry]) => diesAt(entry) > now);
      if (isArchive && given.restoreFrom !== undefined) {
        archive = archiveOf(living);
        for (const position of living.keys()) given.restoreFrom(archive, position);
      } else {
        for (const [key, entry] of living) given.restore(key, entry);
      }
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

function archiveOf(entries: readonly (readonly [string, Entry])[]): Archive {
  const positions = new Map(entries.map(([key], position) => [key, position]));
  const at = (position: number): readonly [string, Entry] => {
    const found = entries[position];
    if (found === undefined) throw new RangeError(`there is no position ${position}`);
    return found;
  };
  return {
    length: entries.length,
    find: (key) => positions.get(key) ?? -1,
    keyAt: (position) => at(position)[0],
    entryAt: (position) => at(position)[1],
    diesAt: (position) => diesAt(at(position)[1]),
    isTagged: (position) => at(position)[1].tags.length > 0,
  };
}
