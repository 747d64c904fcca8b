import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AsyncCache } from '@acache/core';
import { entryOf, inFolder, openSession } from '../test/host.js';
import { filePersistence } from './file-persistence.js';

describe('recency', () => {
  it('is written when it differs from what the file tells, and not otherwise', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const session = await openSession(path);
      let order = ['a', 'b', 'c'];
      session.order = () => order;
      for (const key of order) session.persistence.set(key, entryOf(key));
      await session.persistence.flush();
      const { size } = await stat(path);
      await session.persistence.flush();
      expect((await stat(path)).size).toBe(size);
      order = ['c', 'unknown', 'a', 'b'];
      await session.persistence.flush();
      expect((await stat(path)).size).toBeGreaterThan(size);
      session.persistence.set('d', entryOf('d'));
      order = ['c', 'a', 'b', 'd'];
      await session.persistence.close();
      const next = await openSession(path);
      expect([...next.restored.keys()]).toEqual(['c', 'a', 'b', 'd']);
      await next.persistence.close();
      expect((await stat(path)).size).toBeGreaterThan(size);
    }));

  it('decides what a smaller cache keeps after a restart', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'cache');
      const first = new AsyncCache<string, number>({ persistence: filePersistence(path) });
      for (let at = 0; at < 10; at++) await first.set(`k${at}`, at, { tags: ['t'] });
      await first.get('k0');
      await first.close();
      const second = new AsyncCache<string, number>({
        maxSize: 2,
        persistence: filePersistence(path),
      });
      await second.ready;
      expect([second.peek('k9'), second.peek('k0'), second.size]).toEqual([9, 0, 2]);
      await second.invalidateTags('t');
      await second.close();
      const third = new AsyncCache<string, number>({ persistence: filePersistence(path) });
      await third.ready;
      expect(third.size).toBe(0);
      await third.close();
    }));
});
