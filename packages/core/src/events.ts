import { isThenable } from './is-thenable.js';

/** Where an error that no caller sees came from. */
export type ErrorSource =
  | 'loader'
  | 'refresh'
  | 'tier'
  | 'persistence'
  | 'ttl'
  | 'tags'
  | 'weigh'
  | 'clone'
  | 'listener'
  | 'policy';

export interface CacheEvent<K = unknown> {
  readonly key?: K;
}

export interface CacheErrorEvent<K = unknown> extends CacheEvent<K> {
  readonly error: unknown;
  readonly source: ErrorSource;
}

export interface CacheInvalidateEvent<K = unknown> extends CacheEvent<K> {
  readonly tags: readonly string[];
}

export interface CacheTierEvent<K = unknown> extends CacheEvent<K> {
  /** What the tier reports of its state, in its own words: `'up'`, `'down'` … */
  readonly state: string;
  readonly detail?: unknown;
}

export interface CacheLoadedEvent<K = unknown> extends CacheEvent<K> {
  /** Milliseconds from the start of the load to its end. */
  readonly ms: number;
  readonly failed: boolean;
}

/** What a listener of each event is given. */
export interface CacheEvents<K = unknown> {
  hit: CacheEvent<K>;
  stale: CacheEvent<K>;
  miss: CacheEvent<K>;
  /** A load begins. */
  load: CacheEvent<K>;
  /** It has ended, also where nobody waits for it any more. */
  loaded: CacheLoadedEvent<K>;
  error: CacheErrorEvent<K>;
  set: CacheEvent<K>;
  delete: CacheEvent<K>;
  evict: CacheEvent<K>;
  expire: CacheEvent<K>;
  invalidate: CacheInvalidateEvent<K>;
  clear: CacheEvent<K>;
  tier: CacheTierEvent<K>;
}

/** What happens to a cache. */
export type CacheEventName = keyof CacheEvents;

const EVENTS: Readonly<Record<CacheEventName, true>> = {
  hit: true,
  stale: true,
  miss: true,
  load: true,
  loaded: true,
  error: true,
  set: true,
  delete: true,
  evict: true,
  expire: true,
  invalidate: true,
  clear: true,
  tier: true,
};
export const EVENT_NAMES = Object.keys(EVENTS) as readonly CacheEventName[];

type Listener<K, E extends CacheEventName> = (event: CacheEvents<K>[E]) => unknown;

/** The listeners of one cache. Nothing is made for an event that nobody listens to. */
export class EventHub<K> {
  readonly #listeners = new Map<CacheEventName, readonly Listener<K, never>[]>();
  /** What is to be told when a change is whole. */
  #held: (() => void)[] | undefined;

  on<E extends CacheEventName>(event: E, listener: Listener<K, E>): () => void {
    // A registration of its own, so that one function registered twice is removed once.
    const registered: Listener<K, E> = (payload) => listener(payload);
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), registered]);
    return () => {
      const rest = (this.#listeners.get(event) ?? []).filter((other) => other !== registered);
      if (rest.length > 0) this.#listeners.set(event, rest);
      else this.#listeners.delete(event);
    };
  }

  /** Whether somebody listens to an event. */
  hears(event: CacheEventName): boolean {
    return this.#listeners.size > 0 && this.#listeners.has(event);
  }

  emit<E extends CacheEventName>(event: E, payload: CacheEvents<K>[E]): void {
    const listeners = this.#listeners.get(event) as readonly Listener<K, E>[] | undefined;
    if (listeners === undefined) return;
    if (this.#held !== undefined) {
      this.#held.push(() => {
        this.emit(event, payload);
      });
      return;
    }
    for (const listener of listeners) {
      try {
        const outcome = listener(payload);
        if (isThenable(outcome)) {
          Promise.resolve(outcome).catch((error: unknown) => this.#faulty(event, error));
        }
      } catch (error) {
        this.#faulty(event, error);
      }
    }
  }

  /** A listener failed, which must not break a read. What an `error` listener throws has nowhere to go. */
  #faulty(event: CacheEventName, error: unknown): void {
    if (event !== 'error') this.emit('error', { error, source: 'listener' });
  }

  /**
   * Makes a change, and tells what happened in it when it is whole: what a listener does to the cache comes
   * after it, in the tier as in memory.
   */
  afterwards<T>(change: () => T): T {
    if (this.#listeners.size === 0 || this.#held !== undefined) return change();
    const held: (() => void)[] = [];
    this.#held = held;
    try {
      return change();
    } finally {
      this.#held = undefined;
      for (const tell of held) tell();
    }
  }

  /** An event that carries nothing but its key. */
  tell(
    event: 'hit' | 'stale' | 'miss' | 'load' | 'set' | 'delete' | 'evict' | 'expire',
    key: K,
  ): void {
    if (this.hears(event)) this.emit(event, { key });
  }

  /** A load has ended. */
  tellLoaded(key: K, ms: number, failed: boolean): void {
    if (this.hears('loaded')) this.emit('loaded', { key, ms, failed });
  }

  /** An error that no caller, or not every caller, gets to see. */
  report(error: unknown, source: ErrorSource, key?: K): void {
    if (!this.hears('error')) return;
    this.emit('error', key === undefined ? { error, source } : { error, source, key });
  }

  clear(): void {
    this.#listeners.clear();
  }
}
