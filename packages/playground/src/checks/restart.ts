import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filePersistence } from '@acache/all';
import { Evidence, type Check } from './check.js';

export const restart: Check = {
  id: 'restart',
  promise: 'what the file has is back after a restart, and what was deleted is not',
  async run(rigs) {
    const found = new Evidence();
    const folder = await mkdtemp(join(tmpdir(), 'acache-playground-'));
    const open = () => rigs.live({ persistence: filePersistence(join(folder, 'items')) });
    try {
      const before = open();
      await before.read('item 1');
      await before.read('item 2');
      await before.driver.cache.delete(before.driver.keyOf('item 2', 1));
      await before.driver.cache.close();
      const after = open();
      await after.driver.cache.ready;
      const kept = rigs.stores && rigs.ttl >= 1000;
      if (!kept) found.note('these settings keep nothing that could come back');
      const has = (id: string): boolean => after.driver.cache.has(after.driver.keyOf(id, 1));
      if (kept && rigs.redis === undefined) found.expect('item 1 is back', has('item 1'), true);
      found.expect('item 2, which was deleted, is back', has('item 2'), false);
      await after.driver.cache.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return found;
  },
};
