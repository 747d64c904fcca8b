/** One run of a script, with others of the same turn. */
export interface Run {
  /** Settles when it was sent: what is asked for from then on comes after it. */
  readonly sent: Promise<void>;
  /** @throws (rejects) when it fails, or the server is away */
  readonly reply: Promise<unknown>;
}

/** What one run takes. */
export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer | number)[];
}

interface Waiting extends Call {
  readonly wasSent: () => void;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls that travel together at most, and about how many bytes of them. */
const MOST_CALLS = 250;
const MOST_BYTES = 1_000_000;

/**
 * Runs of one script that are asked for in one turn, sent in one go. A bulk goes in parts, one after the
 * other, so that neither the server nor the clock of those who wait is held up by all of it.
 *
 * Only for what is guarded in Redis itself: what is sent directly in the same turn overtakes it.
 */
export class Gathered {
  readonly #send: (calls: readonly Call[]) => Promise<readonly unknown[]>;
  #waiting: Waiting[] = [];
  #isSending = false;

  /** @param send - sends before it returns; resolves to one reply for each call, in their order */
  constructor(send: (calls: readonly Call[]) => Promise<readonly unknown[]>) {
    this.#send = send;
  }

  run(call: Call): Run {
    let wasSent!: () => void;
    const sent = new Promise<void>((resolve) => (wasSent = resolve));
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ ...call, wasSent, resolve, reject });
    });
    if (!this.#isSending) {
      this.#isSending = true;
      queueMicrotask(() => void this.#sendAll());
    }
    return { sent, reply };
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const part = this.#waiting.splice(0, this.#lengthOfPart());
      const sending = this.#send(part);
      for (const { wasSent } of part) wasSent();
      try {
        const replies = await sending;
        part.forEach(({ resolve, reject }, at) => {
          const reply = replies[at];
          if (reply instanceof Error) reject(reply);
          else resolve(reply);
        });
      } catch (error) {
        for (const { reject } of part) reject(error);
      }
    }
    this.#isSending = false;
  }

  #lengthOfPart(): number {
    let bytes = 0;
    let length = 0;
    for (const { args } of this.#waiting) {
      for (const arg of args) bytes += typeof arg === 'number' ? 8 : arg.length;
      if (length === MOST_CALLS || (length > 0 && bytes > MOST_BYTES)) break;
      length++;
    }
    return length;
  }
}
