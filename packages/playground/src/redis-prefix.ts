/** In Redis all that a playground does lies below this, and what others have there is never touched. */
export const REDIS_PREFIX = 'acache-playground';
