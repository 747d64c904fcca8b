import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeValues } from '../lib/data.mjs';
import { collectGarbage } from '../lib/interleave.mjs';

const ENTRIES = 1_000_000;
const TTL = 3000;
const WATCH_AFTER = 4000;

/** @type {import('../lib/case.mjs').Case} */
export const expiry = {
  name: 'expiry',
  about:
    'longest gap between ticks of a 1 ms timer while 1M entries expire in an idle process; baseline a Map emptied in 1 ms slices',
  baseline: 'sliced-map',
  unit: 'ms',
  alone: true,
  runs: (long) => (long ? 5 : 1),
  variants: (long) => [
    { label: '1M', peers: ['lru-autopurge', ...(long ? ['lru-purge-stale'] : [])] },
  ],
  async measure([name]) {
    const { open } = await contestant(name);
    const keys = makeKeys(ENTRIES);
    const values = makeValues(ENTRIES);
    const { loader } = countingLoader([], []);
    collectGarbage();

    const opened = performance.now();
    const cache = open({ maxSize: ENTRIES, ttl: TTL, loader });
    const { set } = cache;
    if (set === undefined) throw new Error(`${name} has no set`);
    for (let i = 0; i < ENTRIES; i++) {
      set(keys[i], values[i]);
      if (i % 10_000 === 0) await turn(); // lest a timer of the cache starts with a clock of long ago
    }
    const filled = performance.now();
    collectGarbage();
    if (performance.now() - opened > TTL * 0.75) throw new Error('this machine fills too slowly');

    // perf_hooks.monitorEventLoopDelay misses stalls of this kind; gaps of a timer do not.
    let last = performance.now();
    let longest = 0;
    const ticks = setInterval(() => {
      const now = performance.now();
      if (now - last > longest) longest = now - last;
      last = now;
    }, 1);
    await sleep(filled + TTL + WATCH_AFTER - performance.now());
    clearInterval(ticks);
    if (cache.size?.() !== 0) throw new Error(`${name} still holds ${cache.size?.()} entries`);
    return { [name]: [longest] };
  },
};
