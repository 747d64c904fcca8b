import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { watch } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { execFileSync, spawn } from 'node:child_process';
import { entryOf, inFolder, openSession, until, valuesOf } from '../test/host.js';
import { systemClock } from '@acache/core';
import { Claim } from './claim.js';
import { FilePersistence } from './file-persistence.js';
import { LockFile, lockHolder, lockPathOf } from './lock-file.js';
import { resolveOptions } from './options.js';
import { ownIdentity } from './process-identity.js';

const longAgo = new Date(Date.now() - 3_600_000);
const timings = { heartbeat: 50, grace: 500 };
const elsewhere = { namespace: 'pid:[1]' };

async function timed<T>(task: Promise<T>): Promise<[result: T, ms: number]> {
  const began = performance.now();
  const result = await task;
  return [result, performance.now() - began];
}

async function leaveLock(path: string, owner: object | string, mtime = new Date()): Promise<void> {
  const text = typeof owner === 'string' ? owner : JSON.stringify({ nonce: 'x', ...owner });
  await writeFile(lockPathOf(path), text);
  await utimes(lockPathOf(path), mtime, mtime);
}

/** Waits until somebody looks for signs of life: at first it asks what time it is in the folder, with a file. */
function untilWatched(path: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(dirname(path), { persistent: false }, (_, name) => {
      if (name?.startsWith('cache.lock.') !== true) return;
      watcher.close();
      resolve();
    });
  });
}

/** Waits until this process reads and writes no file. */
async function untilFilesRest(): Promise<void> {
  await until(
    () => !process.getActiveResourcesInfo().some((name) => /^(FS|FileHandle)/i.test(name)),
  );
}

describe('LockFile', () => {
  it('keeps a second one out, in the same process too, and tells who has it', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = await openSession(path);
      first.persistence.set('k', entryOf(1));
      await first.persistence.flush();
      const before = await readFile(path);
      await expect(openSession(path)).rejects.toMatchObject({
        code: 'ERR_ACACHE_LOCKED',
        pid: process.pid,
        message: expect.stringContaining(`process ${process.pid} (this one)`),
      });
      expect((await readFile(path)).equals(before)).toBe(true);
      await first.persistence.close();
      const second = await openSession(path);
      expect(valuesOf(second)).toEqual({ k: 1 });
      await second.persistence.close();
    }));

  it('takes over from a process that has ended', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const child = spawn(process.execPath, ['-e', '']);
      await new Promise((resolve) => child.once('exit', resolve));
      await leaveLock(path, { ...ownIdentity(), pid: child.pid });
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
      await expect(stat(lockPathOf(path))).rejects.toThrow('ENOENT');
    }));

  it('takes over from a process whose pid another one has by now', () =>
    inFolder(async (folder) => {
      const own = ownIdentity();
      if (own.started === null) return;
      const path = join(folder, 'cache');
      await leaveLock(path, { ...own, started: '1' });
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('dead owner');
      await lock.release();
    }));

  it.each([
    ['another container', elsewhere],
    ['another machine', { boot: 'other', host: 'other' }],
  ])('goes by signs of life alone for a process in %s', (_, place) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), ...place });
      const [lock, ms] = await timed(LockFile.acquire(path, { timings }));
      expect(lock.acquired).toBe('silent owner');
      expect(ms).toBeGreaterThan(timings.grace / 2);
      await lock.release();
    }),
  );

  it.each(['', '{', 'null', '{"pid":"1"}'])('judges a lock that says %p by its age', (text) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, text, longAgo);
      const [lock, ms] = await timed(
        LockFile.acquire(path, { timings: { ...timings, grace: 60_000 } }),
      );
      expect([lock.acquired, ms < 10_000]).toEqual(['silent owner', true]);
      await lock.release();
    }),
  );

  it('lets one of many take over', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), started: '1' });
      const tries = await Promise.allSettled(
        Array.from({ length: 20 }, () => LockFile.acquire(path)),
      );
      const taken = tries.filter(({ status }) => status === 'fulfilled');
      expect(taken.length).toBe(1);
      expect(await lockHolder(path)).toMatchObject({ owner: { pid: process.pid }, isAlive: true });
    }));

  it('is no longer written under when it was lost', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path);
      session.persistence.set('k', entryOf(1));
      await session.persistence.flush();
      const before = await readFile(path);
      await writeFile(join(folder, 'other'), 'other');
      await rename(join(folder, 'other'), lockPathOf(path));
      session.persistence.set('k', entryOf(2));
      await expect(session.persistence.flush()).rejects.toMatchObject({
        code: 'ERR_ACACHE_LOCK_LOST',
      });
      expect((await readFile(path)).equals(before)).toBe(true);
      await session.persistence.close().catch(() => undefined);
      expect(await readFile(lockPathOf(path), 'utf8')).toBe('other');
    }));
});

