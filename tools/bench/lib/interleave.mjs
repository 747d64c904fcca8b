import { setImmediate as turn } from 'node:timers/promises';

const BATCH_NANOSECONDS = 3e6;
const WARM_UP_MILLISECONDS = 100;
const FEWEST_ROUNDS = 7;
const MOST_ATTEMPTS = 5;

/**
 * One side of a race: `batch(from, count)` does `count` operations and goes on in its inputs where
 * the last batch ended.
 *
 * @typedef {object} Runner
 * @property {string} name
 * @property {(from: number, count: number, prepared: any) => unknown} batch
 * @property {number} [count] operations of a batch where it cannot be chosen; otherwise as many as
 *   take 5 ms
 * @property {() => any} [prepare] untimed, before each batch: fresh caches to fill, say
 * @property {(prepared: any) => void} [dispose] untimed, after each batch
 */

/**
 * Runs the contestants in turns, A B C, B C A, C A B …, and reports nanoseconds per operation of
 * every round, by contestant.
 *
 * @param {Runner[]} runners
 * @param {object} options
 * @param {number} options.seconds of processor time to measure for, after warming up
 * @param {boolean} [options.emptyNursery] collect the young generation before each batch, where
 *   batches leave much garbage: otherwise one contestant pays for the garbage of another
 * @returns {Promise<Record<string, number[]>>}
 */
export async function interleave(runners, { seconds, emptyNursery = false }) {
  const sides = runners.map((runner) => ({ runner, from: 0, count: runner.count ?? 1000 }));
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(runners.map(({ name }) => [name, []]));

  for (const side of sides) {
    const until = performance.now() + WARM_UP_MILLISECONDS;
    let best = Infinity;
    while (performance.now() < until) best = Math.min(best, await runBatch(side, emptyNursery));
    side.count = side.runner.count ?? Math.max(1, Math.round(BATCH_NANOSECONDS / best));
  }
  collectGarbage();

  const { user, system } = process.cpuUsage();
  for (let round = 0, used = 0; round < FEWEST_ROUNDS || used < seconds * 1e6; round++) {
    for (let i = 0; i < sides.length; i++) {
      const side = sides[(round + i) % sides.length];
      times[side.runner.name].push(await runUndisturbed(side, emptyNursery));
    }
    await turn(); // timers of the contestants run here, outside the timed parts
    const now = process.cpuUsage();
    used = now.user + now.system - user - system;
  }
  return times;
}

/** @typedef {{ runner: Runner, from: number, count: number }} Side */

/**
 * Runs a batch again when another process took the core meanwhile. Batches full of garbage collection
 * are taken as they are: there it may have been one's own helper threads.
 *
 * @param {Side} side
 * @param {boolean} emptyNursery
 */
async function runUndisturbed(side, emptyNursery) {
  for (let attempt = 1; ; attempt++) {
    const before = process.resourceUsage().involuntaryContextSwitches;
    const time = await runBatch(side, emptyNursery);
    const disturbed = process.resourceUsage().involuntaryContextSwitches > before;
    if (!disturbed || emptyNursery || attempt === MOST_ATTEMPTS) return time;
  }
}

/**
 * @param {Side} side
 * @param {boolean} emptyNursery
 */
async function runBatch(side, emptyNursery) {
  const prepared = side.runner.prepare?.();
  // A full collection would return pages to the system, and the batch would pay for their faults.
  if (emptyNursery) collectGarbage('minor');
  const start = process.hrtime.bigint();
  const result = side.runner.batch(side.from, side.count, prepared);
  if (typeof result !== 'number') await result;
  const nanoseconds = Number(process.hrtime.bigint() - start);
  side.runner.dispose?.(prepared);
  side.from += side.count;
  return nanoseconds / side.count;
}

/** @param {'minor' | 'all'} [what] */
export function collectGarbage(what = 'all') {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  // With an argument, even `type: 'major'`, it leaves much of what is dead in place (Node 20).
  if (what === 'minor') void globalThis.gc({ type: 'minor' });
  else globalThis.gc();
}
