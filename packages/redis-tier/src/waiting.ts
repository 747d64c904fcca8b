/** Milliseconds between two looks at a load elsewhere whose end nobody told of. */
const POLL = 200;

/** Those who wait for the load of another process. */
export class Waiting {
  readonly #byKey = new Map<string, Set<() => void>>();

  /** Resolves when the key changes, or when it is time to look again. */
  changed(key: string): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, waiters);
      const wake = (): void => {
        clearTimeout(timer);
        waiters.delete(wake);
        if (waiters.size === 0) this.#byKey.delete(key);
        resolve();
      };
      // Spread out, so that the processes do not all look at once.
      const timer = setTimeout(wake, POLL * (0.75 + 0.5 * Math.random()));
      waiters.add(wake);
    });
  }

  /** A change of the key was heard of. */
  wake(key: string): void {
    for (const wake of this.#byKey.get(key) ?? []) wake();
  }

  wakeAll(): void {
    for (const waiters of this.#byKey.values()) for (const wake of waiters) wake();
  }
}