describe('an owner of whom only signs of life can be known', () => {
  it.each([
    ['as it is', 0],
    ['an hour behind', -3_600_000],
    ['an hour ahead', 3_600_000],
  ])('keeps its lock with one beat, its clock being %s', (_, ahead) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const at = Date.now() + ahead;
      await leaveLock(path, { ...ownIdentity(), ...elsewhere }, new Date(at));
      const watched = untilWatched(path);
      const waiting = LockFile.acquire(path, { timings: { heartbeat: 1000, grace: 20_000 } });
      waiting.catch(() => undefined);
      await watched;
      await utimes(lockPathOf(path), new Date(at + 1000), new Date(at + 1000));
      const owner = { code: 'ERR_ACACHE_LOCKED', pid: process.pid };
      await expect(waiting).rejects.toMatchObject(owner);
      expect(await readdir(folder)).toEqual(['cache.lock']);
    }),
  );

  it('counts as alive when nobody wants to wait any more', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      const claim = new Claim(path);
      const watched = untilWatched(path);
      const waiting = claim.ensure();
      waiting.catch(() => undefined);
      await watched;
      claim.stopWaiting();
      const locked = { code: 'ERR_ACACHE_LOCKED', pid: process.pid };
      const [, ms] = await timed(expect(waiting).rejects.toMatchObject(locked));
      expect(ms).toBeLessThan(2000);
      await expect(claim.ensure()).rejects.toMatchObject(locked);
      await claim.release();
      expect(await readdir(folder)).toEqual(['cache.lock']);
    }));

  it('is disputed after it was silent, and its lock is free when it is given back', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      const claim = new Claim(path, timings);
      expect([await claim.ensure(), claim.isDisputed]).toEqual(['new', true]);
      await claim.release();
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      const watched = untilWatched(path);
      const waiting = LockFile.acquire(path, { timings: { heartbeat: 40, grace: 20_000 } });
      await watched;
      await rm(lockPathOf(path));
      const lock = await waiting;
      expect(lock.acquired).toBe('free');
      await lock.release();
      expect(await readdir(folder)).toEqual([]);
    }));
});

describe('a cache whose file may be in use', () => {
  it('opens it once its owner was silent for long, and writes it anew before anything is added', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = await openSession(path);
      first.persistence.set('a', entryOf(1));
      await first.persistence.close();
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      const before = await open(path);
      const { size } = await before.stat();
      const session = await openSession(path, {}, { lockTimings: timings });
      expect(valuesOf(session)).toEqual({ a: 1 });
      session.persistence.set('b', entryOf(2));
      await session.persistence.flush();
      const { ino, size: left } = await before.stat();
      expect(left).toBe(size);
      expect((await stat(path)).ino).not.toBe(ino);
      await before.close();
      await session.persistence.close();
      expect(await readdir(folder)).toEqual(['cache']);
    }));

  it('can be closed while it waits', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      const persistence = new FilePersistence(path, resolveOptions());
      const host = {
        clock: systemClock(),
        restore: () => undefined,
        order: () => [],
        fail: () => undefined,
      };
      const watched = untilWatched(path);
      const opening = persistence.open(host);
      opening.catch(() => undefined);
      await watched;
      const [, ms] = await timed(persistence.close());
      expect(ms).toBeLessThan(2000);
      await expect(opening).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED' });
      expect(await readdir(folder)).toEqual(['cache.lock']);
    }));
});

