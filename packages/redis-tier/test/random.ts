/** Numbers that look random, and are the same again for the same seed. */
export interface Random {
  /** At least 0, below 1. */
  (): number;
  /** A whole number from 0 to below `below`. */
  below(below: number): number;
  /** True with this chance. */
  chance(of: number): boolean;
  of<T>(choices: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
}

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return Object.assign(next, {
    below,
    chance: (of: number) => next() < of,
    of: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
    shuffled<T>(items: readonly T[]) {
      const mixed = [...items];
      for (let at = mixed.length - 1; at > 0; at--) {
        const other = below(at + 1);
        [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
      }
      return mixed;
    },
  });
}
