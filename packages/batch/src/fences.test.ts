import { AsyncCache, type CacheError } from '@acache/core';
import { fakeClock, type FakeClock } from '@acache/core/testing';
import fc from 'fast-check';
import {
  controlledBatches,
  type ControlledBatch,
  type ControlledBatches,
} from '../test/controlled-batches.js';
import { failOnUnhandledRejections, outcomeOf } from '../test/outcome.js';
import { batchLoader, createBatcher, DataLoader } from './index.js';

failOnUnhandledRejections();

type Results = readonly (string | Error)[];

interface Bench {
  readonly clock: FakeClock;
  readonly cache: AsyncCache<string, string>;
  readonly batches: ControlledBatches<string, Results>;
  /** Reads keys, with the tag `t:<key>` where the way knows tags. */
  readonly read: (...keys: string[]) => Promise<string | undefined>[];
}

/** A way for keys of a cache to be loaded in batches. */
interface Way {
  readonly name: string;
  /** Whether it gathers over time, so that there is time for an invalidation before its batch goes. */
  readonly gathers: boolean;
  readonly knowsTags: boolean;
  readonly read: (bench: Omit<Bench, 'read'>) => Bench['read'];
}

const tags = (_value: string, key: string): string[] => [`t:${key}`];

const WAYS: readonly Way[] = [
  {
    name: 'batchLoader as the loader of get',
    gathers: true,
    knowsTags: true,
    read: ({ cache, clock, batches }) => {
      const loader = batchLoader(batches.load, { clock });
      return (...keys) => keys.map((key) => cache.get(key, { loader, tags }));
    },
  },
  {
    name: 'batchLoader in the options of get',
    gathers: true,
    knowsTags: true,
    read:
      ({ cache, batches }) =>
      (...keys) =>
        keys.map((key) => cache.get(key, { batchLoader: batches.load, tags })),
  },
  {
    name: 'batchLoader in the options of getMany',
    gathers: true,
    knowsTags: true,
    read:
      ({ cache, batches }) =>
      (...keys) => {
        const many = cache.getMany(keys, { batchLoader: batches.load, tags });
        return keys.map(async (key) => (await many).get(key));
      },
  },
  {
    name: 'loadMany of getMany',
    gathers: false,
    knowsTags: true,
    read:
      ({ cache, batches }) =>
      (...keys) => {
        const many = cache.getMany(keys, { loadMany: batches.load, tags });
        return keys.map(async (key) => (await many).get(key));
      },
  },
  {
    name: 'batchLoader as the loader of getMany',
    gathers: true,
    knowsTags: true,
    read: ({ cache, clock, batches }) => {
      const loader = batchLoader(batches.load, { clock });
      return (...keys) => {
        const many = cache.getMany(keys, { loader, tags });
        return keys.map(async (key) => (await many).get(key));
      };
    },
  },
  {
    name: 'a DataLoader with the cache',
    gathers: true,
    knowsTags: false,
    read: ({ cache, clock, batches }) => {
      const loader = new DataLoader<string, string>(batches.load, { cache, clock, window: 5 });
      return (...keys) => keys.map((key) => loader.load(key));
    },
  },
];

function bench(way: Way): Bench {
  const clock = fakeClock();
  const cache = new AsyncCache<string, string>({ clock, batcher: createBatcher({ clock }) });
  const batches = controlledBatches<string, Results>();
  const parts = { clock, cache, batches };
  return { ...parts, read: way.read(parts) };
}

/** What revokes the load of key `a`, and what is in memory afterwards instead of its value. */
interface Revocation {
  readonly name: string;
  readonly revoke: (cache: AsyncCache<string, string>) => Promise<unknown>;
  readonly leaves?: string;
  readonly byTag?: true;
  /** It revokes the loads of all keys. */
  readonly all?: true;
}

const REVOCATIONS: readonly Revocation[] = [
  { name: 'delete', revoke: (cache) => cache.delete('a') },
  { name: 'expire', revoke: (cache) => cache.expire('a') },
  { name: 'set', revoke: (cache) => cache.set('a', 'set'), leaves: 'set' },
  { name: 'invalidateTags', revoke: (cache) => cache.invalidateTags('t:a'), byTag: true },
  { name: 'clear', revoke: (cache) => cache.clear(), all: true },
];

/** Answers a batch with values that tell what it is called. */
function answer(batch: ControlledBatch<string, Results>, of: string): void {
  batch.resolve(batch.keys.map((key) => `${key} of ${of}`));
}

