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

/** Milliseconds between two probes at least. */
const LEAST_PAUSE = 10;

/**
 * Stops calls to a partner that does not answer: after some failures in a row nothing is let through,
 * until a probe succeeds. The probe is the breaker's own, so that no caller waits for it.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #failures = 0;
  #lastError: unknown;
  #isOpen = false;
  #isStopped = false;
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

  /**
   * A call was not answered. Calls that failed together, with one error, count as one.
   *
   * @param error - what it failed with
   */
  failed(error: unknown): void {
    if (error === this.#lastError) return;
    this.#lastError = error;
    this.#failures++;
    if (this.#isStopped || this.#isOpen || this.#failures < this.#options.failures) return;
    this.#isOpen = true;
    this.#options.changed(true);
    this.#probeLater();
  }

  /** Probes no more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#isOpen = false;
  }

  #probeLater(): void {
    this.#timer = setTimeout(
      () => {
        this.#options.probe().then(
          () => {
            this.succeeded();
          },
          () => {
            if (this.#isOpen) this.#probeLater();
          },
        );
      },
      Math.max(this.#options.openFor, LEAST_PAUSE),
    );
    this.#timer.unref();
  }
}
