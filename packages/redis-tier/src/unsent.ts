import { unavailable } from './failures.js';

/** What is made good later. */
export interface ToRemove {
  readonly keys: readonly string[];
  readonly tags: readonly string[];
  readonly all: boolean;
}

export interface UnsentOptions {
  /** Tells Redis of removals. @throws (rejects) when it does not take them */
  readonly send: (removals: ToRemove) => Promise<void>;
  /** Told what is remembered, what was sent, and when there was too much of it. */
  readonly report: (state: string, detail?: unknown) => void;
}

/** Removals remembered at most; above it, everything of the namespace is removed instead. */
const MOST = 10_000;
/** Milliseconds between attempts that nobody asked for. */
const RETRY = 250;
/** Milliseconds between attempts when there is little time left. */
const LAST_RETRY = 50;

/**
 * Removals that Redis has not heard of. They are sent before anything is read there again, and never
 * a value among them: a removal that comes late is harmless.
 */
export class Unsent {
  readonly #options: UnsentOptions;
  /** What is removed, with a number that tells a later removal of the same from an earlier one. */
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  #all = 0;
  #number = 0;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** An attempt has failed lately: the next one is the timer's. */
  #isResting = false;
  #isStopped = false;

  constructor(options: UnsentOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0 && this.#tags.size === 0 && this.#all === 0;
  }

  get size(): number {
    return this.#keys.size + this.#tags.size + (this.#all > 0 ? 1 : 0);
  }

  addKeys(keys: readonly string[]): void {
    if (this.#all > 0) this.#all = ++this.#number;
    else for (const key of keys) this.#keys.set(key, ++this.#number);
    this.#added();
  }

  addTags(tags: readonly string[]): void {
    if (this.#all > 0) this.#all = ++this.#number;
    else for (const tag of tags) this.#tags.set(tag, ++this.#number);
    this.#added();
  }

  addAll(): void {
    this.#all = ++this.#number;
    this.#keys.clear();
    this.#tags.clear();
    this.#added();
  }

  /** The number of the last removal that was added. */
  get latest(): number {
    return this.#number;
  }

  /** Redis took a later write of the key: what was added up to that number needs no sending. */
  settled(key: string, upTo: number): void {
    if ((this.#keys.get(key) ?? Infinity) <= upTo) this.#keys.delete(key);
  }

  /** Whether what Redis holds of a key may be something that was removed. */
  covers(key: string): boolean {
    return this.#all > 0 || this.#tags.size > 0 || this.#keys.has(key);
  }

  /** Sends what there is, unless that has failed just now. Never rejects. */
  async trySend(): Promise<void> {
    if (!this.#isResting) await this.send().catch(() => undefined);
  }

  /**
   * Sends what there is.
   *
   * @throws (rejects) when something is still unsent
   */
  async send(): Promise<void> {
    while (!this.isEmpty) {
      this.#sending ??= this.#sendOnce().finally(() => {
        this.#sending = undefined;
      });
      await this.#sending;
    }
  }

  /** Sends what there is, as often as it takes, until it is stopped. Never rejects. */
  async sendAtLast(): Promise<void> {
    while (!this.isEmpty && !this.#isStopped) {
      const sent = await this.send().then(
        () => true,
        () => false,
      );
      if (!sent) await new Promise((resolve) => setTimeout(resolve, LAST_RETRY));
    }
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #sendOnce(): Promise<void> {
    const upTo = this.#number;
    const removals = {
      keys: [...this.#keys.keys()],
      tags: [...this.#tags.keys()],
      all: this.#all > 0,
    };
    try {
      await this.#options.send(removals);
      this.#isResting = false;
    } catch (error) {
      this.#isResting = true;
      this.#retryLater();
      throw unavailable(error);
    }
    for (const removed of [this.#keys, this.#tags]) {
      for (const [name, number] of removed) if (number <= upTo) removed.delete(name);
    }
    if (this.#all <= upTo) this.#all = 0;
    this.#options.report('made-good', {
      removals: removals.keys.length + removals.tags.length + (removals.all ? 1 : 0),
    });
  }

  #added(): void {
    if (this.#keys.size + this.#tags.size > MOST) {
      this.#options.report('overflow', { removals: this.size });
      this.addAll();
    } else this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.isEmpty) this.send().catch(() => undefined);
    }, RETRY);
    this.#timer.unref();
  }
}
