import { mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeClock } from '@acache/core/testing';
import { entryOf, inFolder, openSession, valuesOf } from '../test/host.js';
import { FILE_MAGIC } from './file-head.js';

const newer = Buffer.alloc(20_000, 7);
FILE_MAGIC.copy(newer);
newer.writeUInt16LE(2, 8);

describe('opening a file', () => {
  it.each([
    ["another program's file", Buffer.from('SQLite format 3\0'.repeat(2000))],
    ['a file of a newer version', newer],
    ['one byte', Buffer.from([1])],
  ])('keeps %s aside and begins empty', (_, bytes) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await writeFile(path, bytes);
      const session = await openSession(path);
      expect(session.errors).toMatchObject([{ code: 'ERR_ACACHE_SET_ASIDE' }]);
      session.persistence.set('k', entryOf(1));
      await session.persistence.close();
      const aside = (await readdir(folder)).filter((name) => name.startsWith('cache.bad-'));
      expect(aside.length).toBe(1);
      expect((await readFile(join(folder, aside[0] ?? ''))).equals(bytes)).toBe(true);
      const next = await openSession(path);
      expect([valuesOf(next), next.errors]).toEqual([{ k: 1 }, []]);
      await next.persistence.close();
    }),
  );

  it('keeps a directory aside with what is in it', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await mkdir(path);
      await writeFile(join(path, 'precious'), 'x');
      const session = await openSession(path);
      session.persistence.set('k', entryOf(1));
      await session.persistence.close();
      const [aside] = (await readdir(folder)).filter((name) => name.startsWith('cache.bad-'));
      expect(await readFile(join(folder, aside ?? '', 'precious'), 'utf8')).toBe('x');
      expect((await stat(path)).isFile()).toBe(true);
    }));

  it('takes an empty file for its own, makes missing folders, and follows links', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'empty'), '');
      await symlink(join(folder, 'a/b/real'), join(folder, 'link'));
      for (const name of ['empty', 'c/d/new', 'link']) {
        const session = await openSession(join(folder, name));
        session.persistence.set('k', entryOf(name));
        await session.persistence.close();
        expect(session.errors).toEqual([]);
        const next = await openSession(join(folder, name));
        expect(valuesOf(next)).toEqual({ k: name });
        await next.persistence.close();
      }
      expect((await stat(join(folder, 'a/b/real'))).mode & 0o777).toBe(0o600);
      expect(await readdir(join(folder, 'a/b'))).toEqual(['real']);
    }));

  it('cuts off what a crash left at the end, and says nothing of it', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const options = { fsyncInterval: '1h', flushInterval: 1 } as const;
      const first = await openSession(path, options);
      first.persistence.set('k', entryOf(1));
      await first.persistence.flush();
      const { size } = await stat(path);
      first.persistence.set('k', entryOf(2));
      let grown = size;
      while (grown === size) grown = (await stat(path)).size;
      const torn = (await readFile(path)).subarray(0, grown - 3);
      await first.persistence.close();
      await writeFile(path, torn);
      const second = await openSession(path);
      expect([valuesOf(second), second.errors]).toEqual([{ k: 1 }, []]);
      second.persistence.set('l', entryOf(3));
      await second.persistence.close();
      const third = await openSession(path);
      expect([valuesOf(third), third.errors]).toEqual([{ k: 1, l: 3 }, []]);
      await third.persistence.close();
    }));

  it('brings back nothing when what was acknowledged is cut off and may have ended all', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = await openSession(path);
      for (let at = 0; at < 100; at++) first.persistence.set(`k${at}`, entryOf('x'.repeat(500)));
      await first.persistence.flush();
      const { size } = await stat(path);
      for (let at = 0; at < 100; at++) first.persistence.delete(`k${at}`);
      await first.persistence.close();
      await truncate(path, size);
      const second = await openSession(path);
      expect(valuesOf(second)).toEqual({});
      expect(second.errors).toMatchObject([{ code: 'ERR_ACACHE_DAMAGED' }]);
      await second.persistence.close();
    }));

  it('prolongs nothing for a clock that was set back, however often it is opened', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const hour = 3_600_000;
      const clock = fakeClock();
      const start = clock.now();
      const first = await openSession(path, {}, { clock });
      first.persistence.set('k', entryOf(1, { createdAt: start, freshUntil: start + 60_000 }));
      await first.persistence.close();
      const back = fakeClock(start - hour);
      for (const passed of [0, 30_000, 29_000]) {
        await back.advance(passed);
        const session = await openSession(path, {}, { clock: back });
        expect(session.restored.get('k')?.freshUntil).toBe(start - hour + 60_000);
        await session.persistence.close();
      }
      await back.advance(2000);
      const dead = await openSession(path, {}, { clock: back });
      expect(dead.restored.size).toBe(0);
      await dead.persistence.close();
      const again = await openSession(path, {}, { clock: fakeClock(start - 2 * hour) });
      expect(again.restored.size).toBe(0);
      await again.persistence.close();
    }));

  it('goes on without a file where none can be made, and writes once it can', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'folder', 'cache');
      await writeFile(join(folder, 'folder'), 'in the way');
      const session = await openSession(path, { flushInterval: '1h' });
      session.persistence.set('k', entryOf(1));
      await expect(session.persistence.flush()).rejects.toMatchObject({
        code: 'ERR_ACACHE_NOT_DURABLE',
        cause: { code: expect.stringMatching(/ENOTDIR|EEXIST/) },
      });
      await rm(join(folder, 'folder'));
      await session.persistence.flush();
      await session.persistence.close();
      const next = await openSession(path);
      expect(valuesOf(next)).toEqual({ k: 1 });
      await next.persistence.close();
    }));

  it('writes all that counts once more when the file was removed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path);
      session.persistence.set('a', entryOf(1));
      await session.persistence.flush();
      await rm(path);
      session.persistence.set('b', entryOf(2));
      await session.persistence.close();
      const next = await openSession(path);
      expect(valuesOf(next)).toEqual({ a: 1, b: 2 });
      await next.persistence.close();
    }));
});
