import { InvalidOptionError } from '@acache/core';
import type { AnyCache } from './any-cache.js';
import type { AnyFunction } from './cached-function.js';
import type { CallCache } from './call-cache.js';
import type { CachedOptions } from './cached-options.js';
import { OwnCache } from './own-cache.js';
import { SharedCache } from './shared-cache.js';

/**
 * The cache of a function.
 *
 * @param who - the decorator, as errors name it
 * @throws InvalidOptionError for a function that a shared cache could not tell from another
 */
export function callCacheOf(
  options: CachedOptions,
  fn: AnyFunction,
  who: string,
  name = fn.name,
): CallCache {
  const { cache } = options;
  if (cache === undefined) return new OwnCache(options, name);
  if (options.name !== undefined) return new SharedCache(cache, options, { name: options.name });
  // That of a bound function says only that it is bound.
  if (/^(bound )*$/.test(name)) {
    throw new InvalidOptionError(
      `${who} needs a name for an anonymous function on a cache that is shared: { cache, name: '…' }`,
    );
  }
  claim(cache, name, fn, who);
  return new SharedCache(cache, options, { name });
}

/** Which function has which name in a cache. */
const claims = new WeakMap<AnyCache, Map<string, WeakRef<AnyFunction>>>();

/** Two functions of one name would be given each other's results. */
function claim(cache: AnyCache, name: string, fn: AnyFunction, who: string): void {
  const names = claims.get(cache) ?? new Map<string, WeakRef<AnyFunction>>();
  claims.set(cache, names);
  const other = names.get(name)?.deref();
  if (other !== undefined && other !== fn) {
    throw new InvalidOptionError(
      `${who} needs a name: another function on the same cache is called '${name}', too`,
    );
  }
  names.set(name, new WeakRef(fn));
}
