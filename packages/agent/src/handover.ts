/**
 * Hands items from one who makes them to one who takes them, one at a time: the maker goes on when the
 * next one is asked for.
 */
export class Handover<T> {
  #item: { readonly value: T } | undefined = undefined;
  #taker: ((item: { readonly value: T } | undefined) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #closed = false;

  /** Settles when the next item is asked for, or nobody takes any more. */
  async push(value: T): Promise<void> {
    if (this.#closed) return;
    const resumed = new Promise<void>((resolve) => (this.#resume = resolve));
    if (this.#taker === undefined) this.#item = { value };
    else this.#give({ value });
    await resumed;
  }

  /** The next item; `undefined` once there are no more. */
  async take(): Promise<{ readonly value: T } | undefined> {
    const item = this.#item;
    if (item !== undefined) {
      this.#item = undefined;
      return item;
    }
    if (this.#closed) return undefined;
    const taken = new Promise<{ readonly value: T } | undefined>((resolve) => {
      this.#taker = resolve;
    });
    this.#goOn();
    return taken;
  }

  close(): void {
    this.#closed = true;
    this.#item = undefined;
    this.#give(undefined);
    this.#goOn();
  }

  #give(item: { readonly value: T } | undefined): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.(item);
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
