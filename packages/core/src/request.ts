import type { Batcher } from './batcher.js';
import type { GetOptions, GetManyOptions, ResolvedOptions } from './cache-options.js';
import { describeValue } from './describe-value.js';
import { toMilliseconds, ttlToMilliseconds, type Ttl } from './duration.js';
import { CacheError, InvalidOptionError } from './errors.js';
import type { Loader } from './loader.js';
import { checkTags } from './tags.js';

/** The options of one read, checked and in milliseconds. `undefined`: as the cache has it. */
export interface Request<K, V> {
  readonly ttl: number | ((value: V, key: K) => Ttl) | undefined;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
  readonly tags: readonly string[] | ((value: V, key: K) => readonly string[]) | undefined;
  readonly errorTtl: ResolvedOptions<K, V>['errorTtl'];
  readonly refresh: boolean;
  readonly timeout: number;
  readonly softTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** A read with no options of its own. */
export function plainRequest<K, V>(options: ResolvedOptions<K, V>): Request<K, V> {
  return {
    ttl: undefined,
    staleWhileRevalidate: undefined,
    staleIfError: undefined,
    tags: undefined,
    errorTtl: options.errorTtl,
    refresh: false,
    timeout: options.timeout,
    softTimeout: options.softTimeout,
    signal: undefined,
  };
}

/**
 * Checks the options of one read.
 *
 * @throws InvalidOptionError for one that cannot be meant
 */
export function resolveRequest<K, V>(
  options: GetOptions<K, V>,
  cache: ResolvedOptions<K, V>,
): Request<K, V> {
  const { ttl, tags, staleWhileRevalidate, staleIfError, timeout, softTimeout, signal } = options;
  const { errorTtl = cache.errorTtl } = options;
  checkSignal(signal);
  return {
    ttl: ttl === undefined || typeof ttl === 'function' ? ttl : ttlToMilliseconds(ttl),
    staleWhileRevalidate:
      staleWhileRevalidate === undefined
        ? undefined
        : toMilliseconds(staleWhileRevalidate, 'staleWhileRevalidate'),
    staleIfError:
      staleIfError === undefined ? undefined : toMilliseconds(staleIfError, 'staleIfError'),
    tags: tags === undefined || typeof tags === 'function' ? tags : checkTags(tags),
    errorTtl: typeof errorTtl === 'function' ? errorTtl : toMilliseconds(errorTtl, 'errorTtl'),
    refresh: options.refresh === true,
    timeout: timeout === undefined ? cache.timeout : toMilliseconds(timeout, 'timeout'),
    softTimeout:
      softTimeout === undefined ? cache.softTimeout : toMilliseconds(softTimeout, 'softTimeout'),
    signal,
  };
}

/**
 * The loader that the options of a read name, if they name one.
 *
 * @throws CacheError `ERR_ACACHE_NO_BATCHER` for a `batchLoader` in a cache without a batcher
 */
export function loaderOf<K, V>(
  options: GetManyOptions<K, V>,
  batcher: Batcher | undefined,
): Loader<K, V> | undefined {
  const { loader, batchLoader, loadMany } = options;
  checkLoader(loader, 'loader');
  checkLoader(batchLoader, 'batchLoader');
  checkLoader(loadMany, 'loadMany');
  if (batchLoader === undefined) return loader;
  if (loader !== undefined) {
    throw new InvalidOptionError('loader and batchLoader exclude each other, got both');
  }
  if (batcher === undefined) {
    throw new CacheError(
      'ERR_ACACHE_NO_BATCHER',
      'batchLoader needs a batcher in the options of the cache, such as createBatcher() of @acache/batch',
    );
  }
  return (key, context) => batcher.load(key, batchLoader, context);
}

function checkLoader(loader: unknown, name: string): void {
  if (loader === undefined || typeof loader === 'function') return;
  throw new InvalidOptionError(`${name} must be a function, got ${describeValue(loader)}`);
}

function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown };
  if (typeof addEventListener === 'function') return;
  throw new InvalidOptionError(`signal must be an AbortSignal, got ${describeValue(signal)}`);
}
