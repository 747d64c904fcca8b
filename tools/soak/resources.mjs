import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** @type {Set<unknown>} */
const timers = new Set();

/**
 * Counts timers from now on. `process.getActiveResourcesInfo()` leaves out those that are unref'd, as
 * all of a cache's are. Call it before what is watched is imported.
 */
export function countTimers() {
  const { clearInterval, clearTimeout, setInterval, setTimeout } = globalThis;
  const counted = (/** @type {Function} */ set, /** @type {boolean} */ once) =>
    Object.defineProperties(
      (/** @type {Function} */ callback, /** @type {unknown[]} */ ...rest) => {
        const timer = set(
          (/** @type {unknown[]} */ ...args) => {
            if (once) timers.delete(timer);
            callback(...args);
          },
          ...rest,
        );
        timers.add(timer);
        return timer;
      },
      // `util.promisify(setTimeout)` must go on to work.
      Object.getOwnPropertyDescriptors(set),
    );
  const forgetting = (/** @type {Function} */ clear) => (/** @type {unknown} */ timer) => {
    timers.delete(timer);
    clear(timer);
  };
  Object.assign(globalThis, {
    setTimeout: counted(setTimeout, true),
    setInterval: counted(setInterval, false),
    clearTimeout: forgetting(clearTimeout),
    clearInterval: forgetting(clearInterval),
  });
}

/**
 * Takes stock; nothing may be going on.
 *
 * @param {AbortSignal} signal that all callers share
 */
export async function takeStock(signal) {
  for (let i = 0; i < 3; i++) {
    await sleep(20); // what was found dead is freed behind the collection, not in it
    globalThis.gc?.();
  }
  const { external, heapUsed, rss } = process.memoryUsage();
  return {
    heap: heapUsed + external,
    rss,
    timers: timers.size,
    handles: process.getActiveResourcesInfo().length,
    listeners:
      getEventListeners(signal, 'abort').length +
      process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}
