/**
 * Whether something can be read once only, such as a stream, a generator or a response, so that there is
 * nothing to keep of it.
 */
export function isOneShot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Symbol.asyncIterator in value || 'bodyUsed' in value) return true;
  return Symbol.iterator in value && typeof (value as { next?: unknown }).next === 'function';
}
