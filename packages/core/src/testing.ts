export { fakeClock } from './testing/fake-clock.js';
export type { FakeClock } from './testing/fake-clock.js';
export { tierContract } from './testing/tier-contract.js';
export type { TierContractOptions, TierUnderTest } from './testing/tier-contract.js';
export { persistenceContract } from './testing/persistence-contract.js';
export type { PersistenceUnderTest } from './testing/persistence-contract.js';
export type { ContractCase } from './testing/contract-case.js';
export { memoryTier } from './testing/memory-tier.js';
export type { MemoryTier } from './testing/memory-tier.js';
export { memoryPersistence } from './testing/memory-persistence.js';
export type { MemoryFile } from './testing/memory-persistence.js';
export {
  failingPersistence,
  failingTier,
  hangingPersistence,
  hangingTier,
  laggingPersistence,
  laggingTier,
} from './testing/doubles.js';
export type { Ailment } from './testing/doubles.js';
