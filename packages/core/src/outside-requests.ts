/**
 * Runs what outlives a request, such as setting a timer, outside of every request.
 *
 * A timer or promise made within a request holds on to that request's AsyncLocalStorage for as long
 * as it lives. So the work is done in a promise callback that was registered when this module was
 * loaded.
 */
export function runOutsideRequests(work: () => void): void {
  waiting.push(work);
  wake();
}

let waiting: (() => void)[] = [];
let wake: () => void;

function listen(): void {
  void new Promise<void>((resolve) => {
    wake = resolve;
  }).then(() => {
    listen();
    const now = waiting;
    waiting = [];
    for (const work of now) {
      try {
        work();
      } catch {
        // It is the upkeep of one cache, which the next use of that cache plans again.
      }
    }
  });
}

listen();
