import { memoryPersistence, persistenceContract, type MemoryFile } from '../testing.js';

describe('persistenceContract', () => {
  const cases = persistenceContract(() => {
    const file: MemoryFile = new Map();
    return { persistence: () => memoryPersistence(file) };
  });
  for (const { name, run } of cases) it(name, run);
});
