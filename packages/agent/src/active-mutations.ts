/** One load of a read. */
export interface RunningLoad {
  /** True once a mutation that concerns it ran at the same time. */
  readonly straddled: boolean;
  /** To be called when it is over. */
  readonly done: () => void;
}

/**
 * The mutations and loads that run in this process on one cache: which of them overlap.
 *
 * The invalidations before and after a mutation already keep the cache from holding what a load read
 * before them; while the mutation runs, this does.
 */
export class ActiveMutations {
  /** How many mutations run that concern a tag. */
  readonly #active = new Map<string, number>();
  readonly #loads = new Set<Load>();

  /** @returns what ends it */
  begin(tags: readonly string[]): () => void {
    for (const tag of tags) this.#active.set(tag, (this.#active.get(tag) ?? 0) + 1);
    this.touch(tags);
    return () => {
      for (const tag of tags) {
        const count = (this.#active.get(tag) ?? 0) - 1;
        if (count > 0) this.#active.set(tag, count);
        else this.#active.delete(tag);
      }
    };
  }

  /** Something with one of these tags changes at this moment. */
  touch(tags: readonly string[]): void {
    if (this.#loads.size === 0) return;
    const touched = new Set(tags);
    for (const load of this.#loads) load.straddled ||= load.tags.some((tag) => touched.has(tag));
  }

  /** A load of something with these tags begins. */
  load(tags: readonly string[]): RunningLoad {
    const straddled = this.#active.size > 0 && tags.some((tag) => this.#active.has(tag));
    const load: Load = { tags, straddled, done: () => this.#loads.delete(load) };
    this.#loads.add(load);
    return load;
  }

  /** Nothing runs, and nothing is held. */
  get idle(): boolean {
    return this.#active.size === 0 && this.#loads.size === 0;
  }
}

interface Load {
  readonly tags: readonly string[];
  straddled: boolean;
  readonly done: () => void;
}
