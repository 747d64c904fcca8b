/**
 * Rejects with the first promise that is broken; resolves to how many were kept.
 * @param {Record<string, () => Promise<void>>} promises
 */
export async function keepAll(promises) {
  for (const [what, keep] of Object.entries(promises)) {
    try {
      await keep();
    } catch (error) {
      throw new Error(`it no longer ${what}: ${error}`, { cause: error });
    }
  }
  return Object.keys(promises).length;
}

export function same(actual, expected) {
  if (!Object.is(actual, expected)) throw new Error(`expected ${expected}, got ${actual}`);
}
