import { parseArgs } from 'node:util';

export const USAGE = `usage: npm run soak -- [options]

  --minutes 60   how long
  --redis        with a Redis of its own behind one of the caches, which is frozen and killed from time to time
  --file         with a file behind one of the caches
  --seed 1       of the traffic; timing differs all the same

Prints a line a minute, at least twelve in all, each taken at rest and after garbage collection. Exit code 1: memory,
timers, handles or listeners grew, or an answer was wrong.`;

/**
 * @param {string[]} args
 * @returns `undefined` where only help is wanted
 * @throws {Error} that says what was expected
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      redis: { type: 'boolean', default: false },
      file: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0 && minutes < Infinity)) {
    throw new Error(`--minutes must be a positive number, got '${values.minutes}'`);
  }
  if (!Number.isSafeInteger(seed)) {
    throw new Error(`--seed must be a whole number, got '${values.seed}'`);
  }
  return { ...values, minutes, seed };
}
