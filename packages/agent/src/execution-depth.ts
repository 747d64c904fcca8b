/** How many calls ran in a session, its children's included. */
export class ExecutionDepth {
  readonly limit: number;
  readonly #parent: ExecutionDepth | undefined;
  #count = 0;

  constructor(limit: number, parent: ExecutionDepth | undefined) {
    this.limit = limit;
    this.#parent = parent;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether one more call is more than its limit allows. */
  get reached(): boolean {
    return this.#count >= this.limit;
  }

  /** Counts a call, here and in all ancestors. */
  charge(): void {
    this.#count++;
    this.#parent?.charge();
  }
}
