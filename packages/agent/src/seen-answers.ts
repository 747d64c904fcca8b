import type { AnswerPrint } from './answer-print.js';
import { RecentMap } from './recent-map.js';
import { shortText } from './short-text.js';

/** Answers that are remembered, at least; twice as many at most. */
const MAX_ANSWERS = 512;
const MAX_TOOLS = 128;
/** Bytes from which an answer tells something by itself. */
const TELLING_SIZE = 32;

/**
 * The answers of the last calls. One with enough in it is new the first time any call of the tool brings
 * it, so that a query in other words which finds the same is nothing new; a small one (`false`, `[]`) is
 * new the first time for each call, so that sixty files which do not exist are sixty answers.
 */
export class SeenAnswers {
  readonly #answers = new RecentMap<number, true>(MAX_ANSWERS);
  readonly #tools = new RecentMap<string, number>(MAX_TOOLS);
  #lastTool = 0;

  get size(): number {
    return this.#answers.size + this.#tools.size;
  }

  /**
   * Remembers an answer.
   *
   * @param caller - the number of the call; `undefined` where it cannot be told from others
   * @returns whether it is new
   */
  add(tool: string, caller: number | undefined, { hash, size }: AnswerPrint): boolean {
    const isTelling = size >= TELLING_SIZE;
    if (!isTelling && caller === undefined) return true;
    // Odd numbers are tools, even ones calls; 21 bits tell apart all that are remembered at a time.
    const owner = isTelling ? 2 * this.#numberOf(tool) + 1 : 2 * (caller as number);
    const key = (owner % 0x200000) * 0x100000000 + hash;
    if (this.#answers.get(key) !== undefined) return false;
    this.#answers.set(key, true);
    return true;
  }

  clear(): void {
    this.#answers.clear();
    this.#tools.clear();
  }

  #numberOf(tool: string): number {
    const key = shortText(tool);
    let number = this.#tools.get(key);
    if (number === undefined) this.#tools.set(key, (number = ++this.#lastTool));
    return number;
  }
}
