import type { RunningLoad } from './session-context.js';

/** A read that waits for its answer. */
export interface WaitingRead {
  /** Its own load has not begun: it may wait for that of another caller. */
  joins(): void;
  /** Its own load begins. */
  loads(): void;
  /** To be called when it does not wait any more. */
  done(): void;
}

/**
 * The reads that wait in this process for the answers of one cache: which of them would wait for each
 * other, and which streams must not wait for their consumer, since others wait for their end.
 */
export class RunningReads {
  readonly #answers = new Map<string, Answer>();

  /** A read begins to wait for the answer of a key, as a part of a load maybe. */
  wait(key: string, within: RunningLoad | undefined): WaitingRead {
    const answer = this.#take(key);
    const asker = within === undefined ? undefined : readsIn(within.cache).#take(within.key);
    const wait: Wait = { answer };
    if (asker !== undefined) (asker.waits ??= new Set()).add(wait);
    let joins = false;
    const loads = (): void => {
      if (joins) answer.joining--;
      joins = false;
    };
    return {
      joins() {
        if (!joins) answer.joining++;
        joins = true;
        for (const flow of answer.streams ?? []) flow();
      },
      loads,
      done: () => {
        loads();
        asker?.waits?.delete(wait);
        asker?.leave();
        answer.leave();
      },
    };
  }

  /** Whether the load of a key waits for another load, itself or by those it waits for. */
  waitsFor(key: string, { cache, key: other }: RunningLoad): boolean {
    const target = readsIn(cache).#answers.get(other);
    const from = this.#answers.get(key);
    if (target === undefined || from === undefined) return false;
    const seen = new Set([from]);
    // What is added meanwhile is visited, too.
    for (const answer of seen) {
      if (answer === target) return true;
      for (const wait of answer.waits ?? []) seen.add(wait.answer);
    }
    return false;
  }

  /**
   * A stream begins as the load of a key.
   *
   * @param flow - is called once others wait for its end
   * @returns what ends it
   */
  stream(key: string, flow: () => void): () => void {
    const answer = this.#take(key);
    (answer.streams ??= new Set()).add(flow);
    if (answer.joining > 0) flow();
    return () => {
      answer.streams?.delete(flow);
      answer.leave();
    };
  }

  /** Nobody waits, and nothing is held. */
  get idle(): boolean {
    return this.#answers.size === 0;
  }

  #take(key: string): Answer {
    const answer = this.#answers.get(key) ?? new Answer(() => this.#answers.delete(key));
    this.#answers.set(key, answer);
    answer.users++;
    return answer;
  }
}

/** What is waited for, and what its load waits for. */
class Answer {
  /** The reads and streams that hold it. */
  users = 0;
  /** Reads that wait for a load which is not their own. */
  joining = 0;
  /** What most have none of is made when it is needed. */
  streams: Set<() => void> | undefined = undefined;
  waits: Set<Wait> | undefined = undefined;
  readonly #free: () => void;

  constructor(free: () => void) {
    this.#free = free;
  }

  leave(): void {
    if (--this.users === 0) this.#free();
  }
}

/** One of those waits: the same load may wait twice for the same answer. */
interface Wait {
  readonly answer: Answer;
}

const readsByCache = new WeakMap<object, RunningReads>();

/** Those of one cache, whichever runtimes are on it. */
export function readsIn(cache: object): RunningReads {
  const reads = readsByCache.get(cache) ?? new RunningReads();
  readsByCache.set(cache, reads);
  return reads;
}
