import type { AnyCache } from './any-cache.js';
import type { CachedOptions } from './cached-options.js';

/** The caches that `invalidates` reaches without being given one. */
interface Reachable {
  /** Of functions with `tags`. */
  readonly tagged: Set<WeakRef<AnyCache>>;
  /** Of functions with `key`. */
  readonly keyed: Set<WeakRef<AnyCache>>;
}

/** Known by a symbol of the platform, so that the ESM and the CJS copy of this package share it. */
const REACHABLE = Symbol.for('@acache/decorators: reachable caches');

/** Takes a function's own cache in. Only weakly: an instance and its cache can be collected. */
export function makeReachable(cache: AnyCache, { key, tags }: CachedOptions): void {
  const { keyed, tagged } = all();
  const ref = new WeakRef(cache);
  if (tags !== undefined) enter(tagged, cache, ref);
  if (key !== undefined) enter(keyed, cache, ref);
}

/** The caches that are still alive of functions with `tags`, or with `key`. */
export function reachableCaches(by: keyof Reachable): AnyCache[] {
  return Array.from(all()[by], (ref) => ref.deref()).filter((cache) => cache !== undefined);
}

/** Forgets the references to caches that were collected. */
const collected = new FinalizationRegistry<() => void>((forget) => {
  forget();
});

function enter(set: Set<WeakRef<AnyCache>>, cache: AnyCache, ref: WeakRef<AnyCache>): void {
  set.add(ref);
  collected.register(cache, () => {
    set.delete(ref);
  });
}

function all(): Reachable {
  const home = globalThis as { [REACHABLE]?: Reachable };
  return (home[REACHABLE] ??= { tagged: new Set(), keyed: new Set() });
}
