import {
  AsyncCache,
  describeValue,
  InvalidOptionError,
  type AsyncCacheOptions,
} from '@acache/core';
import type { AnyCache } from './any-cache.js';

/** How the results of a function are cached: the options of `AsyncCache`, and what follows. */
export interface CachedOptions<V = any> extends AsyncCacheOptions<any, V> {
  /**
   * How many arguments at the start are no part of the key, such as a database handle.
   * @defaultValue `0`
   */
  skipArgs?: number;
  /**
   * What a call is cached by, instead of its arguments. Takes all arguments, those that `skipArgs` skips
   * included. In a `cache` that is given it is the key, as it is; for a method of `scope: 'instance'` together with the
   * instance, and then only `invalidates` finds it by this.
   */
  key?: (...args: any[]) => unknown;
  /** By which results can be invalidated together; called at every call, hits included. */
  tags?: (...args: any[]) => readonly string[];
  /**
   * A cache to keep results in, instead of one of its own. What it decides itself, such as `maxSize`, can
   * then not be given; `ttl`, stale windows and timeouts can. An anonymous function needs a `name` then.
   */
  cache?: AnyCache;
  /**
   * Whom a method's results are for: `'instance'` keeps those of each instance apart, and an instance can
   * be collected with them; `'class'` shares them. A function is not concerned.
   * @defaultValue `'instance'`
   */
  scope?: 'instance' | 'class';
}

/** The options that a cache decides for all that is in it. */
const OF_THE_CACHE = [
  'maxSize',
  'maxWeight',
  'weigh',
  'policy',
  'jitter',
  'refreshAhead',
  'errorTtl',
  'clone',
  'tier',
  'persistence',
  'batcher',
  'clock',
] as const;

/**
 * Checks the options of a cached function.
 *
 * @throws InvalidOptionError for one that cannot be meant
 */
export function checkCachedOptions(options: CachedOptions): void {
  const { cache, key, scope, skipArgs, tags } = options;
  checkFunction(key, 'key');
  checkFunction(tags, 'tags');
  if (skipArgs !== undefined && !(Number.isInteger(skipArgs) && skipArgs >= 0)) {
    throw new InvalidOptionError(
      `skipArgs must be a whole number of at least 0, got ${describeValue(skipArgs)}`,
    );
  }
  if (scope !== undefined && !['instance', 'class'].includes(scope)) {
    throw new InvalidOptionError(
      `scope must be 'instance' or 'class', got ${describeValue(scope)}`,
    );
  }
  if (cache !== undefined) checkCacheDecides(cache, options);
  // Whatever else cannot be meant is told now, and not by the first call.
  new AsyncCache({ ...cacheOptions(options), tier: undefined, persistence: undefined });
}

/** The defaults that apply: a cache that is given decides the rest. */
export function applicable(defaults: CachedOptions, { cache }: CachedOptions): CachedOptions {
  if (cache === undefined) return defaults;
  const isDecided = new Set<string>(OF_THE_CACHE);
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !isDecided.has(name)));
}

/** The options for a cache of the function's own. */
export function cacheOptions(options: CachedOptions): AsyncCacheOptions {
  const { skipArgs: _1, key: _2, tags: _3, cache: _4, scope: _5, ...own } = options;
  return own;
}

/**
 * Checks that a decorator was called with options, and with nothing else.
 *
 * @param further - what came besides them: what is decorated, where the call was forgotten
 * @throws InvalidOptionError
 */
export function checkOptionsObject(
  options: unknown,
  who: string,
  further: readonly unknown[],
): void {
  if (further.length > 0) {
    throw new InvalidOptionError(`${who} must be called to decorate: @${who}(…), not @${who}`);
  }
  if (typeof options === 'object' && options !== null) return;
  throw new InvalidOptionError(
    `the options of ${who} must be an object, got ${describeValue(options)}`,
  );
}

/** @throws InvalidOptionError when it is no `Cache` */
export function checkCache(cache: unknown): void {
  const { getWithMeta, invalidateTags } = (cache ?? {}) as Partial<AnyCache>;
  if (typeof getWithMeta === 'function' && typeof invalidateTags === 'function') return;
  throw new InvalidOptionError(
    `cache must be a Cache such as new AsyncCache(), got ${describeValue(cache)}`,
  );
}

function checkCacheDecides(cache: unknown, options: CachedOptions): void {
  checkCache(cache);
  const decided = OF_THE_CACHE.filter((name) => options[name] !== undefined);
  if (decided.length === 0) return;
  throw new InvalidOptionError(
    `${decided.join(', ')} cannot be given besides cache, which decides it for all that is in it`,
  );
}

function checkFunction(value: unknown, name: string): void {
  if (value === undefined || typeof value === 'function') return;
  throw new InvalidOptionError(`${name} must be a function, got ${describeValue(value)}`);
}
