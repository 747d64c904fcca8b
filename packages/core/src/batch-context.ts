import { onAbort } from './on-abort.js';

/** What a batch function is told, if it names a second parameter. */
export interface BatchContext {
  /**
   * Fires once nobody waits for any key of the batch any more. Handing it on to what the batch
   * function calls stops work that nobody waits for.
   */
  readonly signal: AbortSignal;
}

/** Who may stop waiting for a key: the context of its load, say. */
export interface BatchWaiter {
  readonly signal: AbortSignal;
  /** Whether it has stopped for good, where that can be told without making a signal. */
  readonly abandoned?: boolean;
}

/**
 * The context of one batch. Its signal is made when it is first asked for, since few batch functions
 * do, and one costs more than all else that a key costs.
 *
 * @param waiters - all who wait for a key of the batch; `undefined` stands for one who never leaves
 * @param ended - settles when the batch has ended, so that signals that live longer are let go
 */
export function batchContext(
  waiters: Iterable<BatchWaiter | undefined>,
  ended?: PromiseLike<unknown>,
): BatchContext {
  let signal: AbortSignal | undefined;
  return {
    get signal() {
      signal ??= signalOfAll(waiters, ended);
      return signal;
    },
  };
}

/** Fires when the last of the signals has fired, with its reason. */
function signalOfAll(
  waiters: Iterable<BatchWaiter | undefined>,
  ended: PromiseLike<unknown> | undefined,
): AbortSignal {
  const controller = new AbortController();
  const signals: AbortSignal[] = [];
  for (const waiter of waiters) {
    if (waiter === undefined) return controller.signal;
    signals.push(waiter.signal);
  }
  let waiting = signals.length;
  const stops: (() => void)[] = [];
  for (const signal of signals) {
    const leave = (): void => {
      waiting--;
      if (waiting === 0) controller.abort(signal.reason);
    };
    if (signal.aborted) leave();
    else stops.push(onAbort(signal, leave));
  }
  const stop = (): void => {
    for (const end of stops) end();
  };
  ended?.then(stop, stop);
  return controller.signal;
}
