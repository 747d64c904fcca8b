/** Keys of a bulk that are under way at once. */
const MOST_AT_ONCE = 250;

/**
 * A bulk in parts that are sent one after the other. Each is timed by itself, so that a large bulk is
 * not taken for a slow server.
 */
export function partsOf<T>(bulk: readonly T[]): readonly (readonly T[])[] {
  if (bulk.length <= MOST_AT_ONCE) return [bulk];
  const parts: (readonly T[])[] = [];
  for (let at = 0; at < bulk.length; at += MOST_AT_ONCE) {
    parts.push(bulk.slice(at, at + MOST_AT_ONCE));
  }
  return parts;
}
