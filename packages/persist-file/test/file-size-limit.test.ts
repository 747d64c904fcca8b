import { execFileSync, spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { foundIn, untilFound } from './caches.js';
import { inFolder } from './host.js';
import { startWorker } from './start-worker.js';

const hasLimits = spawnSync('prlimit', ['--version']).error === undefined;
if (!hasLimits) console.warn('skipped: there is no prlimit, which lifts the limit of a process');
const itWithLimits = hasLimits ? it : it.skip;

const tooLarge = { code: 'ERR_ACACHE_NOT_DURABLE', cause: 'EFBIG' };

describe('a process that may write small files only', () => {
  itWithLimits('goes on in memory at its limit, loses nothing, and writes on when it may', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const worker = startWorker({ limit: 200 });
      await worker.ask('open', path);
      const flushed: Record<string, unknown> = {};
      let failure: unknown;
      for (let at = 0; failure === undefined && at < 60; at++) {
        const value = `${at} `.repeat(4000);
        await worker.ask('set', `k${at}`, value);
        await worker.ask('flush').then(
          () => (flushed[`k${at}`] = value),
          (error: unknown) => (failure = error),
        );
      }
      expect(failure).toMatchObject(tooLarge);
      expect((failure as Error).message).toMatch(/cache' could not be written.*EFBIG/);
      expect(Object.keys(flushed).length).toBeGreaterThan(8);
      expect(await foundIn(path)).toEqual(flushed);

      await worker.ask('delete', 'k0');
      await worker.ask('set', 'late', 'in memory');
      await expect(worker.ask('flush')).rejects.toMatchObject(tooLarge);
      expect(await worker.ask('get', 'late')).toBe('in memory');
      expect(await worker.ask('get', 'k1')).toBe(flushed.k1);
      expect(await worker.ask('errors')).toMatchObject([tooLarge]);

      execFileSync('prlimit', ['--pid', String(worker.pid), '--fsize=unlimited']);
      const { k0: _, ...left } = flushed;
      // What failed to be flushed is no less there.
      const failed = `k${Object.keys(flushed).length}`;
      const failedValue = await worker.ask('get', failed);
      await untilFound(path, { ...left, [failed]: failedValue, late: 'in memory' });
      await worker.ask('close');
      expect(await readdir(folder)).toEqual(['cache']);
    }),
  );

  itWithLimits('leaves nothing behind where the limit leaves no room for any file', () =>
    inFolder(async (folder) => {
      const worker = startWorker({ limit: 4 });
      await worker.ask('open', join(folder, 'cache'));
      await worker.ask('ready');
      await worker.ask('set', 'k', 'v');
      await expect(worker.ask('flush')).rejects.toMatchObject(tooLarge);
      expect(await worker.ask('get', 'k')).toBe('v');
      const names = await readdir(folder);
      expect(names.filter((name) => !name.startsWith('cache.lock'))).toEqual([]);
      await worker.ask('close');
      expect(await readdir(folder)).toEqual([]);
    }),
  );
});
