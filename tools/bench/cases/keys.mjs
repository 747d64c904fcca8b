import { interleave } from '../lib/interleave.mjs';
import { loopsFor } from '../lib/loops.mjs';

const COUNT = 4096;
const peers = ['json-with-name', 'safe-stable-stringify', 'object-hash'];

/** @type {Record<string, (i: number) => unknown[]>} */
const calls = {
  'one string': (i) => [`user-${i}`],
  'int, string': (i) => [i, `user-${i % 100}`],
  nested: (i) => [
    { where: { status: 'open', owner: i, labels: ['bug', 'help'] }, page: i % 10, limit: 50 },
  ],
};

/** @type {import('../lib/case.mjs').Case} */
export const keys = {
  name: 'keys',
  about: 'arguments to key, then Map.get; baseline JSON.stringify(args)',
  baseline: 'json-stringify',
  unit: 'ns',
  variants: (long) =>
    Object.keys(calls).map((label) => ({ label, peers: long ? peers : ['json-with-name'] })),
  async measure(names, { label }, seconds) {
    const inputs = Array.from({ length: COUNT }, (_, i) => calls[label](i));
    const runners = [];
    for (const name of names) {
      /** @type {{ encode: (args: unknown[]) => string }} */
      const { encode } = await import(`../contestants/${name}.mjs`);
      const ids = new Map(inputs.map((args, id) => [encode(args), id]));
      if (ids.size !== COUNT) throw new Error(`${name} gives ${ids.size} keys for ${COUNT} inputs`);
      const { findByArguments } = await loopsFor(name);
      const find = (/** @type {unknown[]} */ args) => ids.get(encode(args));
      runners.push({
        name,
        batch: (/** @type {number} */ from, /** @type {number} */ count) =>
          findByArguments(find, inputs, from, count),
      });
    }
    return interleave(runners, { seconds });
  },
};
