import { copyFile } from 'node:fs/promises';
import { contentOf, heldBy, inOwnFolder, openCache, random } from './looking.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const KEYS = Array.from({ length: 120 }, (_, at) => `k${at}`);

describe('a cache that is changed from all sides', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'is on disk what it is in memory, after a flush and after a close (seed %i)',
    async (seed) => {
      await inOwnFolder(async (folder, file) => {
        const pick = random(seed);
        for (let life = 0; life < 3; life++) {
          const cache = openCache(
            file,
            { flushInterval: 3 },
            { maxSize: pick(2) ? 60 : null, staleIfError: pick(2) ? '1h' : 0 },
          );
          if (pick(2)) await cache.ready;
          let number = 0;
          const key = (): string => `k${pick(KEYS.length)}`;
          const step = async (): Promise<void> => {
            const kind = pick(100);
            if (kind < 40)
              await cache.set(key(), [life, number++, 'x'.repeat(pick(3000))], {
                tags: [`t${pick(10)}`],
              });
            else if (kind < 60) await cache.delete(key());
            else if (kind < 62) await cache.invalidateTags(`t${pick(10)}`);
            else if (kind < 63) await cache.clear();
            else if (kind < 68) await cache.expire(key());
            else if (kind < 85)
              await cache.get(key(), async () => (await turn(), [life, number++, 'loaded']));
            else if (kind < 88)
              await cache.getMany([key(), key(), key()], (keys) =>
                Promise.resolve(keys.map(() => [life, number++, 'many'])),
              );
            else if (kind < 90) await cache.flush();
            else await turn();
          };
          const actor = async (): Promise<void> => {
            for (let at = 0; at < 150; at++) await step();
          };
          await Promise.all(Array.from({ length: 8 }, actor));
          await cache.flush();
          await copyFile(file, `${folder}/image`);
          expect(await contentOf(`${folder}/image`, KEYS)).toEqual(heldBy(cache, KEYS));
          for (let at = 0; at < 50; at++)
            void (pick(2) ? cache.set(key(), [life, number++, 'last']) : cache.delete(key()));
          const last = heldBy(cache, KEYS);
          await cache.close();
          expect(await contentOf(file, KEYS)).toEqual(last);
        }
      });
    },
    60_000,
  );

  it('has on disk what came before a flush, whatever comes while it runs', async () => {
    await inOwnFolder(async (folder, file) => {
      const pick = random(7);
      const keys = ['k0', 'k1', 'k2', 'k3', 'k4'];
      const cache = openCache(file);
      for (let round = 0; round < 100; round++) {
        void cache.set(`k${pick(5)}`, round);
        void cache.set(`big${pick(3)}`, 'x'.repeat(pick(200_000)));
        if (pick(3) === 0) void cache.delete(`k${pick(5)}`);
        const wanted = heldBy(cache, keys);
        const flushed = cache.flush();
        for (let at = 0; at < 3; at++) void cache.set(`other${pick(5)}`, round);
        await flushed;
        if (round % 5 > 0) continue;
        await copyFile(file, `${folder}/image`);
        expect(await contentOf(`${folder}/image`, keys)).toEqual(wanted);
      }
      await cache.flush();
      await cache.close();
    });
  }, 30_000);

  it('takes sets, deletes, tags and expires while 20 000 entries are restored', async () => {
    await inOwnFolder(async (_, file) => {
      const keys = Array.from({ length: 20_000 }, (__, at) => `k${at}`);
      const before = openCache(file);
      for (const [at, key] of keys.entries()) void before.set(key, at, { tags: [`t${at % 100}`] });
      await before.flush();
      await before.close();
      const cache = openCache(file);
      for (let at = 0; at < keys.length; at += 7) void cache.delete(`k${at}`);
      for (let at = 1; at < keys.length; at += 7) void cache.set(`k${at}`, 'new');
      void cache.invalidateTags('t5');
      void cache.expire('k101');
      for (let at = 0; at < 3; at++) await turn();
      for (let at = 2; at < keys.length; at += 7) void cache.delete(`k${at}`);
      void cache.invalidateTags('t6');
      await cache.ready;
      const wanted = new Map<unknown, unknown>();
      for (const [at, key] of keys.entries()) {
        if (at % 7 === 1) wanted.set(key, 'new');
        else if (at % 7 !== 0 && at % 7 !== 2 && at % 100 !== 5 && at % 100 !== 6 && at !== 101)
          wanted.set(key, at);
      }
      expect(heldBy(cache, keys)).toEqual(wanted);
      await cache.flush();
      await cache.close();
      expect(await contentOf(file, keys)).toEqual(wanted);
    });
  }, 60_000);
});
