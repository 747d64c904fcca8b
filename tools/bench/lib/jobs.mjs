import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { peerNames } from './contestant.mjs';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));
const PATIENCE_MILLISECONDS = 180_000;

/** Which runs are repeated most: those that decide whether a goal is reached. */
const RIVALS = ['lru-cache', 'dataloader'];

/** The name of what is measured, among the contestants. */
export const SUBJECT = 'acache';

/**
 * What one process measures.
 *
 * @typedef {object} Job
 * @property {string} case
 * @property {import('./case.mjs').Variant} variant
 * @property {string[]} contestants
 * @property {number} seconds
 * @property {string} [folder] for its files
 * @property {boolean} [prepares] whether it makes what the others of its variant read
 *
 * A job for each row of the table: one contestant with the baseline and the subject beside it.
 * @typedef {{ contestant: string, jobs: Job[] }} RowPlan
 * @typedef {{ case: import('./case.mjs').Case, variant: import('./case.mjs').Variant, rows: RowPlan[], missing?: string }} Plan
 *
 * @typedef {object} PlanOptions
 * @property {readonly import('./case.mjs').Case[]} cases
 * @property {readonly string[]} [peers] only these
 * @property {readonly string[]} exports of the module that is measured
 * @property {boolean} long
 */

/**
 * @param {PlanOptions} options
 * @returns {Plan[]}
 */
export function plan({ cases, peers, exports, long }) {
  const seconds = long ? 2 : 0.3;
  return cases.flatMap((measured) => {
    const { needs = 'AsyncCache' } = measured;
    const subject = exports.includes(needs);
    return measured.variants(long).map((variant) => {
      const others = variant.peers.filter(
        // A limit among them is no one's package, and always takes part.
        (peer) => peers === undefined || peers.includes(peer) || !peerNames.includes(peer),
      );
      const contestants = [...(subject ? [SUBJECT] : []), ...others];
      const rows = (measured.alone ? [measured.baseline, ...contestants] : contestants).map(
        (contestant) => {
          const together = measured.alone
            ? [contestant]
            : [...new Set([measured.baseline, contestant, ...(subject ? [SUBJECT] : [])])];
          const job = { case: measured.name, variant, contestants: together, seconds };
          const decides = contestant === SUBJECT || RIVALS.includes(contestant);
          const same = measured.unit === 'B'; // bytes come out alike every time
          const runs = measured.runs?.(long) ?? (long ? (same ? 2 : 5) : decides && !same ? 2 : 1);
          return { contestant, jobs: Array.from({ length: runs }, () => job) };
        },
      );
      return { case: measured, variant, rows, ...(subject ? {} : { missing: needs }) };
    });
  });
}

/**
 * @param {Job} job
 * @param {Pick<import('./case.mjs').Case, 'nodeFlags' | 'patience'>} measured the job's case
 * @returns {Promise<import('./case.mjs').Samples>}
 */
export function run(job, { nodeFlags = [], patience = PATIENCE_MILLISECONDS }) {
  return new Promise((resolve, reject) => {
    // A young generation of constant size, so that no contestant runs while it grows.
    const flags = ['--expose-gc', '--min-semi-space-size=16', ...nodeFlags];
    const child = spawn(process.execPath, [...flags, CHILD, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patience,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(JSON.parse(out.trimEnd().split('\n').at(-1) ?? ''));
      const reason =
        /^\w*Error(?: \[\w+\])?: (.*)$/m.exec(err)?.[1] ?? err.trim().split('\n').at(-1);
      reject(new Error(signal === null ? reason : `ended by ${signal}`));
    });
  });
}
