import { isError, type Cache } from '@acache/core';

/** Has a cache keep a value, unless it keeps or loads one; an error where its `errorTtl` says so. */
export function primeCache<C, V>(
  cache: Cache<C, V>,
  key: C,
  value: V | PromiseLike<V> | Error,
): void {
  const load = (): V | PromiseLike<V> => {
    if (isError(value)) throw value;
    return value;
  };
  // Keeps what is there or being loaded, and counts for no hit and no miss. It rejects when the cache is
  // closed, and then it keeps nothing.
  cache.warmup([[key, load]]).catch(() => undefined);
}

/** The promise that stands for a primed value. */
export function primed<V>(value: V | PromiseLike<V> | Error): Promise<V> {
  const promise = isError(value) ? Promise.reject<V>(value) : Promise.resolve<V>(value);
  // Whoever primes a failure does not wait for it.
  promise.catch(() => undefined);
  return promise;
}
