import { AsyncCache, type BatchContext, type Batcher, type BatchFunction } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { batchLoader, createBatcher, type BatchedLoader } from './index.js';
import type { BatchOptions } from './index.js';

/** Compiles where both types are the very same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where a value has the type that is expected, and no other. */
declare function is<Expected>(): <Actual>(
  value: Actual,
  ...other: Same<Actual, Expected> extends true ? [] : [type: never]
) => void;
declare function use(...values: unknown[]): void;

interface User {
  id: number;
  name: string;
}
declare const user: User;
declare const findUsers: (ids: readonly number[]) => Promise<User[]>;

// Key and value are inferred from the batch function, whatever it answers with.
{
  const byArray = batchLoader(findUsers);
  is<BatchedLoader<number, User>>()(byArray);
  const withErrors = batchLoader(async (ids: readonly number[]) =>
    ids.map((id) => (id > 5 ? user : new Error('no user'))),
  );
  is<BatchedLoader<number, User>>()(withErrors);
  const withNull = batchLoader(async (ids: readonly number[]) =>
    ids.map((id) => (id > 5 ? user : null)),
  );
  is<BatchedLoader<number, User | null>>()(withNull);
  const byMap = batchLoader(async (ids: readonly number[]) => new Map(ids.map((id) => [id, user])));
  is<BatchedLoader<number, User>>()(byMap);
  const byMapWithErrors = batchLoader(
    async (_ids: readonly number[]) => new Map<number, User | Error>(),
  );
  is<BatchedLoader<number, User>>()(byMapWithErrors);
  const byRecord = batchLoader(async (ids: readonly string[]): Promise<Record<string, User>> =>
    Object.fromEntries(ids.map((id) => [id, user])),
  );
  is<BatchedLoader<string, User>>()(byRecord);
  const atOnce = batchLoader((ids: readonly number[]) => ids.map(() => user));
  is<BatchedLoader<number, User>>()(atOnce);
  const byContext = batchLoader(async (ids: readonly number[], { signal }: BatchContext) => {
    is<AbortSignal>()(signal);
    return ids.map(() => user);
  });
  is<BatchedLoader<number, User>>()(byContext);

  // What is given as type arguments is checked.
  batchLoader<string, User>(async (ids, context) => {
    is<readonly string[]>()(ids);
    is<BatchContext>()(context);
    return ids.map(() => user);
  });
  // @ts-expect-error values of another type
  batchLoader<string, User>(async () => [5]);
  // @ts-expect-error values of another type in a Map
  batchLoader<string, User>(async () => new Map([['a', 5]]));
  // @ts-expect-error a Map by other keys
  batchLoader<string, User>(async () => new Map([[1, user]]));
  // @ts-expect-error values of another type in a record
  batchLoader<string, User>(async () => ({ a: 5 }));
  // @ts-expect-error nothing that holds values
  batchLoader<string, User>(async () => null);
  batchLoader<string, string>(async (ids) => {
    // @ts-expect-error the batch function must not change its keys
    const own: string[] = ids;
    return own;
  });
  // @ts-expect-error one key is no list of keys
  batchLoader(async (id: number) => [id]);
  // @ts-expect-error there must be a batch function
  batchLoader();
}

// Options.
{
  const options: BatchOptions = { window: '2ms', maxBatchSize: 500, clock: fakeClock() };
  batchLoader(findUsers, options);
  batchLoader(findUsers, { window: 0, maxBatchSize: Infinity });
  createBatcher(options);
  createBatcher();
  // @ts-expect-error no such duration
  batchLoader(findUsers, { window: '5 minutes' });
  // @ts-expect-error a window is never without an end
  batchLoader(findUsers, { window: null });
  // @ts-expect-error a number is wanted
  createBatcher({ maxBatchSize: '5' });
  // @ts-expect-error no such option
  createBatcher({ size: 5 });
}

// What they make fits a cache.
{
  const batcher = createBatcher();
  is<Batcher>()(batcher);
  const cache = new AsyncCache<number, User>({ batcher });
  const loader = batchLoader(findUsers);
  const byLoader = cache.get(1, loader);
  is<Promise<User>>()(byLoader);
  const byOptions = cache.get(1, { loader, ttl: '5s' });
  is<Promise<User>>()(byOptions);
  const byBatch = cache.get(1, { batchLoader: findUsers });
  is<Promise<User>>()(byBatch);
  const many = cache.getMany([1, 2], findUsers);
  is<Promise<Map<number, User>>>()(many);
  void cache.getMany([1, 2], { loader });
  void cache.getMany([1, 2], { batchLoader: findUsers });
  void cache.warmup([[1, loader]]);
  const find: BatchFunction<number, User> = findUsers;
  void cache.getMany([1], find);

  const untyped = new AsyncCache({ batcher });
  const inferred = untyped.get(1, { batchLoader: findUsers });
  is<Promise<User>>()(inferred);
  const inferredToo = untyped.get(1, loader);
  is<Promise<User>>()(inferredToo);

  const names = new AsyncCache<string, string>();
  // @ts-expect-error a loader of other keys and values
  void names.get('a', loader);
  // @ts-expect-error a batch function of other keys and values
  void names.get('a', { batchLoader: findUsers });
  use(names);
}
