import { contestant } from '../lib/contestant.mjs';
import { countingLoader, makeKeys, makeUsers, makeValues } from '../lib/data.mjs';
import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

/** Different calls, where they come again. Longer than any cycle that is looked for. */
const CALLS = 256;
/** Calls of a batch of misses, and of each of its sessions. */
const MISSES = 8192;
const SESSION = 512;
/** About 200 B each. */
const ROWS = 20;

/**
 * @typedef {object} Work
 * @property {'guard' | 'read' | 'mutate'} effect
 * @property {boolean} [misses]
 * @property {boolean} [large]
 * @property {boolean} [sdk]
 */

/** @type {Record<string, Work>} */
export const calls = {
  guard: { effect: 'guard' },
  hit: { effect: 'read' },
  'hit, 4 kB': { effect: 'read', large: true },
  miss: { effect: 'read', misses: true },
  mutation: { effect: 'mutate' },
  'hit, ai-sdk': { effect: 'read', sdk: true },
  'miss, ai-sdk': { effect: 'read', misses: true, sdk: true },
};

/** @type {import('../lib/case.mjs').Case} */
export const agentCall = {
  name: 'agent-call',
  about:
    'one awaited call of a tool that answers at once with a small object, in a session: only watched, read from the cache (also an answer of 4 kB), read by running it, and as a mutation; each also without loop detection; `ai-sdk` through the `execute` of a tool of `ai`; baseline the tool itself',
  baseline: 'bare',
  needs: 'wrapTools',
  unit: 'ns',
  runs: (long) => (long ? 5 : 1),
  variants: (long) =>
    Object.entries(calls)
      .filter(
        ([, { large = false, sdk = false, misses = false }]) => long || !(large || (sdk && misses)),
      )
      .map(([label, { sdk = false }]) => ({
        label,
        peers: [...(long ? ['acache-unwatched'] : []), ...(sdk ? ['ai-sdk-tools'] : [])],
      })),
  async measure(names, { label }, seconds) {
    const work = calls[label];
    const runners = [];
    for (const name of names) {
      const runner = await (work.misses ? missing(name, work) : repeating(name, work));
      runners.push({ name, ...runner });
    }
    return interleave(runners, { seconds, emptyNursery: true });
  },
};

/**
 * The same calls again and again, in one session.
 *
 * @param {string} name
 * @param {Work} work
 */
async function repeating(name, { effect, large = false, sdk = false }) {
  const { openCalls } = await contestant(name);
  const { getAwaited } = await loopsFor(name);
  const keys = makeKeys(CALLS);
  const counter = countingLoader(keys, large ? makeLists(CALLS) : makeValues(CALLS));
  const { call, within } = openCalls({ effect, sdk, load: counter.loader });
  await within(() => getAwaited(call, keys, 0, CALLS));
  const isCached = effect === 'read' && name !== 'bare';
  return {
    async batch(/** @type {number} */ from, /** @type {number} */ count) {
      const before = counter.calls;
      await within(() => getAwaited(call, keys, from, count));
      const ran = counter.calls - before;
      if (ran !== (isCached ? 0 : count)) throw new Error(`${name} ran ${ran} of ${count} calls`);
    },
  };
}

/**
 * Calls that are all different, in new sessions.
 *
 * @param {string} name
 * @param {Work} work
 */
async function missing(name, { effect, sdk = false }) {
  const { openCalls } = await contestant(name);
  const { getAwaited } = await loopsFor(name);
  const keys = makeKeys(SESSION);
  const counter = countingLoader(keys, makeValues(SESSION));
  const open = () => openCalls({ effect, sdk, load: counter.loader });
  /** @typedef {ReturnType<typeof open>[]} Sessions */
  return {
    count: MISSES,
    prepare: () => Array.from({ length: MISSES / SESSION }, open),
    async batch(
      /** @type {number} */ _from,
      /** @type {number} */ count,
      /** @type {Sessions} */ sessions,
    ) {
      const before = counter.calls;
      for (const { call, within } of sessions) {
        await within(() => getAwaited(call, keys, 0, SESSION));
      }
      if (counter.calls - before !== count) throw new Error(`${name} did not run each call once`);
    },
  };
}

/** What a search answers. @param {number} count */
function makeLists(count) {
  return makeValues(count).map((value) => ({ ...value, rows: makeUsers(ROWS) }));
}
