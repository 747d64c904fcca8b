import {
  batchContext,
  CacheError,
  isError,
  type BatchContext,
  type BatchWaiter,
} from '@acache/core';

/** What a batch brought, one outcome per key: a value, or the error of that key alone. */
export type Outcomes<V> = ArrayLike<V | Error | undefined>;

/** How a batch is sent, and what comes back is read. */
export interface BatchCalls<K, V, R> {
  /** Calls the batch function. */
  readonly send: (keys: readonly K[]) => R | PromiseLike<R>;
  /** Puts its results in the order of the keys. */
  readonly read: (keys: readonly K[], results: R) => Outcomes<V>;
  /** Is told when one of them fails. */
  readonly onFailure?: (keys: readonly K[]) => void;
}

/** Where a key is, and what its callers were given. */
interface Member<V> {
  readonly place: number;
  readonly promise: Promise<V>;
}

const NOBODY: readonly BatchWaiter[] = [];

/** Keys that are gathered, and then go to a batch function together. */
export class Batch<K, V> {
  readonly keys: K[] = [];
  dispatched = false;

  // These are not #private: a batch is made for a few keys, and making such fields costs as much as one.
  /** The promise of every key is derived from this one: half the memory of making each by itself. */
  private readonly outcomes: Promise<Outcomes<V>>;
  private readonly take: (outcomes: Outcomes<V>) => V;
  private land!: (outcomes: Outcomes<V>) => void;
  private fail!: (error: unknown) => void;
  /** Who may stop to want a key, by its place; a place that is not there is wanted for good. */
  private waiters: Map<number, BatchWaiter[]> | undefined = undefined;
  /** By the ids of their keys, where those are asked for. */
  private members: Map<unknown, Member<V>> | undefined = undefined;
  /** What callers were given who have a patience of their own. */
  private answers: Promise<unknown>[] | undefined = undefined;
  /** Settles when the batch has gone and all `answers` have been given. */
  private answered: Promise<unknown> | undefined = undefined;
  private gone: (() => void) | undefined = undefined;

  constructor() {
    this.outcomes = new Promise((resolve, reject) => {
      this.land = resolve;
      this.fail = reject;
    });
    let taken = 0;
    // Callbacks of one promise run in the order in which they were added, which is that of the keys.
    const take = (outcomes: Outcomes<V>): V => {
      const outcome = outcomes[taken++];
      if (isError(outcome)) throw outcome;
      return outcome as V;
    };
    // Not in one statement: V8 puts a function that is written where a property is assigned among what lives
    // long, and whatever that function refers to stays until the next full garbage collection.
    this.take = take;
  }

  /** Adds a key. `waiter` is who wants it, where that may stop to. */
  add(key: K, waiter?: BatchWaiter): Promise<V> {
    if (waiter !== undefined) (this.waiters ??= new Map()).set(this.keys.length, [waiter]);
    this.keys.push(key);
    return this.outcomes.then(this.take);
  }

  /**
   * Adds a key unless one of the same id is in the batch: then `waiter` wants that one, too.
   *
   * @param key - makes the key where it is added
   */
  addOnce(id: unknown, key: () => K, waiter?: BatchWaiter): Promise<V> {
    const members = (this.members ??= new Map<unknown, Member<V>>());
    const member = members.get(id);
    if (member !== undefined) {
      this.join(member.place, waiter);
      return member.promise;
    }
    const place = this.keys.length;
    const promise = this.add(key(), waiter);
    members.set(id, { place, promise });
    return promise;
  }

  private join(place: number, waiter?: BatchWaiter): void {
    if (waiter === undefined) this.waiters?.delete(place);
    else this.waiters?.get(place)?.push(waiter);
  }

  /** A promise that settles as `promise` does, and not before this batch. */
  after<T>(promise: PromiseLike<T>): Promise<T> {
    const follow = (): PromiseLike<T> => promise;
    return this.outcomes.then(follow, follow);
  }

  /** Notes what a caller was given who may be told before the batch ends. */
  addAnswer(answer: Promise<unknown>): void {
    (this.answers ??= []).push(answer);
  }

  /** A promise that settles as `promise` does, and not before the answers of this batch. */
  afterAnswers<T>(promise: PromiseLike<T>): Promise<T> {
    this.answered ??= new Promise<void>((resolve) => {
      this.gone = resolve;
    }).then(() => Promise.allSettled(this.answers ?? []));
    return this.answered.then(() => promise);
  }

  /** Sends the keys that are still wanted. */
  dispatch<R>(calls: BatchCalls<K, V, R>): void {
    this.dispatched = true;
    this.gone?.();
    if (this.areAllWanted()) this.send(this.keys, calls, this.land);
    else this.sendWanted(calls);
  }

  /** What the batch function is told, made for one that asks. */
  context(): BatchContext {
    return batchContext(this.everybody(), this.outcomes);
  }

  private sendWanted<R>(calls: BatchCalls<K, V, R>): void {
    const places = [...this.keys.keys()].filter((place) => !this.isAbandoned(place));
    const wanted = places.map((place) => this.keys[place] as K);
    this.send(wanted, calls, (outcomes) => {
      this.land(this.spread(places, outcomes));
    });
  }

  // No async function: it would take two promises more, and one more round of promise callbacks.
  private send<R>(
    keys: readonly K[],
    { send, read, onFailure }: BatchCalls<K, V, R>,
    land: (outcomes: Outcomes<V>) => void,
  ): void {
    if (keys.length === 0) {
      land([]);
      return;
    }
    const fail = (error: unknown): void => {
      try {
        onFailure?.(keys);
        this.fail(error);
      } catch (failure) {
        this.fail(failure);
      }
    };
    const readAndLand = (results: R): void => {
      try {
        land(read(keys, results));
      } catch (error) {
        fail(error);
      }
    };
    try {
      Promise.resolve(send(keys)).then(readAndLand, fail);
    } catch (error) {
      fail(error);
    }
  }

  private areAllWanted(): boolean {
    if (this.waiters === undefined) return true;
    for (const waiters of this.waiters.values()) if (waiters.every(hasLeft)) return false;
    return true;
  }

  private isAbandoned(place: number): boolean {
    return this.waiters?.get(place)?.every(hasLeft) === true;
  }

  /** All who want a key of the batch; `undefined` for a key that is wanted for good. */
  private *everybody(): Generator<BatchWaiter | undefined> {
    for (const place of this.keys.keys()) yield* this.waiters?.get(place) ?? [undefined];
  }

  /** Puts the outcomes of the keys that were sent at the places of all keys. */
  private spread(places: readonly number[], outcomes: Outcomes<V>): Outcomes<V> {
    const sent = new Map(places.map((place, index) => [place, outcomes[index]]));
    return this.keys.map((_, place) => (sent.has(place) ? sent.get(place) : this.reasonOf(place)));
  }

  /** Why a key was not loaded, in case somebody still listens. */
  private reasonOf(place: number): Error {
    const [waiter] = this.waiters?.get(place) ?? NOBODY;
    const reason: unknown = waiter?.signal.reason;
    if (reason instanceof Error) return reason;
    const message = 'nobody waited for the key any more when its batch went';
    return new CacheError('ERR_ACACHE_ABORTED', message, { cause: reason });
  }
}

function hasLeft(waiter: BatchWaiter): boolean {
  return waiter.abandoned ?? waiter.signal.aborted;
}
