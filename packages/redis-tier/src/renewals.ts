/** What is renewed while it is held. */
export interface Renewable {
  /** When it was granted, on the monotonic clock. */
  readonly grantedAt: number;
  /** Never rejects. */
  renew(): void;
}

/** Renews leases in good time while their loaders run. */
export class Renewals {
  readonly #period: number;
  readonly #held = new Set<Renewable>();
  #timer: NodeJS.Timeout | undefined;

  constructor(lockTtl: number) {
    this.#period = lockTtl / 3;
  }

  add(lease: Renewable): void {
    this.#held.add(lease);
    this.#timer ??= setInterval(() => {
      const due = performance.now() - this.#period;
      for (const held of this.#held) if (held.grantedAt <= due) held.renew();
    }, this.#period).unref();
  }

  remove(lease: Renewable): void {
    this.#held.delete(lease);
    if (this.#held.size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
