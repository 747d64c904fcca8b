import { cachedDecorator, type CachedDecorator } from './cached-decorator.js';
import type { CachedOptions } from './cached-options.js';
import type { NothingElse } from './if-they-take.js';

/**
 * Caches the results of a function or method for a time.
 *
 * ```ts
 * const getPrice = AsyncTTL({ ttl: '30s' })(async (name: string) => shop.priceOf(name));
 * ```
 *
 * @param options - those of `cached`; `ttl` is 60 seconds and `maxSize` 1024 where they are not given
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function AsyncTTL<O extends CachedOptions = CachedOptions>(
  options?: O & NothingElse<O, CachedOptions>,
): CachedDecorator<O>;
export function AsyncTTL(options: CachedOptions = {}, ...further: unknown[]): unknown {
  return cachedDecorator('AsyncTTL', options, further, { ttl: '60s', maxSize: 1024 });
}
