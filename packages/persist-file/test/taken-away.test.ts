import { open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foundIn, keptIn, untilFound } from './caches.js';
import { entryOf, inFolder, openSession, valuesOf } from './host.js';
import { LOG_START } from '../src/file-head.js';

const program = Buffer.from('SQLite format 3\0'.repeat(1500));

describe('what happens to the file while it is open', () => {
  it.each([
    ['its folder was removed', (folder: string) => rm(folder, { recursive: true })],
    ['its folder was renamed', (folder: string) => rename(folder, `${folder}-moved`)],
    ['it was removed', (folder: string) => rm(join(folder, 'cache'))],
    [
      'it and its lock were removed',
      async (folder: string) => {
        await rm(join(folder, 'cache'));
        await rm(join(folder, 'cache.lock'));
      },
    ],
  ])('is there again with all that counts, when %s', (_, harm) =>
    inFolder(async (above) => {
      const folder = join(above, 'folder');
      const path = join(folder, 'cache');
      const { cache, errors } = keptIn(path, {}, { flushInterval: 5 });
      await cache.set('before', 1);
      await cache.set('deleted', 1);
      await cache.flush();
      await harm(folder);
      await cache.delete('deleted');
      await cache.set('after', 2);
      await untilFound(path, { before: 1, after: 2 });
      await cache.flush();
      await cache.close();
      expect(errors).toEqual([]);
      expect(await readdir(folder)).toEqual(['cache']);
    }),
  );

  it.each([
    ['removed it', (path: string) => rm(path)],
    [
      'put its own into its place',
      (path: string) => writeFile(`${path}.new`, program).then(() => rename(`${path}.new`, path)),
    ],
  ])('is there again after a close that had nothing to write, when somebody %s', (_, harm) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache } = keptIn(path);
      await cache.set('k', 1);
      await cache.flush();
      await harm(path);
      await cache.flush();
      await cache.close();
      expect(await foundIn(path)).toEqual({ k: 1 });
    }),
  );

  it('keeps aside what another program put into its place, and is there again', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache, errors } = keptIn(path, {}, { flushInterval: 5 });
      await cache.set('before', 1);
      await cache.flush();
      await writeFile(`${path}.new`, program);
      await rename(`${path}.new`, path);
      await cache.set('after', 2);
      await cache.flush();
      expect(await foundIn(path)).toEqual({ before: 1, after: 2 });
      await cache.close();
      const [aside, ...rest] = (await readdir(folder)).filter((name) => name !== 'cache');
      expect(rest).toEqual([]);
      expect((await readFile(join(folder, aside ?? ''))).equals(program)).toBe(true);
      expect(errors).toMatchObject([{ code: 'ERR_ACACHE_SET_ASIDE' }]);
    }));

  it.each([
    ['emptied', (path: string) => truncate(path, 0)],
    ['cut short', (path: string) => truncate(path, 10_000)],
    ['written over by another program', (path: string) => writeFile(path, program)],
  ])('keeps what is flushed after it was %s', (_, harm) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache, errors } = keptIn(path, {}, { flushInterval: '1h' });
      for (let at = 0; at < 50; at++) {
        await cache.set(`before${at}`, 'x'.repeat(500));
        if (at % 10 === 0) await cache.flush();
      }
      await cache.flush();
      await harm(path);
      const harmed = (await stat(path)).size;
      await cache.set('after', 2);
      await cache.flush();
      expect(await foundIn(path)).toMatchObject({ after: 2 });
      await cache.set('later', 3);
      await cache.close();
      expect(await foundIn(path)).toMatchObject({ after: 2, later: 3 });
      const aside = (await readdir(folder)).filter((name) => name !== 'cache');
      const codes = errors.map((error) => (error as { code?: string }).code);
      const isEmpty = harmed === 0;
      expect(aside.length).toBe(isEmpty ? 0 : 1);
      expect(codes).toEqual([...(isEmpty ? [] : ['ERR_ACACHE_SET_ASIDE']), 'ERR_ACACHE_DAMAGED']);
      if (!isEmpty) expect((await stat(join(folder, aside[0] ?? ''))).size).toBe(harmed);
    }),
  );

  it('loses of a block that cannot be read any more what is in it, and is compacted all the same', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path, { flushInterval: '1h' }, { leastToCompact: 50_000 });
      const { persistence, errors } = session;
      const text = 'x'.repeat(1000);
      persistence.set('lost', entryOf(text));
      persistence.set('changed', entryOf(text));
      await persistence.flush();
      const handle = await open(path, 'r+');
      await handle.write('rot', LOG_START + 500);
      await handle.close();
      persistence.delete('changed');
      persistence.set('kept', entryOf(1));
      for (let at = 0; errors.length === 0 && at < 100; at++) {
        persistence.set('again', entryOf(`${at} ${text}`));
        await persistence.flush();
      }
      expect(errors).toMatchObject([{ code: 'ERR_ACACHE_DAMAGED' }]);
      expect((await stat(path)).size).toBeLessThan(50_000);
      persistence.set('after', entryOf(2));
      await persistence.close();
      const next = await openSession(path);
      expect([Object.keys(valuesOf(next)), next.errors]).toEqual([['kept', 'again', 'after'], []]);
      await next.persistence.close();
    }));
});
