import { batchContext, CacheError, type BatchContext, type BatchWaiter } from '@acache/core';

/** What a batch brought, one outcome per key: a value, or the error of that key alone. */
export type Outcomes<V> = ArrayLike<V | Error | undefined>;

/** Sends the keys of a batch to its batch function. Must not throw, but reject. */
export type Send<K, V> = (keys: readonly K[], batch: Batch<K, V>) => Promise<Outcomes<V>>;

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

  constructor() {
    this.outcomes = new Promise((resolve, reject) => {
      this.land = resolve;
      this.fail = reject;
    });
    let taken = 0;
    // Callbacks of one promise run in the order in which they were added, which is that of the keys.
    this.take = (outcomes) => {
      const outcome = outcomes[taken++];
      if (outcome instanceof Error) throw outcome;
      return outcome as V;
    };
  }

  /** Adds a key. `waiter` is who wants it, where that may stop to. */
  add(key: K, waiter?: BatchWaiter): Promise<V> {
    if (waiter !== undefined) (this.waiters ??= new Map()).set(this.keys.length, [waiter]);
    this.keys.push(key);
    return this.outcomes.then(this.take);
  }

  /** Somebody else wants the key at this place, too. */
  join(place: number, waiter?: BatchWaiter): void {
    if (waiter === undefined) this.waiters?.delete(place);
    else this.waiters?.get(place)?.push(waiter);
  }

  /** A promise that settles as `promise` does, and not before this batch. */
  after<T>(promise: PromiseLike<T>): Promise<T> {
    const follow = (): PromiseLike<T> => promise;
    return this.outcomes.then(follow, follow);
  }

  /** Sends the keys that are still wanted. */
  dispatch(send: Send<K, V>): void {
    this.dispatched = true;
    const { keys } = this;
    if (keys.length === 0) this.land([]);
    else if (this.waiters === undefined) send(keys, this).then(this.land, this.fail);
    else this.dispatchWanted(send);
  }

  /** What the batch function is told, made for one that asks. */
  context(): BatchContext {
    return batchContext(this.everybody());
  }

  private dispatchWanted(send: Send<K, V>): void {
    const places = [...this.keys.keys()].filter((place) => !this.isAbandoned(place));
    if (places.length === 0) {
      this.land(this.spread(places, []));
      return;
    }
    const wanted = places.map((place) => this.keys[place] as K);
    send(wanted, this).then((outcomes) => {
      this.land(this.spread(places, outcomes));
    }, this.fail);
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
    const all = this.keys.map((_, place) => this.reasonOf(place) as V | Error | undefined);
    places.forEach((place, index) => {
      all[place] = outcomes[index];
    });
    return all;
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

/** Whether a waiter has left of its own will. After a timeout the load goes on, for those who come later. */
function hasLeft(waiter: BatchWaiter): boolean {
  if (!(waiter.aborted ?? waiter.signal.aborted)) return false;
  const reason = waiter.signal.reason as { code?: unknown } | null | undefined;
  return reason?.code !== 'ERR_ACACHE_LOAD_TIMEOUT';
}