/** Answers the batches that are open and those that follow, the newest first. */
async function answerAll({ clock, batches }: Bench, nameOf: (at: number) => string): Promise<void> {
  const answered = new Set<number>();
  while (answered.size < batches.sent.length) {
    let newest = batches.sent.length - 1;
    while (answered.has(newest)) newest--;
    answered.add(newest);
    answer(batches.sent[newest] as (typeof batches.sent)[number], nameOf(newest));
    await clock.advance(0);
    await clock.advance(5);
  }
}

describe.each(WAYS)('$name: of the keys of a running batch', (way) => {
  const revocations = REVOCATIONS.filter(({ byTag }) => way.knowsTags || byTag === undefined);

  it.each(revocations)(
    '$name reaches the one it is about, and no other',
    async ({ revoke, leaves, all }) => {
      const { clock, cache, batches, read } = bench(way);
      const values = Promise.all(read('a', 'b', 'c'));
      await clock.advance(5);
      expect(batches.keys).toEqual([['a', 'b', 'c']]);
      await revoke(cache);
      answer(batches.sent[0]!, 'old');

      // Who waited before it is given what comes.
      expect(await values).toEqual(['a of old', 'b of old', 'c of old']);
      expect(cache.peek('a')).toBe(leaves);
      const others = all ? [undefined, undefined] : ['b of old', 'c of old'];
      expect([cache.peek('b'), cache.peek('c')]).toEqual(others);
      expect(clock.pending).toBe(0);
    },
  );

  it.each(revocations)(
    '$name: who comes after it is given nothing of that batch, early or late',
    async ({ revoke, leaves }) => {
      const at = bench(way);
      const { clock, cache, read } = at;
      const before = Promise.all(read('a', 'b'));
      await clock.advance(5);
      await revoke(cache);
      const after = Promise.all(read('a'));
      await clock.advance(5);
      await answerAll(at, (nth) => (nth === 0 ? 'old' : 'new'));
      expect(await after).toEqual([leaves ?? 'a of new']);
      expect((await before)[0]).toBe('a of old');

      expect(cache.peek('a')).toBe(leaves ?? 'a of new');
      expect(await Promise.all(read('a'))).toEqual([leaves ?? 'a of new']);
    },
  );

  it('an Error rejects its own, and is not cached', async () => {
    const { clock, cache, batches, read } = bench(way);
    const [a, b, c] = read('a', 'b', 'c').map(outcomeOf);
    await clock.advance(5);
    const error = new Error('no b');
    batches.sent[0]?.resolve(['A', error, 'C']);
    const outcomes = await Promise.all([a, b, c]);

    expect(outcomes[1]).toEqual({ error });
    expect([cache.peek('a'), cache.has('b'), cache.peek('c')]).toEqual(['A', false, 'C']);
    const again = Promise.all(read('b'));
    await clock.advance(5);
    batches.sent[1]?.resolve(['B']);
    expect(await again).toEqual(['B']);
  });

  it('none is cached when there is a result too few', async () => {
    const { clock, cache, batches, read } = bench(way);
    const values = read('a', 'b').map(outcomeOf);
    await clock.advance(5);
    batches.sent[0]?.resolve(['A']);

    for (const value of await Promise.all(values)) {
      const { error } = value as { error: CacheError };
      expect(error.code).toBe('ERR_ACACHE_BATCH_LENGTH');
    }
    expect(cache.size).toBe(0);
  });
});

describe.each(WAYS.filter(({ gathers }) => gathers))('$name: while a batch is gathered', (way) => {
  const revocations = REVOCATIONS.filter(({ byTag }) => way.knowsTags || byTag === undefined);

  it.each(revocations)('$name leaves the other keys to it', async ({ revoke, leaves, all }) => {
    const { clock, cache, batches, read } = bench(way);
    const values = Promise.all(read('a', 'b'));
    await clock.advance(2);
    await revoke(cache);
    await clock.advance(3);
    expect(batches.keys).toEqual([['a', 'b']]);
    answer(batches.sent[0]!, 'batch');

    expect(await values).toEqual(['a of batch', 'b of batch']);
    expect(cache.peek('a')).toBe(leaves);
    expect(cache.peek('b')).toBe(all ? undefined : 'b of batch');
  });

  it.each(revocations)('$name: who comes after it is served', async ({ revoke, leaves }) => {
    const at = bench(way);
    const { clock, cache, read } = at;
    const before = Promise.all(read('a', 'b'));
    await clock.advance(2);
    await revoke(cache);
    const after = Promise.all(read('a'));
    await clock.advance(5);
    await answerAll(at, () => 'batch');

    expect(await before).toEqual(['a of batch', 'b of batch']);
    expect(await after).toEqual([leaves ?? 'a of batch']);
    expect(cache.peek('a')).toBe(leaves ?? 'a of batch');
  });
});

