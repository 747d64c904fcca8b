import {
  diesAt,
  encodeKey,
  freshnessAt,
  type Entry,
  type Freshness,
  type Persistence,
  type PersistenceHost,
} from '@acache/core';

/** An entry as it lies in memory. */
export interface EntryRow {
  readonly key: string;
  readonly value: string;
  /** Milliseconds since it was stored. */
  readonly age: number;
  /** Milliseconds for which it stays fresh; `null` for ever. */
  readonly ttlLeft: number | null;
  readonly freshness: Freshness;
  readonly tags: readonly string[];
}

/** The entries of a cache, the one that was used last first, and how many there are beyond them. */
export interface EntryPage {
  readonly rows: readonly EntryRow[];
  readonly total: number;
}

/**
 * Knows what a cache holds. A cache tells its persistence every change, and in which order entries were
 * used: so this is one, with the file behind it where there is one. Nothing is counted by looking.
 */
export class Ledger implements Persistence {
  /** Why what is behind it is not used, where it is not. */
  problem: unknown;

  readonly #entries = new Map<string, Entry>();
  #behind: Persistence | undefined;
  #host: PersistenceHost | undefined;

  /** @param behind - what keeps the entries for good, where something does */
  constructor(behind?: Persistence) {
    this.#behind = behind;
  }

  get progress(): number {
    return this.#behind?.progress ?? 0;
  }

  async open(host: PersistenceHost): Promise<void> {
    this.#host = host;
    try {
      await this.#behind?.open({
        clock: host.clock,
        restore: (key, entry) => {
          this.#entries.set(key, entry);
          host.restore(key, entry);
        },
        order: () => host.order(),
        fail: (error) => {
          host.fail(error);
        },
      });
    } catch (error) {
      // Another process has the file, say. The page says so, and goes on in memory.
      this.#behind = undefined;
      this.problem = error;
      host.fail(error);
    }
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#behind?.set(key, entry);
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#behind?.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#behind?.clear();
  }

  async flush(): Promise<void> {
    await this.#behind?.flush();
  }

  async close(): Promise<void> {
    await this.#behind?.close();
  }

  /** @param most - how many rows at most */
  page(most: number): EntryPage {
    if (this.#host === undefined) return { rows: [], total: 0 };
    const now = this.#host.clock.now();
    const rows: EntryRow[] = [];
    let total = 0;
    for (const key of [...this.#host.order()].reverse()) {
      const entry = typeof key === 'string' ? this.#entries.get(key) : undefined;
      if (entry === undefined || diesAt(entry) <= now) continue;
      total++;
      if (rows.length < most) rows.push(rowOf(key as string, entry, now));
    }
    return { rows, total };
  }
}

function rowOf(wireKey: string, entry: Entry, now: number): EntryRow {
  const { createdAt, freshUntil, staleWhileRevalidate, staleIfError, tags, value } = entry;
  return {
    key: textOf(wireKey),
    value: String((value as { text?: unknown } | undefined)?.text ?? value),
    age: Math.max(0, now - createdAt),
    ttlLeft: freshUntil === Infinity ? null : Math.max(0, freshUntil - now),
    freshness: freshnessAt(now, freshUntil, staleWhileRevalidate, staleIfError),
    // Those of acache itself are no concern of the reader's.
    tags: tags.filter((tag) => !tag.startsWith('acache:')),
  };
}

/** The key of which the cache made this text; all keys here are texts themselves. */
function textOf(wireKey: string): string {
  const text = wireKey.replace(/^s\d+:/, '');
  return encodeKey(text) === wireKey ? text : wireKey;
}
