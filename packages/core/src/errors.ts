/** Codes of the errors that the packages of acache raise: `ERR_ACACHE_…`. */
export type CacheErrorCode = `ERR_ACACHE_${string}`;

/**
 * An error of the cache itself; a loader's own errors are handed on unchanged.
 *
 * Compare `code` rather than the class: it works as well when two copies of a package are installed.
 */
export class CacheError extends Error {
  readonly code: CacheErrorCode;
  /** The key it is about, where there is one. */
  readonly key?: unknown;

  constructor(
    code: CacheErrorCode,
    message: string,
    options: { key?: unknown; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'CacheError';
    this.code = code;
    if ('key' in options) this.key = options.key;
  }
}

/** An option or argument that cannot be meant: says what was expected and what came. */
export class InvalidOptionError extends CacheError {
  constructor(message: string) {
    super('ERR_ACACHE_INVALID_OPTION', message);
    this.name = 'InvalidOptionError';
  }
}

/**
 * A caller waited for a load as long as its `timeout` allows. The load itself may still go on; whoever
 * joined it after the last caller had left is given what a loader makes of its signal, this error maybe.
 */
export class LoadTimeoutError extends CacheError {
  /** The timeout that passed, in milliseconds. */
  readonly timeout: number;

  constructor(cacheName: string, key: unknown, timeout: number) {
    super(
      'ERR_ACACHE_LOAD_TIMEOUT',
      `cache '${cacheName}': the loader did not answer within ${timeout} ms`,
      { key },
    );
    this.name = 'LoadTimeoutError';
    this.timeout = timeout;
  }
}

/** The error of every call on a cache that was closed. */
export function closedError(cacheName: string): CacheError {
  return new CacheError('ERR_ACACHE_CLOSED', `cache '${cacheName}' is closed`);
}
