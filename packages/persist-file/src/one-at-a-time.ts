import {
  InvalidOptionError,
  type Entry,
  type Persistence,
  type PersistenceHost,
} from '@acache/core';

/** A persistence that serves one cache after another, and never two at once. */
export class OneAtATime implements Persistence {
  readonly #name: string;
  readonly #make: () => Persistence;
  readonly #tell: (error: Error) => void;
  #current: Persistence | undefined;
  #isInUse = false;

  /**
   * @param name - for people
   * @param make - makes one for each cache
   * @param tell - told when a second cache is refused
   */
  constructor(name: string, make: () => Persistence, tell: (error: Error) => void) {
    this.#name = name;
    this.#make = make;
    this.#tell = tell;
  }

  get progress(): number {
    return this.#current?.progress ?? 0;
  }

  /**
   * @throws InvalidOptionError, at once, while another cache has it: nothing that the second cache is told
   * up to a rejection may get into the first one's file
   */
  open(host: PersistenceHost): Promise<void> {
    if (this.#isInUse) {
      const error = new InvalidOptionError(
        `the persistence of ${this.#name} is in use by another cache; each needs one of its own`,
      );
      // The cache is being made: nobody listens to its events yet.
      queueMicrotask(() => {
        host.fail(error);
        this.#tell(error);
      });
      throw error;
    }
    this.#isInUse = true;
    const current = this.#make();
    this.#current = current;
    return current.open(host).catch(async (error: unknown) => {
      // Its cache goes on without it, and does not close it.
      if (this.#current === current) this.#isInUse = false;
      await current.close().catch(() => undefined);
      throw error;
    });
  }

  set(key: string, entry: Entry): void {
    this.#current?.set(key, entry);
  }

  delete(key: string): void {
    this.#current?.delete(key);
  }

  clear(): void {
    this.#current?.clear();
  }

  async flush(): Promise<void> {
    await this.#current?.flush();
  }

  async close(): Promise<void> {
    const current = this.#current;
    try {
      await current?.close();
    } finally {
      if (this.#current === current) this.#isInUse = false;
    }
  }
}
