/**
 * Sends what is asked for one key in the order in which it was asked, though some of it must wait for
 * something before it can go.
 */
export class InOrder {
  /** Settles when the last of a key has been sent. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #awaitsAnswers: boolean;

  /**
   * @param awaitsAnswers - false waits for the sending only: for a single connection; true for a
   *   cluster, where a node may pass on to another what it was sent, and what comes later is there first
   */
  constructor(awaitsAnswers = false) {
    this.#awaitsAnswers = awaitsAnswers;
  }

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
    if (before === undefined && first === undefined && !this.#awaitsAnswers) return send(undefined);
    let sent!: () => void;
    const sending = new Promise<void>((resolve) => (sent = resolve));
    this.#last.set(key, sending);
    const wasSent = (): void => {
      if (this.#last.get(key) === sending) this.#last.delete(key);
      sent();
    };
    const go = (value: A | undefined): Promise<T> => {
      const answer = send(value);
      if (!this.#awaitsAnswers) wasSent();
      else void answer.then(wasSent, wasSent);
      return answer;
    };
    if (before === undefined && first === undefined) return go(undefined);
    return Promise.allSettled([first, before]).then(([outcome]) => {
      if (outcome.status === 'fulfilled') return go(outcome.value);
      wasSent();
      throw outcome.reason;
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
