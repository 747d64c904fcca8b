/** Whether a value is an error, also one of another realm, such as Node's own errors are under Jest. */
export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true;
  if (typeof value !== 'object' || value === null || !('stack' in value)) return false;
  return Object.prototype.toString.call(value) === '[object Error]';
}
