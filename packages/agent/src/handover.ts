/**
 * Hands items from one who makes them to one who takes them, one at a time: the maker goes on when the
 * next one is asked for. Once it flows, the maker waits no more, and what was not taken yet is kept.
 */
export class Handover<T> {
  #first: Item<T> | undefined = undefined;
  #last: Item<T> | undefined = undefined;
  #taker: ((item: { readonly value: T } | undefined) => void) | undefined = undefined;
  #resume: (() => void) | undefined = undefined;
  #flows = false;
  #over = false;

  /** Settles when the next item is asked for, or the maker need not wait for that. */
  async push(value: T): Promise<void> {
    if (this.#over) return;
    const resumed = new Promise<void>((resolve) => (this.#resume = resolve));
    if (this.#taker === undefined) this.#keep({ value, next: undefined });
    else this.#give({ value });
    if (this.#flows) this.#goOn();
    await resumed;
  }

  /** The next item; `undefined` once there are no more. */
  async take(): Promise<{ readonly value: T } | undefined> {
    const item = this.#first;
    if (item !== undefined) {
      this.#first = item.next;
      return item;
    }
    if (this.#over) return undefined;
    const taken = new Promise<{ readonly value: T } | undefined>((resolve) => {
      this.#taker = resolve;
    });
    this.#goOn();
    return taken;
  }

  /** From now on the maker does not wait for the taker. */
  flow(): void {
    this.#flows = true;
    this.#goOn();
  }

  /** No more items come; those that were not taken yet still may be. */
  end(): void {
    this.#over = true;
    this.#give(undefined);
    this.#goOn();
  }

  /** Nobody takes any more. */
  close(): void {
    this.#first = undefined;
    this.end();
  }

  #keep(item: Item<T>): void {
    if (this.#first === undefined) this.#first = item;
    else if (this.#last !== undefined) this.#last.next = item;
    this.#last = item;
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

interface Item<T> {
  readonly value: T;
  next: Item<T> | undefined;
}
