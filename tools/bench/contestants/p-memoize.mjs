import pMemoize from 'p-memoize';

/**
 * On its default `Map`: neither bound nor ttl.
 *
 * @type {import('../lib/contestant.mjs').Open}
 */
export const open = ({ loader }) => ({ get: pMemoize(loader) });
