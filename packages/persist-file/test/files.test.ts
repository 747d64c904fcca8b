import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { contentOf, inOwnFolder, openCache } from './looking.js';

const KEYS = Array.from({ length: 100 }, (_, at) => `k${at}`);

async function filled(file: string): Promise<ReturnType<typeof openCache>> {
  const cache = openCache(file);
  for (const key of KEYS) void cache.set(key, 1);
  await cache.flush();
  return cache;
}

jest.setTimeout(30_000);

describe('a file in its folder', () => {
  it('is found where it was first named, though the process changes its folder', async () => {
    await inOwnFolder(async (folder) => {
      const before = process.cwd();
      await mkdir(`${folder}/x`);
      await mkdir(`${folder}/y`);
      process.chdir(`${folder}/x`);
      try {
        const cache = openCache('./cache', { maxBytes: 150_000 });
        process.chdir(`${folder}/y`);
        for (let round = 0; round < 10; round++) {
          for (const key of KEYS) void cache.set(key, `${'x'.repeat(500)}${round}`);
          await cache.flush();
        }
        await cache.flush();
        await cache.close();
      } finally {
        process.chdir(before);
      }
      expect([await readdir(`${folder}/x`), await readdir(`${folder}/y`)]).toEqual([['cache'], []]);
    });
  });

  it('may be a link, also one to nothing, and stays one when it is rewritten', async () => {
    await inOwnFolder(async (folder, file) => {
      await symlink(`${folder}/target`, file);
      const cache = openCache(file, { maxBytes: 150_000 });
      for (let round = 0; round < 10; round++) {
        for (const key of KEYS) void cache.set(key, `${'x'.repeat(500)}${round}`);
        await cache.flush();
      }
      await cache.flush();
      await cache.close();
      expect((await readdir(folder)).sort()).toEqual(['cache', 'target']);
      expect((await readFile(file)).equals(await readFile(`${folder}/target`))).toBe(true);
      expect((await contentOf(`${folder}/target`, KEYS)).size).toBe(100);
    });
  });

  it.each(['link', 'folder/cache', 'sub/../cache', '/cache'])(
    'is locked under another name: %s',
    async (name) => {
      await inOwnFolder(async (folder, file) => {
        await mkdir(`${folder}/sub`);
        await symlink(file, `${folder}/link`);
        await symlink(folder, `${folder}/folder`);
        const cache = await filled(file);
        const second = openCache(`${folder}/${name}`);
        await expect(second.ready).rejects.toMatchObject({
          code: 'ERR_ACACHE_LOCKED',
          pid: process.pid,
        });
        await expect(second.flush()).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED' });
        expect(await second.get('k1', () => 'loaded')).toBe('loaded');
        await second.close();
        expect(existsSync(`${file}.lock`)).toBe(true);
        await cache.flush();
        await cache.close();
      });
    },
  );

  it('is never larger than maxBytes, at any moment, whatever is set', async () => {
    await inOwnFolder(async (_, file) => {
      const maxBytes = 65_536;
      let largest = 0;
      const look = setInterval(() => {
        if (existsSync(file)) largest = Math.max(largest, statSync(file).size);
      }, 0);
      const cache = openCache(file, { maxBytes, flushInterval: 1 });
      for (let round = 0; round < 60; round++) {
        for (let at = 0; at < 30; at++) {
          const kind = (round * 31 + at * 17) % 50;
          void cache.set(
            `k${(round * 7 + at * 13) % 100}`,
            'x'.repeat(kind === 0 ? maxBytes * 2 : kind < 5 ? maxBytes / 3 : 300),
          );
        }
        await cache.flush();
        largest = Math.max(largest, statSync(file).size);
      }
      await cache.set('k0', 'the last');
      await cache.flush();
      await cache.close();
      clearInterval(look);
      expect(largest).toBeLessThanOrEqual(maxBytes);
      expect((await contentOf(file, KEYS)).get('k0')).toBe('the last');
    });
  }, 30_000);
});
