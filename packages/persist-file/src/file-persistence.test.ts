import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { persistenceContract } from '@acache/core/testing';
import { filePersistence } from './file-persistence.js';

describe('filePersistence', () => {
  const cases = persistenceContract(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'persist-file-'));
    return {
      persistence: () => filePersistence(join(folder, 'cache.acache')),
      close: () => rm(folder, { recursive: true }),
    };
  });
  for (const { name, run } of cases) it(name, run);
});