describe('batches of a key, one after the other', () => {
  it('may come back in any order: the newest stays', async () => {
    const { clock, cache, batches, read } = bench(WAYS[1]!);
    const reads: Promise<string | undefined>[] = [];
    for (let round = 0; round < 4; round++) {
      reads.push(...read('a', 'b'));
      await clock.advance(5);
      await cache.delete('a');
    }
    reads.push(...read('a', 'c'));
    await clock.advance(5);
    expect(batches.keys).toEqual([['a', 'b'], ['a'], ['a'], ['a'], ['a', 'c']]);
    for (const at of [3, 4, 1, 0, 2]) answer(batches.sent[at]!, String(at));
    await Promise.all(reads);

    expect(['a', 'b', 'c'].map((key) => cache.peek(key))).toEqual(['a of 4', 'b of 0', 'c of 4']);
  });
});

/** A value that knows its key, and the step in which its batch was sent or it was set. */
interface Stamped {
  readonly key: string;
  readonly at: number;
}

/** An error that knows the keys that it is about. */
class Failure extends Error {
  constructor(readonly keys: readonly string[]) {
    super(`no ${keys.join()}`);
  }
}

const KEYS = ['a', 'b', 'c', 'd'];
const BY = ['loader', 'batchLoader', 'dataLoader'] as const;
const key = fc.constantFrom(...KEYS);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      key,
      by: fc.constantFrom(...BY),
      patience: fc.constantFrom('any' as const, 'signal' as const, 2, 7),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('getMany' as const),
      keys: fc.uniqueArray(key, { minLength: 1 }),
      by: fc.constantFrom('loadMany' as const, 'batchLoader' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'delete' as const,
        'set' as const,
        'expire' as const,
        'invalidate' as const,
      ),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), nth: fc.nat(5) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(6) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      nth: fc.nat(5),
      with: fc.constantFrom(
        'values' as const,
        'values' as const,
        'values' as const,
        'an error' as const,
        'rejection' as const,
      ),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A DataLoader gives its values no tags, so that it is not played together with them. */
function tagging(steps: readonly Step[]): Step[] {
  return steps.map((each) =>
    each.do === 'get' && each.by === 'dataLoader' ? { ...each, by: 'loader' } : each,
  );
}
function tagless(steps: readonly Step[]): Step[] {
  return steps.map((each) => (each.do === 'invalidate' ? { ...each, do: 'delete' } : each));
}

