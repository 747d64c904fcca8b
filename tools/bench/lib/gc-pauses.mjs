import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The longest pause of garbage collection from now on, of those that nobody forced.
 *
 * @returns {() => Promise<number>} milliseconds
 */
export function watchPauses() {
  let longest = 0;
  const observer = new PerformanceObserver((list) => {
    const entries = /** @type {(PerformanceEntry & { detail: { flags: number } })[]} */ (
      list.getEntries()
    );
    for (const {
      detail: { flags },
      duration,
    } of entries) {
      const isForced = (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
      if (!isForced) longest = Math.max(longest, duration);
    }
  });
  observer.observe({ type: 'gc' });
  return async () => {
    await sleep(1); // entries are handed over in a later turn
    observer.disconnect();
    return longest;
  };
}
