import { lru, tinyLfu, type Policy } from '@acache/core';

/** A policy by which a log can be replayed. */
export type PolicyName = 'lru' | 'tinylfu';

/** All of them, in the order in which they are shown. */
export const POLICIES: readonly PolicyName[] = ['lru', 'tinylfu'];

/** The policy as a cache of so many entries has it. */
export function makePolicy(name: PolicyName, maxSize: number, seed: number): Policy {
  const factory = name === 'lru' ? lru() : tinyLfu({ seed });
  return factory({ maxSize, maxWeight: Infinity, weightOf: () => 1 });
}
