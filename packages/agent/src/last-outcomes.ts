/** How a call ended. */
export type LastOutcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown };

const MAX_OUTCOMES = 256;

/** How the last calls of a session ended, each by its token; those that were used longest ago are forgotten. */
export class LastOutcomes {
  readonly #outcomes = new Map<string, LastOutcome>();

  set(token: string, outcome: LastOutcome): void {
    this.#outcomes.delete(token);
    this.#outcomes.set(token, outcome);
    if (this.#outcomes.size <= MAX_OUTCOMES) return;
    const [oldest] = this.#outcomes.keys();
    this.#outcomes.delete(oldest as string);
  }

  get(token: string): LastOutcome | undefined {
    const outcome = this.#outcomes.get(token);
    if (outcome !== undefined) this.set(token, outcome);
    return outcome;
  }

  get size(): number {
    return this.#outcomes.size;
  }

  clear(): void {
    this.#outcomes.clear();
  }
}
