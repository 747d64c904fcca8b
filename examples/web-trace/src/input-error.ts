/** The user asked for something that cannot be meant: told in one line, without a stack trace. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** True for our own refusals and for those of core, which checks the cache's options. */
export function isInputError(error: unknown): error is Error {
  return (
    error instanceof InputError ||
    (error instanceof Error && 'code' in error && error.code === 'ERR_ACACHE_INVALID_OPTION')
  );
}
