import { LONGEST_TIMER, type Clock, type ClockTimer } from './clock.js';
import { onAbort } from './on-abort.js';
import type { Request } from './request.js';

/** Someone whose waiting a `Patience` can end. */
export interface Waiting {
  /** `softTimeout` has passed. */
  grewImpatient(): void;
  /** `timeout` has passed. */
  ranOut(): void;
  /** The caller's own signal has fired. */
  gaveUp(reason: unknown): void;
}

/**
 * How long one caller waits, from its arrival, for all that it waits for: one pair of timers and one
 * listener, however many keys there are.
 */
export class Patience {
  readonly #waiting = new Set<Waiting>();
  readonly #clock: Clock;
  readonly #request: Pick<Request<never, never>, 'signal' | 'timeout' | 'softTimeout'>;
  readonly #timers: ClockTimer[] = [];
  readonly #giveUp = (): void => {
    for (const waiting of [...this.#waiting]) waiting.gaveUp(this.#request.signal?.reason);
  };
  #ranOut = false;
  #impatient = false;

  readonly #arrivedAt: number;
  #stopListening: (() => void) | undefined;
  #armed = false;

  constructor(
    request: Pick<Request<never, never>, 'signal' | 'timeout' | 'softTimeout'>,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#request = request;
    this.#arrivedAt = clock.now();
  }

  /** Someone begins to wait; told at once of what has passed already. */
  add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    const { signal } = this.#request;
    if (signal?.aborted === true) {
      waiting.gaveUp(signal.reason);
      return;
    }
    if (!this.#armed) this.#arm();
    if (this.#impatient) waiting.grewImpatient();
    if (this.#ranOut && this.#waiting.has(waiting)) waiting.ranOut();
  }

  /** Someone waits no more. Frees timers and listener while nobody does. */
  done(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0) return;
    this.#armed = false;
    for (const timer of this.#timers.splice(0)) this.#clock.clearTimeout(timer);
    this.#stopListening?.();
    this.#stopListening = undefined;
  }

  #arm(): void {
    this.#armed = true;
    const { signal, softTimeout, timeout } = this.#request;
    this.#stopListening = signal && onAbort(signal, this.#giveUp);
    if (!this.#impatient)
      this.#after(softTimeout, () => {
        this.#impatient = true;
        for (const waiting of [...this.#waiting]) waiting.grewImpatient();
      });
    if (!this.#ranOut)
      this.#after(timeout, () => {
        this.#ranOut = true;
        for (const waiting of [...this.#waiting]) waiting.ranOut();
      });
  }

  #after(ms: number, callback: () => void): void {
    if (ms > LONGEST_TIMER) return;
    const left = Math.max(0, this.#arrivedAt + ms - this.#clock.now());
    this.#timers.push(this.#clock.setTimeout(callback, left));
  }
}

/** True for a caller who waits as long as it takes. */
export function waitsForever(
  request: Pick<Request<never, never>, 'signal' | 'timeout' | 'softTimeout'>,
): boolean {
  return (
    request.signal === undefined &&
    request.timeout > LONGEST_TIMER &&
    request.softTimeout > LONGEST_TIMER
  );
}
