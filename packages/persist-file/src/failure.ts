import { CacheError } from '@acache/core';

/** What was told is not durable: the error of `flush`, with the system's own as its `cause`. */
export function notDurable(path: string, cause: unknown): CacheError {
  if (cause instanceof CacheError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CacheError(
    'ERR_ACACHE_NOT_DURABLE',
    `'${path}' could not be written, so what changed is in memory only: ${why}`,
    { cause },
  );
}

/** Something failed that would have been good for the file; all that was flushed is in it. */
export function upkeepFailed(path: string, cause: unknown): CacheError {
  if (cause instanceof CacheError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CacheError(
    'ERR_ACACHE_UPKEEP',
    `'${path}' could not be compacted, or the order of use not be written, which loses nothing: ${why}`,
    { cause },
  );
}

/** A value has no form in bytes; its key is in memory only. */
export function unserializable(key: string, cause: unknown): CacheError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CacheError(
    'ERR_ACACHE_UNSERIALIZABLE',
    `the value of key ${JSON.stringify(key)} cannot be kept in a file: ${why}`,
    { key, cause },
  );
}

/** The file belongs to somebody else by now: nothing is written any more. */
export function lockLost(path: string): CacheError {
  return new CacheError(
    'ERR_ACACHE_LOCK_LOST',
    `'${path}' was taken over by another process, so nothing more is written to it`,
  );
}

/** Tells a listener, whatever it does then. */
export function tell(listener: ((error: Error) => void) | undefined, error: unknown): void {
  try {
    const told: unknown = listener?.(error instanceof Error ? error : new Error(String(error)));
    // It may be asynchronous.
    Promise.resolve(told).catch(() => undefined);
  } catch {
    // Whoever listens must not break what goes on.
  }
}

/** The code of a system error, such as `'ENOENT'`. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