describe('the signs of life of a lock', () => {
  afterEach(() => jest.useRealTimers());

  it('are given again and again, by the clock of the file system', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const lock = await LockFile.acquire(path, { timings });
      const text = await readFile(lockPathOf(path), 'utf8');
      for (let beats = 0; beats < 3; beats++) {
        await utimes(lockPathOf(path), longAgo, longAgo);
        await until(async () => (await stat(lockPathOf(path))).mtimeMs > longAgo.getTime() + 1);
      }
      expect(await readFile(lockPathOf(path), 'utf8')).toBe(text);
      await lock.release();
    }));

  it("end with another's lock, even if that is the same file", () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      // The heartbeat alone: what is waited for here are files.
      const real = ['Date', 'nextTick', 'performance', 'setImmediate', 'setTimeout'] as const;
      jest.useFakeTimers({ doNotFake: [...real, 'clearImmediate', 'clearTimeout'] });
      const lock = await LockFile.acquire(path, { timings });
      await writeFile(lockPathOf(path), 'other');
      await utimes(lockPathOf(path), longAgo, longAgo);
      expect(await lock.check()).toBe('lost');
      for (let beats = 0; beats < 4; beats++) {
        jest.advanceTimersByTime(timings.heartbeat);
        await untilFilesRest();
      }
      const { mtimeMs } = await stat(lockPathOf(path));
      expect(Math.abs(mtimeMs - longAgo.getTime())).toBeLessThan(1);
      await lock.release();
      expect(await readFile(lockPathOf(path), 'utf8')).toBe('other');
      expect(await readdir(folder)).toEqual(['cache.lock']);
    }));
});

function makeFifo(path: string): Promise<void> {
  execFileSync('mkfifo', [path]);
  return Promise.resolve();
}

describe('what processes leave that die while they take a lock', () => {
  it('is removed when it is old, and nothing else is', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const [old, fresh] = [randomUUID(), randomUUID()];
      const leftovers = [`.acache-${old}`, `cache.lock.${old}`, `cache.lock.${old}.socket`];
      const others = [
        'cache.lock.txt',
        `cache.lock.${fresh}.socket`,
        `cache.lock.${old}.socket.txt`,
        `other.lock.${old}`,
      ];
      for (const name of [...leftovers, ...others]) {
        await writeFile(join(folder, name), '');
        if (name.includes(old)) await utimes(join(folder, name), longAgo, longAgo);
      }
      await (await LockFile.acquire(path)).release();
      expect((await readdir(folder)).sort()).toEqual(others.sort());
    }));

  it.each([
    ['a folder', (path: string) => mkdir(path), { code: 'EISDIR' }],
    [
      'a link to nothing',
      (path: string) => symlink('nowhere', path),
      { code: 'ERR_ACACHE_LOCKED' },
    ],
    ['a FIFO', makeFifo, { message: expect.stringContaining('is not a file') }],
  ])('is never %s in the way for ever', (_, make, error) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await make(lockPathOf(path));
      const stopped = LockFile.acquire(path, { signal: AbortSignal.timeout(200) });
      await expect(stopped).rejects.toMatchObject(error);
    }),
  );

  it('says so at flush where a FIFO has its name, and goes on once that is gone', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await makeFifo(lockPathOf(path));
      const { persistence, errors } = await openSession(path, { flushInterval: '1h' });
      persistence.set('k', entryOf(1));
      const notDurable = { code: 'ERR_ACACHE_NOT_DURABLE' };
      await expect(persistence.flush()).rejects.toMatchObject(notDurable);
      await unlink(lockPathOf(path));
      await persistence.flush();
      // In the place of its own lock, too.
      await unlink(lockPathOf(path));
      await makeFifo(lockPathOf(path));
      persistence.set('k', entryOf(2));
      await expect(persistence.flush()).rejects.toMatchObject(notDurable);
      await unlink(lockPathOf(path));
      await persistence.close();
      expect(errors.length).toBe(3);
      expect(await readdir(folder)).toEqual(['cache']);
    }));
});

describe('a lock file that somebody removed', () => {
  it('is made anew, and the file is written on where nobody else was there', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path);
      session.persistence.set('a', entryOf(1));
      await session.persistence.flush();
      await rm(lockPathOf(path));
      session.persistence.set('b', entryOf(2));
      await session.persistence.flush();
      expect(await lockHolder(path)).toMatchObject({ isAlive: true });
      await session.persistence.close();
      const next = await openSession(path);
      expect(valuesOf(next)).toEqual({ a: 1, b: 2 });
      await next.persistence.close();
    }));

  it('is given up where another process has written the file since', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path);
      session.persistence.set('a', entryOf(1));
      await session.persistence.flush();
      await rm(lockPathOf(path));
      const other = await openSession(path);
      other.persistence.set('b', entryOf(2));
      await other.persistence.close();
      session.persistence.set('c', entryOf(3));
      const lost = { code: 'ERR_ACACHE_LOCK_LOST' };
      await expect(session.persistence.flush()).rejects.toMatchObject(lost);
      await session.persistence.close().catch(() => undefined);
      const next = await openSession(path);
      expect(valuesOf(next)).toEqual({ a: 1, b: 2 });
      await next.persistence.close();
    }));
});
