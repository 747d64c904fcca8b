import { cachedDecorator, type CachedDecorator } from './cached-decorator.js';
import type { CachedOptions } from './cached-options.js';
import type { NothingElse } from './if-they-take.js';

/**
 * Caches the last results of a function or method; the least recently used goes for room.
 *
 * ```ts
 * const getUser = AsyncLRU({ maxSize: 1000 })(async (id: number) => database.findUser(id));
 * ```
 *
 * @param options - those of `cached`; `maxSize` is 128 where it is not given
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function AsyncLRU<O extends CachedOptions = CachedOptions>(
  options?: O & NothingElse<O, CachedOptions>,
): CachedDecorator<O>;
export function AsyncLRU(options: CachedOptions = {}, ...further: unknown[]): unknown {
  return cachedDecorator('AsyncLRU', options, further);
}
