import type { AnyFunction, CachedFunction } from './cached-function.js';
import { cachedDecorator, type CachedDecorator } from './cached-decorator.js';
import type { CachedOptions } from './cached-options.js';
import type { NothingElse } from './if-they-take.js';
import { isStandardContext } from './standard-method.js';

/** What a method decorator is told is no options, though it has a `name`: `cached` has to be called first. */
interface NoContext {
  addInitializer?: never;
}

/** The options for one function, whose types they know. */
export interface FunctionOptions<F extends AnyFunction> extends CachedOptions<
  Awaited<ReturnType<F>>
> {
  key?: (...args: Parameters<F>) => unknown;
  tags?: (...args: Parameters<F>) => readonly string[];
}

/**
 * Caches a function by its arguments, or a method as a decorator of either kind.
 *
 * ```ts
 * const getUser = cached(async (id: number) => database.findUser(id), { ttl: '5m' });
 * await getUser(42);
 * await getUser.refresh(42);
 * ```
 *
 * @throws InvalidOptionError for an option that cannot be meant, for a generator, and for an anonymous
 *   function without a `name` on a `cache` that is given
 */
export function cached<F extends AnyFunction>(
  fn: F,
  options?: FunctionOptions<F> & NoContext,
): CachedFunction<F>;
export function cached<O extends CachedOptions = CachedOptions>(
  options?: O & NothingElse<O, CachedOptions>,
): CachedDecorator<O>;
export function cached(first: unknown = {}, ...further: unknown[]): unknown {
  const [options = {}] = further;
  if (typeof first !== 'function' || further.length > 1 || isStandardContext(options)) {
    return cachedDecorator('cached', first as CachedOptions, further);
  }
  const wrap = cachedDecorator('cached', options as CachedOptions, []) as (fn: unknown) => unknown;
  return wrap(first);
}
