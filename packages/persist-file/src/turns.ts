/** Work goes on for so many milliseconds before the event loop has its turn. */
const TURN = 4;

/** Divides long work into turns, so that nothing else in the process waits for it. */
export class Turns {
  #since = performance.now();

  /** Whether it is time to `await pass()`; asked once for some tens of microseconds of work. */
  get isOver(): boolean {
    return performance.now() - this.#since >= TURN;
  }

  /** Lets everything else run, timers and input included. */
  async pass(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
