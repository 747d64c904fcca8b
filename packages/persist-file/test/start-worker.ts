import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundle } from './bundle.js';
import type { Tasks, ToldError } from './worker.js';

let script: string | undefined;
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

afterAll(() => {
  if (script !== undefined) rmSync(dirname(script), { recursive: true });
});

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote to its standard error. */
  readonly stderr: string;
}

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process with a cache in a file. */
export interface Worker {
  readonly pid: number;
  /** Rejects with what the task told of its error. */
  ask<T extends keyof Tasks>(
    task: T,
    ...args: Parameters<Tasks[T]>
  ): Promise<Awaited<ReturnType<Tasks[T]>>>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<Ending>;
  readonly ended: Promise<Ending>;
}

/**
 * Starts a process of its own. It ends with the test at the latest.
 *
 * @param limit - how large a file it may write, in units of 1024 bytes
 */
export function startWorker({ limit }: { readonly limit?: number } = {}): Worker {
  const node = [process.execPath, workerScript()] as const;
  const command =
    limit === undefined ? node : ['bash', '-c', `ulimit -S -f ${limit}; exec "$0" "$@"`, ...node];
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  running.add(child);
  let stderr = '';
  child.stderr?.on('data', (text: Buffer) => (stderr += String(text)));
  const waiting = new Map<number, Asked>();
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      for (const { reject } of waiting.values()) reject(new Error(`it has ended: ${stderr}`));
      resolve({ code, signal, stderr });
    });
  });
  child.on('message', (message: { id: number; value?: unknown; error?: ToldError }) => {
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.value as never);
    else asked?.reject(Object.assign(new Error(message.error.message), message.error));
  });
  let last = 0;
  return {
    pid: child.pid ?? 0,
    ask: (task, ...given) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        child.send({ id, task, args: given });
      }),
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
    ended,
  };
}

function workerScript(): string {
  if (script !== undefined) return script;
  const folder = mkdtempSync(join(tmpdir(), 'persist-file-worker-'));
  // Whoever it becomes must be able to read it.
  chmodSync(folder, 0o755);
  script = join(folder, 'worker.cjs');
  bundle('worker.ts', script);
  return script;
}
