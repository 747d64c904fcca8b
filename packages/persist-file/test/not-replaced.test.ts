import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { foundIn, keptIn } from './caches.js';
import { inFolder, until } from './host.js';
import { mount, unmount } from './mount.js';
import { startWorker } from './start-worker.js';

/** Somebody who owns nothing. */
const NOBODY = 65534;

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('skipped: only root can make devices and give rights up');
const itAsRoot = isRoot ? it : it.skip;

const kinds: [kind: string, make: (path: string) => Promise<void>][] = [
  [
    'a FIFO',
    (path) => {
      execFileSync('mkfifo', [path]);
      return Promise.resolve();
    },
  ],
  ['a socket', makeSocket],
];
if (isRoot) {
  kinds.push([
    'a device',
    (path) => {
      // The one of nothing, and no node that anybody else uses.
      execFileSync('mknod', [path, 'c', '1', '3']);
      return Promise.resolve();
    },
  ]);
}

/** A socket whose server has gone. */
async function makeSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}-before`, resolve));
  await rename(`${path}-before`, path);
  await new Promise((resolve) => server.close(resolve));
}

const notDurable = { code: 'ERR_ACACHE_NOT_DURABLE' };

describe('what is neither a file nor a directory', () => {
  it.each(kinds)('is never replaced where it is found: %s', (kind, make) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const node = join(folder, 'node');
      await make(node);
      await symlink(node, path);
      const before = await lstat(node);
      for (const name of [node, path]) {
        const { cache, errors } = keptIn(name, {}, { flushInterval: '1h' });
        await cache.ready;
        expect(errors).toMatchObject([{ ...notDurable, message: expect.stringContaining(kind) }]);
        await cache.set('k', 1);
        for (let again = 0; again < 2; again++) {
          const flush = cache.flush();
          await expect(flush).rejects.toMatchObject({
            ...notDurable,
            message: expect.stringContaining(kind),
          });
        }
        expect(await cache.get('k')).toBe(1);
        await cache.close();
      }
      const after = await lstat(node);
      expect([after.ino, after.mode]).toEqual([before.ino, before.mode]);
      expect((await readdir(folder)).sort()).toEqual(['cache', 'node']);
    }),
  );

  it.each(kinds)('is not replaced where it has come into the place of the file: %s', (kind, make) =>
    inFolder(async (folder) => {
      for (const wasThere of [false, true]) {
        const path = join(folder, `cache-${wasThere}`);
        const { cache } = keptIn(path, {}, { flushInterval: '1h' });
        await cache.ready;
        if (wasThere) {
          await cache.set('before', 1);
          await cache.flush();
          await rm(path);
        }
        await make(path);
        await cache.set('after', 2);
        const flush = cache.flush();
        await expect(flush).rejects.toMatchObject({ message: expect.stringContaining(kind) });
        expect((await lstat(path)).isFile()).toBe(false);
        await rm(path);
        await cache.flush();
        expect(await foundIn(path)).toEqual({ ...(wasThere ? { before: 1 } : {}), after: 2 });
        await cache.close();
      }
    }),
  );
});

describe('a directory', () => {
  it('that is the current one, or above it, stays where it is', () =>
    inFolder(async (folder) => {
      const inner = join(folder, 'work', 'inner');
      await mkdir(inner, { recursive: true });
      const before = process.cwd();
      process.chdir(inner);
      try {
        for (const path of ['.', '..', join(folder, 'work')]) {
          const { cache, errors } = keptIn(path, {}, { flushInterval: '1h' });
          await cache.set('k', 1);
          await expect(cache.flush()).rejects.toMatchObject({
            ...notDurable,
            message: expect.stringContaining('the current one or one above it'),
          });
          await cache.close();
          expect(errors[0]).toMatchObject(notDurable);
        }
      } finally {
        process.chdir(before);
      }
      expect(await readdir(folder)).toEqual(['work']);
      expect(await readdir(join(folder, 'work'))).toEqual(['inner']);
    }));

  it.each(['homedir', 'tmpdir'] as const)('that others rely on stays where it is: %s', (name) =>
    inFolder(async (folder) => {
      const place = join(folder, 'above', 'place');
      await mkdir(place, { recursive: true });
      const asked = jest.spyOn(os, name).mockReturnValue(place);
      try {
        for (const path of [place, join(folder, 'above')]) {
          const { cache } = keptIn(path, {}, { flushInterval: '1h' });
          await cache.set('k', 1);
          await expect(cache.flush()).rejects.toMatchObject({
            ...notDurable,
            message: expect.stringContaining('which is never moved'),
          });
          await cache.close();
        }
      } finally {
        asked.mockRestore();
      }
      expect(await readdir(folder)).toEqual(['above']);
      expect(await readdir(join(folder, 'above'))).toEqual(['place']);
    }),
  );

  itAsRoot('on which something is mounted is never moved', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'disk');
      await mkdir(path);
      const why = mount(['-t', 'tmpfs', 'none', path]);
      if (why !== undefined) {
        console.warn(`not tested: nothing can be mounted here (${why})`);
        return;
      }
      try {
        const { cache } = keptIn(path, {}, { flushInterval: '1h' });
        await cache.set('k', 1);
        await expect(cache.flush()).rejects.toMatchObject({
          ...notDurable,
          message: expect.stringContaining('mounted'),
        });
        await cache.close();
        expect(await readdir(folder)).toEqual(['disk']);
      } finally {
        unmount(path);
      }
    }),
  );
});

describe('a good file that cannot be read', () => {
  itAsRoot('stays where it is, and is kept aside with a word once it can be read', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache } = keptIn(path);
      await cache.set('old', 1);
      await cache.close();
      await chmod(folder, 0o777);
      await chmod(path, 0o600);
      const before = await readFile(path);
      const worker = startWorker();
      await worker.ask('become', NOBODY);
      await worker.ask('open', path, { flushInterval: '1h' });
      await worker.ask('ready');
      await worker.ask('set', 'k', 'v');
      for (let again = 0; again < 2; again++) {
        const flush = worker.ask('flush');
        await expect(flush).rejects.toMatchObject({ ...notDurable, cause: 'EACCES' });
      }
      expect((await readFile(path)).equals(before)).toBe(true);
      expect((await readdir(folder)).filter((name) => name.includes('.bad-'))).toEqual([]);

      await chmod(path, 0o644);
      await worker.ask('flush');
      const [aside] = (await readdir(folder)).filter((name) => name.includes('.bad-'));
      expect((await readFile(join(folder, aside ?? ''))).equals(before)).toBe(true);
      const errors = await worker.ask('errors');
      expect(errors.at(-1)).toMatchObject({ code: 'ERR_ACACHE_SET_ASIDE' });
      expect(await foundIn(path)).toEqual({ k: 'v' });
      await worker.ask('close');
    }),
  );

  itAsRoot('for a moment, since too many are open, is read when it can be', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache } = keptIn(path);
      await cache.set('old', 1);
      await cache.close();
      const worker = startWorker();
      // It has all that it needs by now, except for files.
      await worker.ask('errors');
      const mayOpen = (files: string): void => {
        execFileSync('prlimit', ['--pid', String(worker.pid), `--nofile=${files}`]);
      };
      mayOpen('3:1024');
      await worker.ask('open', path, { flushInterval: '1h' });
      // The lock could not be made; the file is tried next, before it hears of anything else.
      await until(async () => (await worker.ask('errors')).length > 0);
      await worker.ask('set', 'k', 'v');
      mayOpen('1024:1024');
      await worker.ask('ready');
      expect(await worker.ask('get', 'old')).toBe(1);
      await worker.ask('flush');
      await worker.ask('close');
      expect(await foundIn(path)).toEqual({ old: 1, k: 'v' });
      expect(await readdir(folder)).toEqual(['cache']);
    }),
  );
});
