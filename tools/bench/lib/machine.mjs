import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { versionsOf } from './contestant.mjs';

/**
 * @typedef {object} Machine
 * @property {string} node
 * @property {string} processor
 * @property {string} system
 * @property {number} load in processes, over the last minute
 * @property {Record<string, string>} versions of the contestants
 *
 * @param {readonly string[]} contestants
 * @returns {Machine}
 */
export function describeMachine(contestants) {
  const processors = cpus();
  return {
    node: `Node ${process.version} (V8 ${process.versions.v8})`,
    processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    system: `${type()} ${release()}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    load: loadavg()[0],
    versions: versionsOf(contestants),
  };
}

/**
 * More running than this process: the figures will be scattered.
 *
 * @param {Machine} machine
 */
export const isBusy = (machine) => machine.load > cpus().length / 2;
