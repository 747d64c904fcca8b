import { spawnSync } from 'node:child_process';

/**
 * Runs a command to its end, quietly; shows what it printed only when it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {string} what it printed
 */
export function run(command, args, { cwd, env } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return stdout;
  const what = `${command} ${args.join(' ')}`;
  throw new Error(
    `'${what}' failed: ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`,
  );
}
