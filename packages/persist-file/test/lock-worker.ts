import { LockFile } from '../src/lock-file.js';
import { FilePersistence } from '../src/file-persistence.js';
import { resolveOptions } from '../src/options.js';

/*
 * Takes the lock of a file, or opens it, tells on standard output how that went, and lives on or not.
 *
 *   node lock-worker.js FILE lock|open stay|leave [HEARTBEAT GRACE]
 */

const [file, what, then, heartbeat, grace] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
  string?,
];

async function take(): Promise<object> {
  if (what === 'lock') {
    const timings = { heartbeat: Number(heartbeat ?? 2000), grace: Number(grace ?? 20_000) };
    return { acquired: (await LockFile.acquire(file, { timings })).acquired };
  }
  await new FilePersistence(file, resolveOptions()).open({
    clock: {
      now: () => Date.now(),
      setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
      clearTimeout: (timer: unknown) => {
        clearTimeout(timer as NodeJS.Timeout);
      },
    },
    restore: () => undefined,
    order: () => [],
    fail: () => undefined,
  });
  return { acquired: 'open' };
}

if (then === 'stay') setInterval(() => undefined, 60_000);
const began = Date.now();
take()
  .catch((error: unknown) => {
    process.exitCode = 1;
    const { code, pid: owner, message } = error as { code?: string; pid?: number; message: string };
    return { code, owner, message };
  })
  .then((told) => {
    process.stdout.write(
      `${JSON.stringify({ pid: process.pid, ms: Date.now() - began, ...told })}\n`,
    );
    if (process.exitCode === 1) process.exit();
  })
  .catch(() => undefined);
