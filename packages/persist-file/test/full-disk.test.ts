import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { keptIn, untilFound } from './caches.js';
import { itOnDisk, onSmallDisk } from './disks.js';
import { entryOf, openSession, until, valuesOf } from './host.js';

/** Nothing in it can be told in fewer bytes. */
const large = (bytes: number): string => randomBytes(bytes / 2).toString('hex');
const full = { code: 'ERR_ACACHE_NOT_DURABLE', cause: { code: 'ENOSPC' } };
/** What is in the folder beside the file, its lock and what fills the disk. */
const besides = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => !/^(cache|cache\.lock.*|filler)$/.test(name));

describe('a full disk', () => {
  itOnDisk('lets flush reject while the cache goes on, and costs nothing that was flushed', () =>
    onSmallDisk(1_048_576, async (disk) => {
      const path = join(disk.folder, 'cache');
      const { cache, errors } = keptIn(path, {}, { flushInterval: '1h' });
      const flushed: Record<string, unknown> = {};
      let failure: unknown;
      for (let at = 0; failure === undefined && at < 500; at++) {
        const value = large(10_000);
        await cache.set(`k${at}`, value);
        await cache.flush().then(
          () => (flushed[`k${at}`] = value),
          (error: unknown) => (failure = error),
        );
      }
      expect(failure).toMatchObject(full);
      expect((failure as Error).message).toMatch(/cache' could not be written.*ENOSPC/);
      expect(Object.keys(flushed).length).toBeGreaterThan(80);

      await cache.set('late', 'in memory');
      await expect(cache.flush()).rejects.toMatchObject(full);
      expect(await cache.get('late', () => 'loaded')).toBe('in memory');
      expect(await cache.get('other', () => 'loaded')).toBe('loaded');
      expect(await cache.get('k0')).toBe(flushed.k0);
      // In a row they are one failure.
      expect(errors).toEqual([failure]);

      await cache.close();
      expect(await besides(disk.folder)).toEqual([]);
      const next = await openSession(path);
      expect(next.errors).toEqual([]);
      expect(Object.values(valuesOf(next))).toEqual(Object.values(flushed));
      await next.persistence.close();
    }),
  );

  itOnDisk.each([0, '1s', false] as const)(
    'is written to again by itself when there is room, all that was told meanwhile (fsync %s)',
    (fsyncInterval) =>
      onSmallDisk(524_288, async (disk) => {
        const path = join(disk.folder, 'cache');
        const { cache, errors } = keptIn(path, {}, { flushInterval: 5, fsyncInterval });
        for (const key of ['kept', 'changed', 'deleted']) await cache.set(key, 'before');
        await cache.flush();
        await disk.fill();
        await cache.set('changed', large(20_000));
        await expect(cache.flush()).rejects.toMatchObject(full);
        await cache.set('changed', 'after');
        await cache.set('new', large(20_000));
        await cache.set('new', 'after');
        await cache.set('large', large(20_000));
        await cache.delete('deleted');
        await expect(cache.flush()).rejects.toMatchObject(full);

        await disk.free();
        const wanted = {
          kept: 'before',
          changed: 'after',
          new: 'after',
          large: cache.peek('large'),
        };
        await untilFound(path, wanted);

        await disk.fill();
        await cache.set('cleared', large(20_000));
        const tried = cache.flush().catch(() => undefined);
        // While it is on its way, as well as it can be told.
        await new Promise((resolve) => setImmediate(resolve));
        await cache.clear();
        await tried;
        await cache.set('one', large(20_000));
        await expect(cache.flush()).rejects.toMatchObject(full);
        await disk.free();
        await untilFound(path, { one: cache.peek('one') });
        await cache.flush();
        // Once for each time that it went wrong; a clear alone may find room between two failures.
        for (const error of errors) expect(error).toMatchObject(full);
        expect([2, 3]).toContain(errors.length);
        await cache.close();
        expect(await readdir(disk.folder)).toEqual(['cache']);
      }),
  );

  itOnDisk('has no room for a file at first, and gets one when there is', () =>
    onSmallDisk(131_072, async (disk) => {
      const path = join(disk.folder, 'folder', 'cache');
      await disk.fill();
      const { cache, errors } = keptIn(path);
      await cache.ready;
      await cache.set('k', 'v');
      await expect(cache.flush()).rejects.toMatchObject(full);
      expect(errors.length).toBeGreaterThan(0);
      await disk.free();
      await untilFound(path, { k: 'v' });
      await cache.close();
      expect(await readdir(join(disk.folder, 'folder'))).toEqual(['cache']);
    }),
  );

  itOnDisk('has no room for what somebody removed, though nothing has changed', () =>
    onSmallDisk(262_144, async (disk) => {
      const path = join(disk.folder, 'cache');
      const { cache } = keptIn(path, {}, { flushInterval: '1h' });
      await cache.set('k', large(20_000));
      await cache.flush();
      await rm(path);
      await disk.fill();
      await expect(cache.flush()).rejects.toMatchObject(full);
      expect(await besides(disk.folder)).toEqual([]);
      await disk.free();
      await cache.flush();
      await untilFound(path, { k: cache.peek('k') });
      await cache.close();
    }),
  );

  itOnDisk('has no room to rewrite the file, which stays as it is', () =>
    onSmallDisk(1_048_576, async (disk) => {
      const path = join(disk.folder, 'cache');
      const session = await openSession(path, { flushInterval: '1h' }, { leastToCompact: 500_000 });
      const { persistence, errors } = session;
      const model: Record<string, string> = {};
      const setAll = async (keys: number): Promise<void> => {
        for (let at = 0; at < keys; at++) {
          model[`k${at}`] = large(10_000);
          persistence.set(`k${at}`, entryOf(model[`k${at}`]));
        }
        await persistence.flush();
      };
      await setAll(30);
      await setAll(29);
      const { ino, size } = await stat(path);
      // What changes next can be appended; for what counts once more there is no room.
      await disk.fill(150_000);
      await setAll(10);
      await until(() => errors.length > 0);
      expect(errors).toMatchObject([{ cause: { code: 'ENOSPC' } }]);
      expect((await stat(path)).ino).toBe(ino);
      expect((await stat(path)).size).toBeGreaterThan(size);
      expect(await besides(disk.folder)).toEqual([]);
      await setAll(1);
      await persistence.close();
      const next = await openSession(path);
      expect([valuesOf(next), next.errors]).toEqual([model, []]);
      await next.persistence.close();
    }),
  );
});
