import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { foundIn, keptIn, untilFound } from './caches.js';
import { inFolder } from './host.js';
import { startWorker } from './start-worker.js';

/** Somebody who owns nothing. */
const NOBODY = 65534;

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: only root can start a process that has fewer rights');
const itAsRoot = isRoot ? it : it.skip;

const denied = { code: 'ERR_ACACHE_NOT_DURABLE', cause: 'EACCES' };

describe('a process that may not write', () => {
  itAsRoot('goes on in memory, says so at flush, and makes the file once it may', () =>
    inFolder(async (folder) => {
      await chmod(folder, 0o755);
      const path = join(folder, 'cache');
      const worker = startWorker();
      await worker.ask('become', NOBODY);
      await worker.ask('open', path);
      await worker.ask('ready');
      await worker.ask('set', 'k', 'v');
      await expect(worker.ask('flush')).rejects.toMatchObject(denied);
      expect(await worker.ask('get', 'k')).toBe('v');
      expect(await readdir(folder)).toEqual([]);

      await chmod(folder, 0o777);
      await untilFound(path, { k: 'v' });
      const errors = await worker.ask('errors');
      for (const error of errors) expect(error).toMatchObject(denied);
      // One at open, and one for all that failed since.
      expect(errors.length).toBeLessThanOrEqual(2);
      await worker.ask('close');
      expect(await readdir(folder)).toEqual(['cache']);
      expect(await worker.ask('errors')).toEqual(errors);
    }),
  );

  itAsRoot('reads what is there, and writes all of it anew once it may', () =>
    inFolder(async (folder) => {
      await chmod(folder, 0o755);
      const path = join(folder, 'cache');
      const { cache } = keptIn(path);
      await cache.setMany([
        ['kept', 1],
        ['changed', 1],
      ]);
      await cache.close();
      await chmod(path, 0o444);

      const worker = startWorker();
      await worker.ask('become', NOBODY);
      await worker.ask('open', path);
      expect(await worker.ask('get', 'kept')).toBe(1);
      await worker.ask('set', 'changed', 2);
      await expect(worker.ask('flush')).rejects.toMatchObject(denied);
      expect(await foundIn(path)).toEqual({ kept: 1, changed: 1 });

      // The file stays root's: a new one takes its place.
      await chmod(folder, 0o777);
      await untilFound(path, { kept: 1, changed: 2 });
      expect((await stat(path)).uid).toBe(NOBODY);
      await worker.ask('close');
      expect(await readdir(folder)).toEqual(['cache']);
    }),
  );

  itAsRoot('leaves alone what it may not even read', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'secret', 'cache');
      await mkdir(join(folder, 'secret'), { mode: 0o700 });
      await chmod(folder, 0o755);
      const { cache } = keptIn(path);
      await cache.set('k', 1);
      await cache.close();

      const worker = startWorker();
      await worker.ask('become', NOBODY);
      await worker.ask('open', path);
      await worker.ask('ready');
      await worker.ask('set', 'k', 2);
      await expect(worker.ask('flush')).rejects.toMatchObject(denied);
      expect(await worker.ask('get', 'k')).toBe(2);
      await worker.ask('close');
      expect(await foundIn(path)).toEqual({ k: 1 });
    }),
  );
});
