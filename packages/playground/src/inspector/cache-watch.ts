import { idOf, type CacheEventName, type CacheEvents, type CacheMetrics } from '@acache/core';
import type { AnyCache } from './inspector-options.js';
import { KeyNames, textOf } from './key-names.js';
import type { CacheSnapshot, SeenEvent, SeenKey } from './snapshot.js';

const EVENTS: readonly CacheEventName[] = [
  'hit',
  'stale',
  'miss',
  'load',
  'error',
  'set',
  'delete',
  'evict',
  'expire',
  'invalidate',
  'clear',
  'tier',
];

/** Events of one kind that are kept between two looks: a busy cache must not become busier by being watched. */
const MOST_PER_LOOK = 10;
const MOST_EVENTS = 60;
const MOST_KEYS = 50;

interface WatchOptions {
  readonly showKeys: boolean;
  readonly showValues: boolean;
}

/**
 * Watches one cache, while it is told to. It does not keep the cache alive, and listens to it only
 * between `begin` and `end`.
 */
export class CacheWatch {
  readonly name: string;
  readonly #cache: WeakRef<AnyCache>;
  /** What ends listening, held by the cache itself, since it holds the cache. */
  readonly #ends = new WeakMap<AnyCache, (() => void)[]>();
  readonly #options: WatchOptions;
  readonly #names: KeyNames;
  readonly #events: SeenEvent[] = [];
  readonly #keys = new Map<unknown, { readonly key: unknown; at: number }>();
  readonly #sinceLook = new Map<CacheEventName, number>();

  constructor(name: string, cache: AnyCache, options: WatchOptions) {
    this.name = name;
    this.#cache = new WeakRef(cache);
    this.#options = options;
    this.#names = new KeyNames(options.showKeys);
  }

  begin(): void {
    const cache = this.#cache.deref();
    if (cache === undefined || this.#ends.has(cache)) return;
    try {
      const ends = EVENTS.map((event) =>
        cache.on(event, (told: CacheEvents[CacheEventName]) => {
          this.#note(event, told);
        }),
      );
      this.#ends.set(cache, ends);
    } catch {
      // It is closed: its metrics are still there.
    }
  }

  end(): void {
    const cache = this.#cache.deref();
    for (const end of (cache && this.#ends.get(cache)) ?? []) end();
    if (cache !== undefined) this.#ends.delete(cache);
    this.#events.length = 0;
    this.#keys.clear();
    this.#sinceLook.clear();
    this.#names.clear();
  }

  /** @returns `undefined` when the cache is there no more */
  look(): CacheSnapshot | undefined {
    const cache = this.#cache.deref();
    if (cache === undefined) return undefined;
    this.#sinceLook.clear();
    const metrics: CacheMetrics = cache.getMetrics();
    return {
      name: this.name,
      metrics,
      events: [...this.#events].reverse(),
      keys: this.#options.showKeys ? this.#seenKeys(cache) : null,
    };
  }

  /** Runs within the cache's own call: it must be quick, and may keep no more than it has room for. */
  #note(event: CacheEventName, told: CacheEvents[CacheEventName]): void {
    const count = this.#sinceLook.get(event) ?? 0;
    if (count >= MOST_PER_LOOK) return;
    this.#sinceLook.set(event, count + 1);
    const { key } = told;
    const hasKey = 'key' in told && key !== undefined;
    const at = Date.now();
    this.#events.push({
      at,
      event,
      key: hasKey ? this.#names.nameOf(key) : null,
      detail: this.#detailOf(told),
    });
    if (this.#events.length > MOST_EVENTS) this.#events.shift();
    if (hasKey && this.#options.showKeys) this.#noteKey(key, at);
  }

  #noteKey(key: unknown, at: number): void {
    const id = idOf(key);
    this.#keys.delete(id);
    this.#keys.set(id, { key, at });
    if (this.#keys.size <= MOST_KEYS) return;
    for (const oldest of this.#keys.keys()) {
      this.#keys.delete(oldest);
      break;
    }
  }

  #detailOf(told: CacheEvents[CacheEventName]): string | null {
    const { showKeys, showValues } = this.#options;
    if ('tags' in told) return showKeys ? told.tags.join(', ') : `${told.tags.length} tags`;
    if ('state' in told) return told.state;
    if (!('error' in told)) return null;
    const { error, source } = told;
    // What an error says may hold anything.
    if (showValues) return `${source}: ${textOf(error instanceof Error ? error.message : error)}`;
    const { code } = (error ?? {}) as { code?: unknown };
    return typeof code === 'string' && /^[A-Z_]{1,60}$/.test(code) ? `${source}: ${code}` : source;
  }

  #seenKeys(cache: AnyCache): SeenKey[] {
    const now = Date.now();
    return [...this.#keys.values()].reverse().map(({ key, at }) => {
      const fresh = has(cache, key);
      const shown = fresh && this.#options.showValues;
      return {
        key: textOf(key),
        fresh,
        value: shown ? textOf(cache.peek(key)) : null,
        seen: Math.max(0, now - at),
      };
    });
  }
}

function has(cache: AnyCache, key: unknown): boolean {
  try {
    return cache.has(key);
  } catch {
    return false;
  }
}
