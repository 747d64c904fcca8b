import { inspect } from 'node:util';
import { idOf } from '@acache/core';

const MOST = 1000;
const LONGEST = 200;

/** What the page calls a key: by what it is, or by a number that tells nothing of it. */
export class KeyNames {
  readonly #shows: boolean;
  readonly #numbers = new Map<unknown, number>();
  #next = 1;

  constructor(shows: boolean) {
    this.#shows = shows;
  }

  nameOf(key: unknown): string {
    return this.#shows ? textOf(key) : `key ${this.#numberOf(key)}`;
  }

  /** Forgets which number is which key's. */
  clear(): void {
    this.#numbers.clear();
  }

  #numberOf(key: unknown): number {
    const id = idOf(key);
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MOST) this.#numbers.clear();
    this.#numbers.set(id, this.#next);
    return this.#next++;
  }
}

/** A key or a value, in one line that is not too long. */
export function textOf(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : inspect(value, {
          depth: 2,
          maxArrayLength: 10,
          maxStringLength: LONGEST,
          breakLength: Infinity,
          // What is watched must not be run.
          getters: false,
          customInspect: false,
        });
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}
