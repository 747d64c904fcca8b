import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that it does nothing for. */
const REST = 2000;

/**
 * The limit of a stall: a `Map` in memory and nothing written or read. Its gaps are the machine's.
 *
 * @type {import('../lib/contestant.mjs').OpenStore}
 */
export const openStore = () => {
  const map = new Map();
  return {
    set(keys, values) {
      for (let i = 0; i < keys.length; i++) map.set(keys[i], values[i]);
    },
    flush: () => sleep(REST),
    get: (key) => map.get(key),
    close: () => undefined,
  };
};

/** @type {import('../lib/contestant.mjs').Restoring} */
export const restoring = () => async () => {
  await sleep(REST);
  return { size: 0, get: () => undefined };
};
