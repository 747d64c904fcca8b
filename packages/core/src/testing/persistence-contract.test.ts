import { memoryPersistence, persistenceContract, type MemoryFile } from '../testing.js';

describe.each([false, true])('persistenceContract, archive: %s', (archive) => {
  const cases = persistenceContract(() => {
    const file: MemoryFile = new Map();
    return { persistence: () => memoryPersistence(file, { archive }) };
  });
  for (const { name, run } of cases) it(name, run);
});