/** Plays a schedule: at every step, nothing is served or kept that an invalidation before it revoked. */
async function play(steps: readonly Step[], maxBatchSize: number): Promise<number> {
  const clock = fakeClock();
  const cache = new AsyncCache<string, Stamped>({
    clock,
    batcher: createBatcher({ clock, maxBatchSize }),
  });
  let now = 0;
  let checked = 0;
  const revoked = new Map<string, number>(KEYS.map((each) => [each, 0]));
  const revokedAt = (of: string): number => revoked.get(of) ?? 0;

  const open: {
    keys: readonly string[];
    at: number;
    end: (how: Step & { do: 'answer' }) => void;
  }[] = [];
  const load = (keys: readonly string[]): Promise<(Stamped | Error)[]> =>
    new Promise((resolve, reject) => {
      const at = now;
      open.push({
        keys,
        at,
        end: ({ with: how }) => {
          const failure = new Failure(how === 'an error' ? keys.slice(0, 1) : keys);
          if (how === 'rejection') reject(failure);
          else
            resolve(
              keys.map((each, place) =>
                how === 'an error' && place === 0 ? failure : { key: each, at },
              ),
            );
        },
      });
    });
  const loader = batchLoader(load, { clock, maxBatchSize, window: 3 });
  const dataLoader = new DataLoader<string, Stamped>(load, {
    clock,
    cache,
    maxBatchSize,
    window: 4,
  });
  const tags = (_value: Stamped, of: string): string[] => [`t:${of}`];

  const fits = ({ key: of, at }: Stamped, asked: string, since: number): void => {
    checked++;
    expect(of).toBe(asked);
    expect(at).toBeGreaterThanOrEqual(since);
  };
  const problems: unknown[] = [];
  let waiting = 0;
  const watch = (
    promise: Promise<unknown>,
    check: (value: unknown) => void,
    mayLeave: boolean,
    keys: readonly string[],
  ): void => {
    waiting++;
    promise
      .then(check, (error: unknown) => {
        // An error is told to those of its keys only.
        if (error instanceof Failure)
          expect(error.keys.some((each) => keys.includes(each))).toBe(true);
        else if (!mayLeave) throw error;
      })
      .catch((problem: unknown) => problems.push(problem))
      .finally(() => waiting--);
  };

  const controllers: AbortController[] = [];
  const get = ({ key: asked, by, patience }: Step & { do: 'get' }): void => {
    const since = revokedAt(asked);
    const leave = new AbortController();
    if (patience === 'signal') controllers.push(leave);
    const options = {
      tags,
      ...(patience === 'signal' && { signal: leave.signal }),
      ...(typeof patience === 'number' && { timeout: patience }),
    };
    const promise: Promise<unknown> =
      by === 'dataLoader'
        ? dataLoader.load(asked, patience === 'signal' ? { signal: leave.signal } : {})
        : cache.get(
            asked,
            by === 'loader' ? { loader, ...options } : { batchLoader: load, ...options },
          );
    watch(promise, (value) => fits(value as Stamped, asked, since), patience !== 'any', [asked]);
  };
  const getMany = ({ keys, by }: Step & { do: 'getMany' }): void => {
    const since = new Map(keys.map((each) => [each, revokedAt(each)]));
    const how = by === 'loadMany' ? { loadMany: load } : { batchLoader: load };
    watch(
      cache.getMany(keys, { ...how, tags }),
      (found) => {
        expect([...(found as Map<string, Stamped>).keys()]).toEqual(keys);
        for (const [asked, value] of found as Map<string, Stamped>) {
          fits(value, asked, since.get(asked) as number);
        }
      },
      false,
      keys,
    );
  };

  const revoke = async (of: string, call: () => Promise<unknown>): Promise<void> => {
    revoked.set(of, now);
    await call();
  };
  const run = async (each: Step): Promise<void> => {
    switch (each.do) {
      case 'get':
        get(each);
        break;
      case 'getMany':
        getMany(each);
        break;
      case 'delete':
        await revoke(each.key, () => cache.delete(each.key));
        break;
      case 'expire':
        await revoke(each.key, () => cache.expire(each.key));
        break;
      case 'invalidate':
        await revoke(each.key, () => cache.invalidateTags(`t:${each.key}`));
        break;
      case 'set':
        await revoke(each.key, () =>
          cache.set(each.key, { key: each.key, at: now }, { tags: [`t:${each.key}`] }),
        );
        break;
      case 'clear':
        for (const of of KEYS) revoked.set(of, now);
        await cache.clear();
        break;
      case 'leave':
        controllers
          .splice(each.nth % Math.max(1, controllers.length), 1)[0]
          ?.abort(new Error('left'));
        break;
      case 'advance':
        await clock.advance(each.ms);
        break;
      case 'answer':
        open.splice(each.nth % Math.max(1, open.length), 1)[0]?.end(each);
        break;
    }
  };

  for (const each of steps) {
    now++;
    await run(each);
    await clock.advance(0);
    for (const of of KEYS) {
      const kept = cache.peek(of);
      if (kept !== undefined) fits(kept, of, revokedAt(of));
    }
    expect(problems).toEqual([]);
  }
  // In the end everybody is served.
  for (let round = 0; round < 4; round++) {
    now++;
    await clock.advance(10);
    for (const { end } of open.splice(0)) end({ do: 'answer', nth: 0, with: 'values' });
    await clock.advance(0);
  }
  expect([problems, waiting, clock.pending]).toEqual([[], 0, 0]);
  return checked;
}

describe('in every interleaving of loads, invalidations and callers who leave', () => {
  it('nothing is served or kept of a batch that was sent before an invalidation', async () => {
    let checked = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.array(step, { maxLength: 30 }).map(tagging),
          fc.array(step, { maxLength: 30 }).map(tagless),
        ),
        fc.constantFrom(1, 2, 3, 100),
        async (steps, maxBatchSize) => {
          checked += await play(steps, maxBatchSize);
        },
      ),
      { numRuns: Number(process.env.ACACHE_RUNS ?? 400) },
    );
    expect(checked).toBeGreaterThan(1_000);
  }, 600_000);
});
