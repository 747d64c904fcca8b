import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockFile, lockHolder, lockPathOf } from '../src/lock-file.js';
import type { LockOwner } from '../src/lock-record.js';
import { bundle } from './bundle.js';
import { inFolder, openSession, until } from './host.js';

/** The first process of each is number 1 there, as in a container. */
const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const ISOLATED = [...CONTAINER, '--net', '--uts', '--ipc'];
const isPermitted = spawnSync(ISOLATED[0] ?? '', [...ISOLATED.slice(1), 'true']).status === 0;
if (!isPermitted) {
  console.warn('Not tested: locks across pid namespaces. `unshare` needs Linux and root.');
}
/** Here nothing is waited for, unless the heartbeat has to tell: then the test would take 20 s. */
const AT_ONCE = 4000;
const QUICK = ['50', '600'];

interface Told {
  readonly pid: number;
  readonly ms: number;
  readonly acquired?: string;
  readonly code?: string;
  readonly owner?: number;
}

let home: string;
let worker: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'persist-file-locks-'));
  worker = join(home, 'worker.cjs');
  bundle('lock-worker.ts', worker);
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

afterEach(async () => {
  await Promise.all([...running].map((child) => killed(child)));
});

/** A process with the lock, or without it. */
interface Contender {
  readonly child: ChildProcess;
  /** Of the process itself, as it is known here; `child` may only have started it. `NaN` once it ended. */
  readonly pid: number;
  readonly told: Told;
}

/** Starts a process and waits for what it tells. */
async function contend(prefix: readonly string[], ...args: string[]): Promise<Contender> {
  const [command = '', ...rest] = [...prefix, process.execPath, worker, ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  running.add(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await until(() => text.includes('\n') || child.exitCode !== null, 20_000);
  const told = JSON.parse(text) as Told;
  const pid = prefix.length === 0 ? child.pid : await childOf(child.pid);
  return { child, pid: pid ?? NaN, told };
}

async function childOf(pid: number | undefined): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text === '' ? undefined : Number(text.trim());
}

async function killed(child: ChildProcess, pid = child.pid): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  const end = new Promise((resolve) => child.once('exit', resolve));
  if (!hasEnded) {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await end;
  }
  running.delete(child);
}

async function ownerOf(path: string): Promise<LockOwner> {
  return JSON.parse(await readFile(lockPathOf(path), 'utf8')) as LockOwner;
}

const withNamespaces = isPermitted ? describe : describe.skip;

withNamespaces('the lock of a process in another container', () => {
  it.each([
    ['pids of its own', CONTAINER],
    ['a network of its own, too', ISOLATED],
  ])('is taken over at once when that is dead: %s', (_, prefix) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const owner = await contend(prefix, path, 'open', 'stay');
      expect(owner.told).toMatchObject({ pid: 1, acquired: 'open' });
      await killed(owner.child, owner.pid);
      const next = await contend(prefix, path, 'lock', 'stay');
      expect(next.told).toMatchObject({ pid: 1, acquired: 'dead owner' });
      expect(next.told.ms).toBeLessThan(AT_ONCE);
      await killed(next.child, next.pid);
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }),
  );

  it('is refused at once while that lives, where both are number 1', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const owner = await contend(ISOLATED, path, 'open', 'stay');
      const other = await contend(ISOLATED, path, 'open', 'stay');
      expect(other.told).toMatchObject({ pid: 1, code: 'ERR_ACACHE_LOCKED', owner: 1 });
      expect(other.told.ms).toBeLessThan(AT_ONCE);
      await expect(openSession(path)).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED', pid: 1 });
      expect(await lockHolder(path)).toMatchObject({ isAlive: true });
      await killed(owner.child, owner.pid);
      expect(await lockHolder(path)).toMatchObject({ isAlive: false });
    }));

  it('is never taken from one that is frozen, however often it is tried', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const owner = await contend(ISOLATED, path, 'lock', 'stay', ...QUICK);
      process.kill(owner.pid, 'SIGSTOP');
      // By its heartbeat alone it would be dead by now.
      await until(
        async () => Date.now() - (await stat(lockPathOf(path))).mtimeMs > Number(QUICK[1]),
      );
      // Its queue has room for some hundreds; a full one proves as much.
      for (let tries = 0; tries < 700; tries++) {
        await expect(
          LockFile.acquire(path, { timings: { heartbeat: 1, grace: 10 } }),
        ).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED', pid: 1 });
      }
      const other = await contend(CONTAINER, path, 'lock', 'stay', ...QUICK);
      expect(other.told).toMatchObject({ code: 'ERR_ACACHE_LOCKED', owner: 1 });
      process.kill(owner.pid, 'SIGCONT');
      await until(async () => (await readdir(folder)).length === 2);
    }));

  it('is found behind names and folders that are long', () =>
    inFolder(async (root) => {
      const folder = join(root, ...Array.from({ length: 5 }, () => 'd'.repeat(200)));
      await mkdir(folder, { recursive: true });
      const path = join(folder, 'n'.repeat(200));
      const owner = await contend(ISOLATED, path, 'lock', 'stay');
      expect((await ownerOf(path)).socket).toMatchObject({ ino: expect.any(Number) });
      await expect(LockFile.acquire(path)).rejects.toMatchObject({ pid: 1 });
      await killed(owner.child, owner.pid);
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }));

  it.each(['leave', 'stay'])('goes by its heartbeat where it has no socket: %s', (then) =>
    inFolder(async (folder) => {
      // There is room for the name of the lock, and none for that of the socket.
      const path = join(folder, 'n'.repeat(210));
      await contend(CONTAINER, path, 'lock', then, ...QUICK);
      expect((await ownerOf(path)).socket).toBeNull();
      const other = await contend(CONTAINER, path, 'lock', 'stay', ...QUICK);
      // Where the next namespace is given the number of the one that is gone, the owner is known to be dead.
      const acquired = expect.stringMatching(/^(silent|dead) owner$/);
      expect(other.told).toMatchObject(
        then === 'leave' ? { acquired } : { code: 'ERR_ACACHE_LOCKED', owner: 1 },
      );
    }),
  );
});

describe('a process that has the lock', () => {
  it('may end all the same, and the next one takes over at once', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const owner = await contend([], path, 'lock', 'leave');
      await until(() => owner.child.exitCode !== null);
      expect(owner.child.exitCode).toBe(0);
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }));

  (isPermitted ? it : it.skip)('may end by itself in a container, which is known at once', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const owner = await contend(ISOLATED, path, 'lock', 'leave');
      await until(() => owner.child.exitCode !== null);
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }),
  );
});
