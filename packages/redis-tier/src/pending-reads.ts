/** A read of values that is under way. */
export interface PendingRead {
  /** Keys of values and stamps of which a change was heard of since it began, or since they were read again. */
  readonly changed: ReadonlySet<string>;
  /** Reads the key anew: what was heard up to now does not matter any more. */
  again(key: string): void;
  end(): void;
}

/**
 * An invalidation may be heard before the older answer to a read arrives. Whoever reads registers
 * first, and looks afterwards whether a change was heard of meanwhile.
 */
export class PendingReads {
  readonly #reads = new Set<Set<string>>();

  begin(): PendingRead {
    const changed = new Set<string>();
    this.#reads.add(changed);
    return {
      changed,
      again: (key) => changed.delete(key),
      end: () => this.#reads.delete(changed),
    };
  }

  /** A change of the key was heard of. */
  changed(key: string): void {
    for (const changed of this.#reads) changed.add(key);
  }
}
