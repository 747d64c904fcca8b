import { unavailable } from './failures.js';

/** Calls that began in one turn of the event loop, and end by the same instant at the latest. */
interface Batch {
  readonly late: Set<(error: Error) => void>;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Ends calls that are not answered in time. What the process itself holds up does not count: time runs
 * from when the turn that sent them is over, and at its end what has come is read first.
 */
export class Timeouts {
  readonly #ms: number;
  #batch: Batch | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /**
   * What a call brings, if it brings it in time.
   *
   * @throws (rejects) what the call does, or that there was no answer
   */
  within<T>(call: Promise<T>): Promise<T> {
    const batch = (this.#batch ??= this.#begin());
    return new Promise((resolve, reject) => {
      const end = (): void => {
        batch.late.delete(reject);
        if (batch.late.size === 0) clearTimeout(batch.timer);
      };
      batch.late.add(reject);
      call.then(
        (answer) => {
          end();
          resolve(answer);
        },
        (error: unknown) => {
          end();
          reject(error);
        },
      );
    });
  }

  #begin(): Batch {
    const batch: Batch = { late: new Set(), timer: undefined };
    // A timer counts from the beginning of the turn that sets it, which may have been long.
    setImmediate(() => {
      this.#batch = undefined;
      if (batch.late.size === 0) return;
      batch.timer = setTimeout(() => setImmediate(() => this.#expire(batch)), this.#ms);
    });
    return batch;
  }

  #expire({ late }: Batch): void {
    const error = unavailable(new Error(`no answer within ${this.#ms} ms`));
    for (const reject of late) reject(error);
    late.clear();
  }
}
