import OriginalDataLoader from 'dataloader';
import { AsyncCache, type BatchContext, type Cache } from '@acache/core';
import { DataLoader } from './index.js';
import type { BatchLoadFn, CacheMap, DataLoaderOptions, LoadOptions } from './index.js';

/** Compiles where both types are the very same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where a value has the type that is expected, and no other. */
declare function is<Expected>(): <Actual>(
  value: Actual,
  ...other: Same<Actual, Expected> extends true ? [] : [type: never]
) => void;
declare function same<A, B>(really: Same<A, B>): void;
declare function use(...values: unknown[]): void;

interface User {
  id: number;
  name: string;
}
declare const user: User;
declare const theirOptions: OriginalDataLoader.Options<number, User>;
declare const theirLoad: OriginalDataLoader.BatchLoadFn<number, User>;
declare const port: Cache<number, User>;
declare const findUsers: (ids: readonly number[]) => Promise<User[]>;

// Key and value are inferred from the batch function, whatever it answers with.
{
  const byArray = new DataLoader(findUsers);
  is<DataLoader<number, User>>()(byArray);
  const byArrow = new DataLoader(async (ids: readonly number[]) => ids.map(() => user));
  is<DataLoader<number, User>>()(byArrow);
  const withErrors = new DataLoader(async (ids: readonly number[]) =>
    ids.map((id) => (id > 5 ? user : new Error('no user'))),
  );
  is<DataLoader<number, User>>()(withErrors);
  const withNull = new DataLoader(async (ids: readonly number[]) =>
    ids.map((id) => (id > 5 ? user : null)),
  );
  is<DataLoader<number, User | null>>()(withNull);
  const byReadonlyArray = new DataLoader(async (ids: readonly number[]) => ids);
  is<DataLoader<number, number>>()(byReadonlyArray);
  const byArrayLike = new DataLoader(async (ids: readonly number[]) => new Float64Array(ids));
  is<DataLoader<number, number>>()(byArrayLike);
  const byMap = new DataLoader(
    async (ids: readonly number[]) => new Map(ids.map((id) => [id, user])),
  );
  is<DataLoader<number, User>>()(byMap);
  const byMapWithErrors = new DataLoader(
    async (_ids: readonly number[]) => new Map<number, User | Error>(),
  );
  is<DataLoader<number, User>>()(byMapWithErrors);
  const byRecord = new DataLoader(async (ids: readonly string[]): Promise<Record<string, User>> =>
    Object.fromEntries(ids.map((id) => [id, user])),
  );
  is<DataLoader<string, User>>()(byRecord);

  // What is given as type arguments is checked.
  new DataLoader<string, User>(async (ids) => {
    is<readonly string[]>()(ids);
    return ids.map(() => user);
  });
  new DataLoader<string, User>(async () => [user, new Error('no user')]);
  new DataLoader<string, User>(async () => new Map([['a', user]]));
  new DataLoader<string, User>(async () => ({ a: user, b: new Error('no b') }));
  new DataLoader<number, User>(async () => ({ 1: user }));
  // @ts-expect-error values of another type
  new DataLoader<string, User>(async () => [5]);
  // @ts-expect-error values of another type in a Map
  new DataLoader<string, User>(async () => new Map([['a', 5]]));
  // @ts-expect-error a Map by other keys
  new DataLoader<string, User>(async () => new Map([[1, user]]));
  // @ts-expect-error values of another type in a record
  new DataLoader<string, User>(async () => ({ a: 5 }));
  // @ts-expect-error no promise
  new DataLoader<string, User>(() => [user]);
  // @ts-expect-error nothing that holds values
  new DataLoader<string, User>(async () => null);
  // @ts-expect-error nothing that holds values
  new DataLoader<string, User>(async () => undefined);
  // @ts-expect-error one key is no list of keys
  new DataLoader(async (id: number) => [id]);
  new DataLoader<string, string>(async (ids) => {
    // @ts-expect-error the batch function must not change its keys
    const own: string[] = ids;
    return own;
  });
  // @ts-expect-error there must be a batch function
  new DataLoader();
}

