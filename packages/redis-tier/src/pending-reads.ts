/** A read of values that is under way. */
export interface PendingRead {
  /** Whether the value that was read may be older than a change that was heard of. */
  isOutdated(key: string): boolean;
  /** Reads the key anew: what was heard up to now does not matter any more. */
  again(key: string): void;
  end(): void;
}

/**
 * An invalidation may be heard before the older answer to a read arrives. Whoever reads registers
 * first, and looks afterwards whether a change was heard of meanwhile.
 */
export class PendingReads {
  readonly #reads = new Map<string, Set<Set<string>>>();

  begin(keys: readonly string[]): PendingRead {
    const changed = new Set<string>();
    for (const key of keys) {
      const reads = this.#reads.get(key);
      if (reads === undefined) this.#reads.set(key, new Set([changed]));
      else reads.add(changed);
    }
    return {
      isOutdated: (key) => changed.has(key),
      again: (key) => changed.delete(key),
      end: () => {
        for (const key of keys) {
          const reads = this.#reads.get(key);
          reads?.delete(changed);
          if (reads?.size === 0) this.#reads.delete(key);
        }
      },
    };
  }

  /** A change of the key was heard of. */
  changed(key: string): void {
    for (const changed of this.#reads.get(key) ?? []) changed.add(key);
  }
}
