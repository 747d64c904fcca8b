/** Who wants to be told. */
export class Listeners<T> {
  readonly #all = new Set<(told: T) => void>();

  get size(): number {
    return this.#all.size;
  }

  add(listener: (told: T) => void): () => void {
    const registered = (told: T): void => {
      listener(told);
    };
    this.#all.add(registered);
    return () => {
      this.#all.delete(registered);
    };
  }

  tell(what: T): void {
    for (const listener of [...this.#all]) listener(what);
  }
}