// load, loadMany, clear, clearAll, prime, name.
{
  const users = new DataLoader(findUsers, { name: 'users' });
  is<Promise<User>>()(users.load(1));
  is<Promise<User>>()(users.load(1, { signal: AbortSignal.timeout(5) }));
  is<Promise<(User | Error)[]>>()(users.loadMany([1, 2]));
  is<Promise<(User | Error)[]>>()(users.loadMany(new Uint8Array([1, 2])));
  is<Promise<(User | Error)[]>>()(users.loadMany({ length: 1, 0: 5 }));
  is<Promise<(User | Error)[]>>()(users.loadMany([1, 2] as const, {}));
  is<DataLoader<number, User>>()(users.clear(1).clearAll().prime(1, user));
  users.prime(1, new Error('no user')).prime(2, Promise.resolve(user));
  is<string | null>()(users.name);
  const options: LoadOptions = {};
  use(options);
  void users.load(1).then(({ name }) => name.length);

  // @ts-expect-error a key of another type
  void users.load('1');
  // @ts-expect-error there must be a key
  void users.load();
  // @ts-expect-error null is no key
  void users.load(null);
  // @ts-expect-error keys of another type
  void users.loadMany(['1']);
  // @ts-expect-error one key is no list of keys
  void users.loadMany(1);
  // @ts-expect-error a Set is no list
  void users.loadMany(new Set([1]));
  // @ts-expect-error a key of another type
  users.clear('1');
  // @ts-expect-error a value of another type
  users.prime(1, 5);
  // @ts-expect-error a promise of another type
  users.prime(1, Promise.resolve(5));
  // @ts-expect-error a key of another type
  users.prime('1', user);
  // @ts-expect-error no such option
  void users.load(1, { timeout: 5 });
  // @ts-expect-error the very signal, not its controller
  void users.load(1, { signal: new AbortController() });
}

// The type of the cache key is inferred from cacheKeyFn.
{
  const byId = new DataLoader(async (keys: readonly User[]) => keys.map(({ name }) => name), {
    cacheKeyFn: ({ id }) => id,
  });
  is<DataLoader<User, string, number>>()(byId);
  const map = new Map<number, Promise<string>>();
  new DataLoader<User, string, number>(async () => [], {
    cacheKeyFn: ({ id }) => id,
    cacheMap: map,
  });
  new DataLoader<User, string, number>(async () => [], { cacheMap: null });
  new DataLoader<User, string, string>(async () => [], {
    cacheKeyFn: ({ name }) => name,
    // @ts-expect-error a map by other keys
    cacheMap: map,
  });
  new DataLoader<User, string, string>(async () => [], {
    // @ts-expect-error another cache key
    cacheKeyFn: ({ id }) => id,
  });
}

// Options.
{
  new DataLoader(findUsers, {
    batch: true,
    maxBatchSize: 100,
    batchScheduleFn: (callback) => setTimeout(callback, 5),
    cache: true,
    name: null,
  });
  new DataLoader(findUsers, { window: '5ms' });
  new DataLoader(findUsers, { window: 5, maxBatchSize: Infinity });
  new DataLoader(findUsers, { cache: new AsyncCache<number, User>({ ttl: '1m' }) });
  new DataLoader(findUsers, { cache: new AsyncCache() });
  new DataLoader(findUsers, { cache: port });
  new DataLoader<User, string, number>(async () => [], {
    cacheKeyFn: ({ id }) => id,
    cache: new AsyncCache<number, string>(),
  });
  // @ts-expect-error no such duration
  new DataLoader(findUsers, { window: '5 minutes' });
  // @ts-expect-error a number is wanted
  new DataLoader(findUsers, { maxBatchSize: '5' });
  // @ts-expect-error no such option
  new DataLoader(findUsers, { ttl: '5s' });
  // @ts-expect-error a map of promises is a cacheMap
  new DataLoader(findUsers, { cache: new Map<number, Promise<User>>() });
  // @ts-expect-error a cacheMap holds promises
  new DataLoader(findUsers, { cacheMap: new Map<number, User>() });
  // @ts-expect-error a cache of other values
  new DataLoader<number, User>(findUsers, { cache: new AsyncCache<number, string>() });
  // @ts-expect-error a cache of other keys
  new DataLoader<number, User>(findUsers, { cache: new AsyncCache<string, User>() });
}

