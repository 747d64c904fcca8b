import { TTL } from '../lib/case.mjs';
import { contestant } from '../lib/contestant.mjs';
import { makeKeys } from '../lib/data.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

const CALLERS = 10_000;
const BURSTS = 5;
const KEYS = makeKeys(100_000);

/** @type {import('../lib/case.mjs').Case} */
export const burst = {
  name: 'burst',
  about: `${CALLERS / 1000}k callers at once on one cold key; per caller; baseline a Map of promises`,
  baseline: 'promise-map',
  unit: 'ns',
  variants: (long) => [
    {
      label: 'ttl',
      peers: [
        'lru-cache',
        'layered-loader',
        'p-memoize',
        'memoizee',
        'async-cache-dedupe',
        ...(long ? ['cache-manager', 'cacheable', 'bentocache'] : []),
      ],
    },
  ],
  async measure(names, _variant, seconds) {
    const value = { id: 1, name: 'value' };
    const runners = [];
    for (const name of names) {
      const { open } = await contestant(name);
      let loads = 0;
      let bursts = 0;
      const loader = () =>
        new Promise((/** @type {(v: typeof value) => void} */ resolve) => {
          loads++;
          setImmediate(resolve, value);
        });
      const { get } = open({ maxSize: 1000, ttl: TTL, loader });
      const { crowd } = await loopsFor(name);
      runners.push({
        name,
        count: BURSTS * CALLERS,
        async batch() {
          for (let i = 0; i < BURSTS; i++) await crowd(get, KEYS[bursts++ % KEYS.length], CALLERS);
          if (loads !== bursts) throw new Error(`${name}: ${loads} loads in ${bursts} bursts`);
        },
      });
    }
    return interleave(runners, { seconds, emptyNursery: true });
  },
};
