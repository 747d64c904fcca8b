/** What a breaker goes by. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Milliseconds that it stays open before the next probe. */
  readonly openFor: number;
  /** Asks the partner for a sign of life; rejects when there is none. */
  readonly probe: () => Promise<unknown>;
  /** Told when it opens and when it closes. */
  readonly changed: (isOpen: boolean) => void;
}

/**
 * Stops calls to a partner that does not answer: after some failures in a row nothing is let through,
 * until a probe succeeds. The probe is the breaker's own, so that no caller waits for it.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #isOpen = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A call was answered. */
  succeeded(): void {
    this.#failures = 0;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#options.changed(false);
  }

  /** A call was not answered. */
  failed(): void {
    this.#failures++;
    if (this.#isOpen || this.#failures < this.#options.failures) return;
    this.#isOpen = true;
    this.#options.changed(true);
    this.#probeLater();
  }

  /** Probes no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#isOpen = false;
  }

  #probeLater(): void {
    this.#timer = setTimeout(() => {
      this.#options.probe().then(
        () => {
          this.succeeded();
        },
        () => {
          if (this.#isOpen) this.#probeLater();
        },
      );
    }, this.#options.openFor);
    this.#timer.unref();
  }
}
