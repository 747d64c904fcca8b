import type { ObservedCache } from './observed.js';

/** Hears of the loads of caches, and keeps none of them alive. */
export interface LoadEvents {
  /** @returns whether the cache tells of its loads */
  readonly add: (cache: ObservedCache) => boolean;
  readonly stop: () => void;
}

/** @param loaded - told of each load that ends, and how many milliseconds it took */
export function listen(loaded: (cache: ObservedCache, ms: number) => void): LoadEvents {
  const offs = new WeakMap<ObservedCache, () => void>();
  const heard = new Set<WeakRef<ObservedCache>>();
  const collected = new FinalizationRegistry<WeakRef<ObservedCache>>((reference) => {
    heard.delete(reference);
  });
  return {
    add(cache) {
      if (typeof cache.on !== 'function') return false;
      let off: () => void;
      try {
        off = cache.on('loaded', ({ ms }) => {
          loaded(cache, ms);
        });
      } catch {
        // It is closed, or does not tell of loads: its counters are shown all the same.
        return false;
      }
      const reference = new WeakRef(cache);
      offs.set(cache, off);
      heard.add(reference);
      collected.register(cache, reference);
      return true;
    },
    stop() {
      for (const reference of heard) {
        const cache = reference.deref();
        if (cache !== undefined) offs.get(cache)?.();
      }
      heard.clear();
    },
  };
}
