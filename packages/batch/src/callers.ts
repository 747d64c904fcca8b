import { onAbort, type BatchWaiter } from '@acache/core';

/**
 * Those who load one key and may leave. As a `BatchWaiter` it has left once they all have.
 */
export class Callers implements BatchWaiter {
  readonly #controller = new AbortController();
  readonly #onAbandoned: () => void;
  #waiting = 0;

  /** @param onAbandoned - called once the last caller has left */
  constructor(onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What one more caller is given: it rejects when the caller's signal fires. */
  wait<V>(promise: Promise<V>, signal: AbortSignal | undefined): Promise<V> {
    this.#waiting++;
    if (signal === undefined) return promise;
    return untilAborted(promise, signal, () => {
      this.#waiting--;
      if (this.#waiting > 0) return;
      this.#onAbandoned();
      this.#controller.abort(signal.reason);
    });
  }
}

/** Settles as `promise` does, unless `signal` fires before: then it rejects with its reason. */
export function untilAborted<V>(
  promise: Promise<V>,
  signal: AbortSignal,
  leave: () => void = () => undefined,
): Promise<V> {
  return new Promise((resolve, reject) => {
    // Before whoever waits goes on: a signal that fires then concerns nobody any more.
    const stay = onAbort(signal, () => {
      reject(signal.reason);
      leave();
    });
    promise.then(
      (value) => {
        stay();
        resolve(value);
      },
      (error: unknown) => {
        stay();
        reject(error);
      },
    );
  });
}
