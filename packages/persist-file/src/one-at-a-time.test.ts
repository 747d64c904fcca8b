import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsyncCache } from '@acache/core';
import { foundIn, keptIn } from '../test/caches.js';
import { inFolder } from '../test/host.js';
import { filePersistence } from './file-persistence.js';

describe('one filePersistence()', () => {
  it('serves one cache at a time, which a second one does not disturb', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const persistence = filePersistence(path, { flushInterval: '1h' });
      const first = new AsyncCache<string, string>({ persistence });
      const second = new AsyncCache<string, string>({ persistence });
      const told: unknown[] = [];
      second.on('error', ({ error }) => told.push(error));
      const refused = { code: 'ERR_ACACHE_INVALID_OPTION' };
      // At once, before anybody could know that it was refused.
      void second.set('second', 'v');
      void second.clear();
      await first.set('first', 'v');
      await expect(second.ready).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('in use by another cache'),
      });
      await second.set('k', 'own');
      expect(await second.get('k')).toBe('own');
      await expect(second.flush()).rejects.toMatchObject(refused);
      await second.close();
      expect(told).toMatchObject([refused]);
      await first.flush();
      expect(await foundIn(path)).toEqual({ first: 'v' });
      await first.set('later', 'v');
      await first.close();
      expect(await foundIn(path)).toEqual({ first: 'v', later: 'v' });
      expect(await readdir(folder)).toEqual(['cache']);
    }));

  it('serves the next one after a close, with what is in the file then', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const persistence = filePersistence(path);
      for (let life = 0; life < 3; life++) {
        const cache = new AsyncCache<string, number>({ persistence });
        await cache.ready;
        if (life > 0) expect(await cache.get(`k${life - 1}`)).toBe(life - 1);
        await cache.set(`k${life}`, life);
        if (life === 1) await cache.flush();
        await Promise.all([cache.close(), cache.close()]);
        expect(await readdir(folder)).toEqual(['cache']);
      }
      expect(await foundIn(path)).toEqual({ k0: 0, k1: 1, k2: 2 });
    }));

  it('serves the next one after an open that failed', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const { cache: owner } = keptIn(path);
      await owner.set('k', 1);
      await owner.flush();
      const persistence = filePersistence(path);
      const early = new AsyncCache<string, number>({ persistence });
      await expect(early.ready).rejects.toMatchObject({ code: 'ERR_ACACHE_LOCKED' });
      await early.close();
      await owner.close();
      const late = new AsyncCache<string, number>({ persistence });
      await late.ready;
      expect(await late.get('k')).toBe(1);
      await late.close();
      expect(await readdir(folder)).toEqual(['cache']);
    }));
});

describe('onError', () => {
  it.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('of the listener');
      },
    ],
    ['rejects', () => Promise.reject(new Error('of the listener')) as unknown as undefined],
  ])('breaks nothing when it %s', (_, listen) =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      await writeFile(path, 'not a cache');
      const onError = jest.fn(listen);
      const { cache, errors } = keptIn(path, {}, { onError });
      await cache.set('k', 1);
      await cache.flush();
      await new Promise((resolve) => setImmediate(resolve));
      await cache.close();
      expect(onError.mock.calls).toMatchObject([[{ code: 'ERR_ACACHE_SET_ASIDE' }]]);
      expect(errors.length).toBe(1);
    }),
  );
});
