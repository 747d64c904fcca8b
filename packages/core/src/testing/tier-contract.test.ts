import { memoryTier, tierContract } from '../testing.js';

describe('tierContract', () => {
  const cases = tierContract(() => {
    const tier = memoryTier();
    return { tier: () => tier };
  });
  for (const { name, run } of cases) it(name, run);
});
