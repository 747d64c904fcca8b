import { AsyncCache } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { batchLoader, createBatcher, DataLoader } from './index.js';

/** A small generator of numbers that gives the same ones for a seed. */
const numbersOf = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const KEYS = ['a', 'b', 'c'] as const;
type Row = { key: string; version: number };

/** Writes, invalidations, loads, aborts and batch answers in random order; gives what was wrong. */
async function run(seed: number, way: 'batchLoader' | 'createBatcher' | 'DataLoader') {
  const random = numbersOf(seed);
  const below = (n: number) => Math.floor(random() * n);
  const clock = fakeClock();
  const window = below(3) * 5;
  const wrong: string[] = [];
  const written = new Map<string, number>();
  const invalidated = new Map<string, number>();
  const answers: (() => void)[] = [];
  const version = (key: string) => written.get(key) ?? 0;
  const write = (key: string) => {
    written.set(key, version(key) + 1);
    invalidated.set(key, version(key));
  };
  const query = async (keys: readonly string[]) => {
    const rows = keys.map((key) => ({ key, version: version(key) }));
    const fails = below(8) === 0;
    const asMap = below(2) === 0;
    await new Promise<void>((resolve) => answers.push(resolve));
    if (fails) throw new Error('the database is down');
    return asMap ? new Map(rows.map((row) => [row.key, row])) : rows;
  };
  const batch = { window, maxBatchSize: 1 + below(4), clock };
  const cache = new AsyncCache<string, Row>({
    clock,
    maxSize: below(4) ? null : 2,
    ttl: below(2) ? 100 : null,
    staleWhileRevalidate: below(2) ? 10_000 : 0,
    batcher: createBatcher(batch),
  });
  const loader = batchLoader(query, batch);
  const dataLoader = new DataLoader<string, Row>(query, {
    cache,
    ...(window ? { window, clock } : {}),
  });
  const load = (key: string, options: { signal?: AbortSignal } = {}) =>
    way === 'DataLoader'
      ? dataLoader.load(key, options)
      : cache.get(
          key,
          way === 'batchLoader' ? { ...options, loader } : { ...options, batchLoader: query },
        );

  const check = (key: string, row: Row, least: number, where: string) => {
    if (row.key !== key) wrong.push(`${where}: ${key} got the row of ${row.key}`);
    if (row.version < least)
      wrong.push(`${where}: ${key} is ${row.version}, was written as ${least}`);
  };
  const calls: Promise<unknown>[] = [];
  for (let step = 0; step < 60; step++) {
    const key = KEYS[below(3)]!;
    const least = invalidated.get(key) ?? 0;
    const where = `step ${step}`;
    switch (below(9)) {
      case 0:
      case 1:
        calls.push(
          load(key)
            .then((row) => check(key, row, least, where))
            .catch(() => undefined),
        );
        break;
      case 2:
        write(key);
        void cache.delete(key);
        break;
      case 3:
        write(key);
        void cache.set(key, { key, version: version(key) });
        break;
      case 4:
        KEYS.forEach(write);
        void cache.clear();
        break;
      case 5:
        answers.splice(below(answers.length || 1), 1)[0]?.();
        break;
      case 6:
        await clock.advance(below(3) ? below(8) : 120);
        await turn();
        break;
      case 7: {
        const leaving = new AbortController();
        calls.push(load(key, { signal: leaving.signal }).catch(() => undefined));
        if (below(2)) await turn();
        leaving.abort();
        break;
      }
      case 8: {
        const many = cache.getMany(KEYS, query);
        calls.push(
          many
            .then((rows) => rows.forEach((row, of) => check(of, row, 0, where)))
            .catch(() => undefined),
        );
      }
    }
    for (const kept of KEYS) {
      const row = cache.peek(kept);
      if (row) check(kept, row, invalidated.get(kept) ?? 0, `memory at ${where}`);
    }
  }
  let open = true as boolean;
  const all = Promise.all(calls).then(() => (open = false));
  for (let turns = 0; open && turns < 100; turns++) {
    await clock.advance(20);
    await turn();
    for (const answer of answers.splice(0)) answer();
  }
  if (open) wrong.push('a call never settled');
  else await all;
  for (const kept of KEYS) {
    const row = cache.peek(kept);
    if (row) check(kept, row, invalidated.get(kept) ?? 0, 'memory at the end');
  }
  return wrong;
}

describe.each(['batchLoader', 'createBatcher', 'DataLoader'] as const)(
  'random programs of loads and invalidations (%s)',
  (way) => {
    it('never give or keep what an invalidation has overtaken', async () => {
      for (let seed = 1; seed <= 200; seed++) {
        const wrong = await run(seed, way);
        expect({ seed, wrong }).toEqual({ seed, wrong: [] });
      }
    }, 60_000);
  },
);