// The batch function may name its context, and its this.
{
  const byContext = new DataLoader(async (ids: readonly number[], context: BatchContext) => {
    is<AbortSignal>()(context.signal);
    return ids.map(() => user);
  });
  is<DataLoader<number, User>>()(byContext);
  new DataLoader<number, User>(async (ids, { signal }) => {
    is<AbortSignal>()(signal);
    return ids.map(() => user);
  });
  new DataLoader<number, User>(async function (this: DataLoader<number, User>, ids) {
    this.clearAll();
    return ids.map(() => user);
  });
}

// It may be extended.
{
  class Users extends DataLoader<number, User> {
    constructor() {
      super(findUsers, { maxBatchSize: 5 });
    }

    override load(key: number, options?: LoadOptions): Promise<User> {
      return super.load(key, options);
    }
  }
  const users = new Users();
  is<Users>()(users.clear(1).clearAll());
}

// Programs that are written against the types of dataloader.
{
  const load: DataLoader.BatchLoadFn<number, User> = async (ids) => ids.map(() => user);
  const options: DataLoader.Options<number, User> = { cache: false, maxBatchSize: 5 };
  const withKey: DataLoader.Options<User, string, number> = { cacheKeyFn: ({ id }) => id };
  const cacheMap: DataLoader.CacheMap<number, Promise<User>> = new Map<number, Promise<User>>();
  new DataLoader(load, options);
  new DataLoader<User, string, number>(async () => [], withKey);
  new DataLoader<number, User>(load, { ...options, cacheMap });
  same<DataLoader.Options<User, string, number>, DataLoaderOptions<User, string, number>>(true);
  same<DataLoader.BatchLoadFn<number, User>, BatchLoadFn<number, User>>(true);
  same<DataLoader.CacheMap<number, User>, CacheMap<number, User>>(true);

  // A cache map of their own.
  class LruMap<C, V> implements DataLoader.CacheMap<C, V> {
    readonly #entries = new Map<C, V>();
    get(key: C): V | undefined {
      return this.#entries.get(key);
    }
    set(key: C, value: V): void {
      this.#entries.set(key, value);
    }
    delete(key: C): boolean {
      return this.#entries.delete(key);
    }
    clear(): void {
      this.#entries.clear();
    }
  }
  new DataLoader<number, User>(load, { cacheMap: new LruMap() });

  // A class that holds loaders, as a GraphQL context does.
  const loadersOf = (tenant: string) => ({
    users: new DataLoader<number, User>((ids) => findUsers(ids)),
    names: new DataLoader<string, string | null>((keys) =>
      Promise.resolve(keys.map((key) => (key === tenant ? key : null))),
    ),
  });
  type Loaders = ReturnType<typeof loadersOf>;
  const resolve = async ({ users, names }: Loaders): Promise<string | null> => {
    const [first] = await users.loadMany([1, 2]);
    if (first instanceof Error) throw first;
    return names.load(first?.name ?? '');
  };
  use(resolve(loadersOf('acme')));

  // What takes a dataloader takes ours, and what was written for theirs is taken by ours.
  type Ours = DataLoader<number, User>;
  const fits: Ours extends OriginalDataLoader<number, User> ? true : never = true;
  use(fits);
  const theirClass: new (
    load: OriginalDataLoader.BatchLoadFn<number, User>,
    options?: OriginalDataLoader.Options<number, User>,
  ) => OriginalDataLoader<number, User> = DataLoader;
  use(theirClass);
  const ours = new DataLoader(theirLoad, theirOptions);
  is<DataLoader<number, User>>()(ours);
}

// It and dataloader's own take each other's place, a step of a move at a time.
{
  const ours = new DataLoader(findUsers);
  const theirs = new OriginalDataLoader(findUsers);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- that is the point
  const fits: [OriginalDataLoader<number, User>, DataLoader<number, User>] = [ours, theirs];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- map() binds it
  const loads: Promise<User>[] = [1, 2].map(ours.load, ours);
  const bound: Promise<User>[] = [1, 2].map(ours.load.bind(ours));
  use(fits, loads, bound, new DataLoader<number, User>(findUsers, { cache: new AsyncCache() }));
}
