import { makePolicy, type PolicyName } from './policies.js';

/** Accesses as numbers: each key has one, from 0 on. */
export interface AccessTrace {
  readonly accesses: Uint32Array;
  /** How many different keys there are. */
  readonly keys: number;
}

/** Replays accesses on a cache of so many entries; each miss puts its key in. @returns the hits */
export function replay(
  { accesses, keys }: AccessTrace,
  name: PolicyName,
  maxSize: number,
  seed: number,
): number {
  if (maxSize < 1) return 0;
  const policy = makePolicy(name, maxSize, seed);
  const slotOf = new Uint32Array(keys);
  const keyOf = new Uint32Array(Math.min(maxSize, keys) + 2);
  const free: number[] = [];
  let slots = 0;
  let held = 0;
  let hits = 0;
  for (const key of accesses) {
    const known = slotOf[key] as number;
    if (known !== 0) {
      hits++;
      policy.use(known);
      continue;
    }
    policy.missed?.(key);
    const slot = free.pop() ?? ++slots;
    slotOf[key] = slot;
    keyOf[slot] = key;
    policy.add(slot, key);
    if (++held <= maxSize) continue;
    const victim = policy.victim();
    slotOf[keyOf[victim] as number] = 0;
    policy.remove(victim);
    free.push(victim);
    held--;
  }
  return hits;
}
