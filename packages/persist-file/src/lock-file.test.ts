import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { entryOf, inFolder, openSession, valuesOf } from '../test/host.js';
import { LockFile, lockHolder, lockPathOf } from './lock-file.js';
import { ownIdentity } from './process-identity.js';

const longAgo = new Date(Date.now() - 61_000);

async function leaveLock(path: string, owner: object | string, mtime = new Date()): Promise<void> {
  const text = typeof owner === 'string' ? owner : JSON.stringify({ nonce: 'x', ...owner });
  await writeFile(lockPathOf(path), text);
  await utimes(lockPathOf(path), mtime, mtime);
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
    ['another container', { namespace: 'pid:[1]' }],
    ['another machine', { boot: 'other', host: 'other' }],
  ])('goes by signs of life alone for a process in %s', (_, elsewhere) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, { ...ownIdentity(), ...elsewhere });
      await expect(LockFile.acquire(path)).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED' });
      await utimes(lockPathOf(path), longAgo, longAgo);
      const lock = await LockFile.acquire(path);
      expect(lock.acquired).toBe('silent owner');
      await lock.release();
    }),
  );

  it.each(['', '{', 'null', '{"pid":"1"}'])('judges a lock that says %p by its age', (text) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await leaveLock(path, text);
      await expect(LockFile.acquire(path)).rejects.toMatchObject({ pid: undefined });
      await utimes(lockPathOf(path), longAgo, longAgo);
      await (await LockFile.acquire(path)).release();
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
