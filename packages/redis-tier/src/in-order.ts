/**
 * Sends what is asked for one key in the order in which it was asked, though some of it must wait for
 * something before it can go. Waits for the sending only, not for the answers.
 */
export class InOrder {
  /** Settles when the last of a key has been sent. */
  readonly #last = new Map<string, Promise<void>>();

  /**
   * @param first - what must be there before this can be sent; `undefined` when nothing must
   * @param send - called with it, at once where nothing is to be waited for
   */
  run<T, A>(
    key: string,
    first: Promise<A> | undefined,
    send: (first: A | undefined) => Promise<T>,
  ): Promise<T> {
    const before = this.#last.get(key);
    if (before === undefined && first === undefined) return send(undefined);
    let sent!: () => void;
    const sending = new Promise<void>((resolve) => (sent = resolve));
    this.#last.set(key, sending);
    return Promise.allSettled([first, before]).then(([outcome]) => {
      try {
        if (outcome.status === 'rejected') throw outcome.reason;
        return send(outcome.value);
      } finally {
        // Once it was called: the next one need not wait for its answer.
        if (this.#last.get(key) === sending) this.#last.delete(key);
        sent();
      }
    });
  }

  /** True while nothing waits to be sent. */
  get isIdle(): boolean {
    return this.#last.size === 0;
  }

  /** Settles when everything asked for these keys up to now has been sent; `undefined` when it has. */
  sent(keys: readonly string[]): Promise<unknown> | undefined {
    const waits = keys.flatMap((key) => this.#last.get(key) ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits);
  }
}
