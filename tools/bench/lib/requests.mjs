import { contestant } from './contestant.mjs';
import { makeValues } from './data.mjs';
import { loopsFor } from './loops.mjs';

const LOADS = 10_000;

const peers = ['dataloader'];

/**
 * Requests by how many keys each of them loads.
 *
 * @param {boolean} long
 * @returns {import('./case.mjs').Variant[]}
 */
export const requests = (long) => [
  { label: '10 keys', entries: 10, peers },
  { label: '100 keys', entries: 100, peers },
  { label: '10k keys', entries: 10_000, peers },
  ...(long
    ? [
        { label: '100 keys, each once', entries: 100, once: true, peers },
        { label: '100 keys, not kept', entries: 100, keep: false, peers },
      ]
    : []),
];

/**
 * A batch of requests, one after another. Each makes a loader, loads its keys at once, and awaits them
 * all.
 *
 * @param {string} name of a contestant
 * @param {import('./case.mjs').Variant} variant
 */
export async function requestsOf(name, { entries = 0, keep = true, once = false }) {
  const { openLoader } = await contestant(name);
  const { loadTogether } = await loopsFor(name);
  const values = makeValues(entries);
  const ids = values.flatMap(({ id }) => (id % 4 === 3 && !once ? [id, id >> 1] : [id]));
  const count = Math.ceil(LOADS / ids.length);
  const expected = count * (keep ? entries : ids.length);
  let loaded = 0;
  const loadMany = async (/** @type {readonly number[]} */ wanted) => {
    loaded += wanted.length;
    return wanted.map((id) => values[id]);
  };
  return {
    /** How many loads `run` makes. */
    count: count * ids.length,
    async run() {
      loaded = 0;
      for (let i = 0; i < count; i++) await loadTogether(openLoader(loadMany, keep), ids);
      if (loaded !== expected) throw new Error(`${name} loaded ${loaded} keys, not ${expected}`);
    },
  };
}
