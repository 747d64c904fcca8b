import { CacheError } from '@acache/core';

/** Replies of a server that is there but cannot serve for now. */
const NOT_NOW = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|BUSY|TRYAGAIN)\b/;

/** Whether a call failed because the server is away, slow or not ready, not because of what was asked. */
export function isOutage(error: unknown): boolean {
  return !isReply(error) || NOT_NOW.test(error.message);
}

/** Whether a key holds something that is no string, and so none of ours. */
export function isWrongType(error: unknown): boolean {
  return isReply(error) && error.message.startsWith('WRONGTYPE');
}

/** Whether the server has answered with an error. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether a call was not even sent, since it is known that Redis does not answer. */
export function isWithheld(error: unknown): boolean {
  return error instanceof CacheError && error.cause === undefined;
}

/** What a call fails with that was not sent, since Redis does not answer. */
export function unavailable(cause?: unknown): CacheError {
  const because = cause instanceof Error ? `: ${cause.message}` : '';
  return new CacheError('ERR_ACACHE_REDIS_UNAVAILABLE', `Redis does not answer${because}`, {
    cause,
  });
}
