import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { until } from './index.js';

const harness = pathToFileURL(join(__dirname, 'harness.mjs')).href;

/** Starts servers in a process of its own, and gives that process with the ids of theirs. */
async function own(end: string) {
  const script = `
    import { startRedis } from '${harness}';
    const [running, frozen, killed] = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const folders = await Promise.all([running, frozen, killed].map(async (redis) =>
      (await redis.command('CONFIG', 'GET', 'dir'))[1]));
    const pids = [running.pid, frozen.pid];
    await frozen.freeze();
    await killed.kill();
    console.log(JSON.stringify({ pids, folders }));
    ${end}`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(owner, 'exit');
  const [line] = (await once(owner.stdout, 'data')) as [Buffer];
  return { owner, ended, ...(JSON.parse(String(line)) as { pids: number[]; folders: string[] }) };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a server whose owner ends', () => {
  it.each<[how: string, end: string, signal: NodeJS.Signals | null]>([
    ['by itself, without a stop', '', null],
    ['with an error', 'throw new Error()', null],
    ['by SIGTERM', 'setInterval(() => {}, 1e6)', 'SIGTERM'],
    ['by SIGKILL', 'setInterval(() => {}, 1e6)', 'SIGKILL'],
  ])('is gone, with its folder: %s', async (_how, end, signal) => {
    const { owner, ended, pids, folders } = await own(end);
    expect(pids).toHaveLength(2);
    if (signal) {
      expect(pids.map(isAlive)).toEqual([true, true]);
      owner.kill(signal);
    }
    await ended;
    await until('the servers to end', () => !pids.some(isAlive));
    await until('the folders to go', () => !folders.some(existsSync));
  });
});
