import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { startRedis, until, type RedisServer } from '../../../tools/redis/index.js';
import type { Jobs } from './worker.js';

/**
 * Runs a program until standard input ends, as it does when the owner dies, however it dies: then
 * the program is killed, even when it is stopped. The channel is the program's alone.
 */
const guard = `
"$@" &
program=$!
exec 3>&-
read -r _
kill -KILL "$program" 2>/dev/null
`;

type Job = keyof Jobs;
type Answer<J extends Job> = Awaited<ReturnType<Jobs[J]>>;
/** What goes through the channel, in either direction. */
type Message = { id: number; answer?: unknown; error?: string };

/** A process of its own with a cache in it. */
export interface Worker {
  /** Has the process do something. @throws (rejects) what it throws, by its message, and when it is gone */
  ask<J extends Job>(job: J, ...args: Parameters<Jobs[J]>): Promise<Answer<J>>;
  /** What it has printed; nothing, unless something is wrong. */
  readonly log: string;
  readonly isGone: boolean;
  /** Stops the process where it stands, and lets it go on. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

let folder: string | undefined;
let bundle = '';
let running: { kill(): Promise<void> }[] = [];

/** Makes one program of the worker and the sources that it tests: once for each test file. */
function bundled(): string {
  if (folder !== undefined) return bundle;
  folder = mkdtempSync(join(tmpdir(), 'acache-worker-'));
  bundle = join(folder, 'worker.cjs');
  buildSync({
    entryPoints: [join(__dirname, 'worker.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    tsconfig: join(__dirname, '../tsconfig.json'),
  });
  return bundle;
}

/**
 * A Redis and so many processes for all tests of a file.
 *
 * @param use - given them once they run
 */
export function redisAndWorkersForAll(
  count: number,
  use: (redis: RedisServer, workers: Worker[]) => unknown,
): void {
  let redis: RedisServer | undefined;
  beforeAll(async () => {
    const workers = startWorkers(count);
    redis = await startRedis();
    await use(redis, await workers);
  });
  afterAll(() => Promise.all([redis?.stop(), stopWorkers()]));
}

/** Starts so many processes, which live no longer than this one. */
export function startWorkers(count: number): Promise<Worker[]> {
  return Promise.all(Array.from({ length: count }, () => startWorker()));
}

export async function startWorker(): Promise<Worker> {
  const program = [process.execPath, '--enable-source-maps', bundled()];
  // A session of its own: Ctrl-C in the terminal reaches the owner only.
  const child = spawn('/bin/sh', ['-c', guard, 'worker-guard', ...program], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let log = '';
  for (const output of [child.stdout!, child.stderr!]) {
    output.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  child.stdin!.on('error', () => undefined);
  let isGone = false;
  const asked = new Map<number, (message: Message) => void>();
  const gone = new Promise<void>((resolve) => {
    child.once('disconnect', () => {
      isGone = true;
      for (const settle of asked.values()) settle({ id: 0, error: `the worker has ended\n${log}` });
      resolve();
    });
  });
  child.on('message', (message: Message) => {
    asked.get(message.id)?.(message);
  });
  let last = 0;
  const ask: Worker['ask'] = (job, ...args) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      asked.set(id, ({ answer, error }) => {
        asked.delete(id);
        if (error === undefined) resolve(answer as never);
        else reject(new Error(error));
      });
      if (isGone) asked.get(id)!({ id, error: `the worker has ended\n${log}` });
      else child.send({ id, job, args });
    });
  const pid = await ask('pid');
  const worker: Worker = {
    ask,
    get log() {
      return log;
    },
    get isGone() {
      return isGone;
    },
    async freeze() {
      process.kill(pid, 'SIGSTOP');
      if (process.platform !== 'linux') return;
      await until('the process to stop', () =>
        readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '),
      );
    },
    thaw() {
      process.kill(pid, 'SIGCONT');
    },
    async kill() {
      child.stdin!.end();
      await gone;
    },
  };
  running.push(worker);
  return worker;
}

/** Ends them all, the frozen ones too. */
export async function stopWorkers(): Promise<void> {
  const stopped = running;
  running = [];
  await Promise.all(stopped.map((worker) => worker.kill()));
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}
