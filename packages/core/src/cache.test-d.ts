import { AsyncCache } from './index.js';
import type {
  AsyncCacheOptions,
  Cache,
  CacheMetrics,
  Duration,
  LoadContext,
  Loader,
  ReadResult,
  ReadStatus,
  Ttl,
  WarmupReport,
} from './index.js';

/** Compiles where both types are the very same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(really: Same<A, B>): void;
/** Compiles where a value has the type that is expected, and no other. */
declare function is<Expected>(): <Actual>(
  value: Actual,
  ...other: Same<Actual, Expected> extends true ? [] : [type: never]
) => void;
declare function use(...values: unknown[]): void;
declare function type<T>(): T;

interface User {
  id: number;
  name: string;
}
declare const user: User;
declare const loadUser: (id: string) => Promise<User>;

// A cache without type arguments takes any key, and infers the value from the loader.
{
  const cache = new AsyncCache();
  is<AsyncCache>()(cache);

  const loaded = cache.get('k', () => 5);
  is<Promise<number>>()(loaded);
  const awaited = cache.get(['user', 1], () => Promise.resolve(user));
  is<Promise<User>>()(awaited);
  const byAsync = cache.get({ id: 1 }, async () => user.name);
  is<Promise<string>>()(byAsync);
  const byName = cache.get('u1', loadUser);
  is<Promise<User>>()(byName);
  const byOptions = cache.get('k', { loader: () => Promise.resolve(user), ttl: '5s' });
  is<Promise<User>>()(byOptions);
  const nullable = cache.get('k', () => null as User | null);
  is<Promise<User | null>>()(nullable);
  const nothing = cache.get('k', () => undefined);
  is<Promise<undefined>>()(nothing);

  // The loader knows the key as the caller does.
  const length = cache.get('u1', (key) => key.length);
  is<Promise<number>>()(length);
  void cache.get(7, (key) => key.toFixed());

  const options = new AsyncCache({ ttl: '5s', maxSize: 10 });
  const fromOptions = options.get('k', () => 5);
  is<Promise<number>>()(fromOptions);
}

// With type arguments, what is found may be undefined, and what is loaded is not.
{
  const cache = new AsyncCache<string, User>();
  const found = cache.get('k');
  is<Promise<User | undefined>>()(found);
  const loaded = cache.get('k', loadUser);
  is<Promise<User>>()(loaded);
  const byOptions = cache.get('k', { loader: loadUser });
  is<Promise<User>>()(byOptions);
  const byBatch = cache.get('k', { batchLoader: async (keys) => keys.map(() => user) });
  is<Promise<User>>()(byBatch);
  const without = cache.get('k', { ttl: '5s' });
  is<Promise<User | undefined>>()(without);
  const refreshed = cache.get('k', { refresh: true, loader: () => user });
  is<Promise<User>>()(refreshed);
  const peeked = cache.peek('k');
  is<User | undefined>()(peeked);
  const has = cache.has('k');
  is<boolean>()(has);

  // @ts-expect-error a key of another type
  void cache.get(1);
  // @ts-expect-error a loader of another value
  void cache.get('k', () => 5);
  // @ts-expect-error an async loader of another value
  void cache.get('k', async () => 'text');
  // @ts-expect-error a loader of another value among options
  void cache.get('k', { loader: () => 5 });
  // @ts-expect-error a loader that may give nothing
  void cache.get('k', () => undefined);
  // @ts-expect-error a loader that wants another key
  void cache.get('k', (key: number) => ({ id: key, name: '' }));
  // @ts-expect-error an option that does not exist
  void cache.get('k', { loadr: loadUser });
  // @ts-expect-error another value
  void cache.set('k', 5);
  // @ts-expect-error a key of another type
  void cache.set(1, user);
  // @ts-expect-error a key of another type
  void cache.delete(1);
  // @ts-expect-error a key of another type
  cache.peek(1);
  // @ts-expect-error tags are a list
  void cache.set('k', user, { tags: 'user' });

  const set = cache.set('k', user, { ttl: '5s', tags: ['user'], staleIfError: '1h' });
  is<Promise<void>>()(set);
  const setMany = cache.setMany([['k', user]], { ttl: null });
  is<Promise<void>>()(setMany);
  void cache.setMany(new Map([['k', user]]));
  const deleted = cache.delete('k');
  is<Promise<boolean>>()(deleted);
  const expired = cache.expire('k');
  is<Promise<boolean>>()(expired);
  const invalidated = cache.invalidateTags('a', 'b');
  is<Promise<void>>()(invalidated);
  const metrics = cache.getMetrics();
  is<CacheMetrics>()(metrics);
  same<CacheMetrics[keyof CacheMetrics], number>(true);
  same<(typeof cache)['ready'], Promise<void>>(true);
  same<(typeof cache)['size'], number>(true);
  // @ts-expect-error the name is fixed
  cache.name = 'other';
}

// The loader's context.
{
  const cache = new AsyncCache<string, User>();
  void cache.get('k', (key, context) => {
    const text: string = key;
    use(text);
    is<LoadContext<User>>()(context);
    is<User | undefined>()(context.previous);
    is<AbortSignal>()(context.signal);
    is<boolean>()(context.background);
    context.ttl('5s');
    context.ttl(null);
    context.tag('a', 'b');
    context.skipStore();
    // @ts-expect-error no such duration
    context.ttl('5 minutes');
    // @ts-expect-error the context is told, not changed
    context.background = true;
    return user;
  });
  void cache.get('k', {
    loader: (_key, context) => {
      is<User | undefined>()(context.previous);
      return user;
    },
    ttl: (value, key) => {
      is<User>()(value);
      return key.length > 5 ? '5s' : null;
    },
    tags: (value) => [`user:${value.id}`],
    signal: AbortSignal.timeout(5),
    timeout: '1s',
    softTimeout: 5,
  });
}

// getWithMeta.
{
  const cache = new AsyncCache<string, User>();
  const found = cache.getWithMeta('k');
  is<Promise<ReadResult<User | undefined>>>()(found);
  void cache.getWithMeta('k', loadUser).then((result) => {
    is<ReadStatus>()(result.status);
    same<ReadStatus, 'hit' | 'stale' | 'miss' | 'joined' | 'error-stale'>(true);
    is<'memory' | 'tier' | 'loader' | undefined>()(result.source);
    is<number>()(result.age);
    is<number | null>()(result.ttlLeft);
    const value: User | undefined = result.value;
    return value;
  });
  void cache.getWithMeta('k', { loader: loadUser, ttl: '5s' });
  // @ts-expect-error a loader of another value
  void cache.getWithMeta('k', () => 5);
}

// getMany.
{
  const cache = new AsyncCache<string, User>();
  const found = cache.getMany(['a', 'b']);
  is<Promise<Map<string, User>>>()(found);
  const loaded = cache.getMany(new Set(['a']), async (keys) => {
    is<readonly string[]>()(keys);
    return keys.map(() => user);
  });
  is<Promise<Map<string, User>>>()(loaded);
  void cache.getMany(['a'], async () => new Map([['a', user]]));
  void cache.getMany(['a'], async () => ({ a: user }));
  void cache.getMany(['a'], async () => [new Error('no a')]);
  void cache.getMany(['a'], async () => [user, new Error('no b')]);
  void cache.getMany(['a'], {
    loadMany: async () => [user],
    ttl: '5s',
    signal: type<AbortSignal>(),
  });
  void cache.getMany(['a'], { loader: loadUser });
  // @ts-expect-error keys of another type
  void cache.getMany([1]);
  // @ts-expect-error values of another type
  void cache.getMany(['a'], async () => [5]);

  const untyped = new AsyncCache().getMany([1, 'a']);
  is<Promise<Map<string | number, any>>>()(untyped);
}

// Durations.
{
  type<(duration: Duration) => void>()('5s');
  const durations: Duration[] = ['250ms', '5s', '10m', '2h', '1d', 5, '1.5s'];
  const ttls: Ttl[] = [...durations, null];
  use(ttls);
  // @ts-expect-error no such unit
  const minutes: Duration = '5 minutes';
  // @ts-expect-error a unit is missing
  const bare: Duration = '5';
  // @ts-expect-error no such unit
  const weeks: Duration = '5w';
  // @ts-expect-error only a ttl may be null
  const never: Duration = null;
  use(minutes, bare, weeks, never);

  new AsyncCache({ ttl: '5s', staleWhileRevalidate: '1m', staleIfError: 5, timeout: '250ms' });
  new AsyncCache({ ttl: null, maxSize: null, clone: structuredClone, policy: 'lru' });
  new AsyncCache({ ttl: () => '5s', errorTtl: (_error, _key) => '5s' });
  // @ts-expect-error no such duration
  new AsyncCache({ ttl: '5 minutes' });
  // @ts-expect-error no such duration
  new AsyncCache({ staleIfError: '5 minutes' });
  // @ts-expect-error only a ttl may be null
  new AsyncCache({ timeout: null });
  // @ts-expect-error no such duration
  new AsyncCache({ ttl: () => '5 minutes' });
  // @ts-expect-error a number is wanted
  new AsyncCache({ jitter: '0.5' });
  // @ts-expect-error no such policy
  new AsyncCache({ policy: 'fifo' });
  // @ts-expect-error false or a function
  new AsyncCache({ clone: true });
  // @ts-expect-error no such option
  new AsyncCache({ max: 5 });
}

// Options know keys and values.
{
  new AsyncCache<string, User>({
    ttl: (value, key) => (value.id > 5 && key.length > 0 ? '5s' : null),
    weigh: (value, key) => value.name.length + key.length,
    maxWeight: 5,
    errorTtl: (error, key) => {
      is<unknown>()(error);
      is<string>()(key);
      return 5;
    },
    clone: (value) => ({ ...value }),
  });
  const options: AsyncCacheOptions<string, User> = { name: 'users' };
  const cache = new AsyncCache(options);
  is<AsyncCache<string, User>>()(cache);
}

// Keys are contravariant, as far as a cache takes them.
{
  const wide: Cache<unknown, User> = new AsyncCache<unknown, User>();
  const narrow: Cache<string, User> = new AsyncCache<string, User>();
  use(wide, narrow);
  const anyKey: Loader<unknown, User> = () => user;
  void new AsyncCache<string, User>().get('k', anyKey);
  const either = new AsyncCache<string | number, User>();
  void either.get('a', (key) => ({ id: String(key).length, name: '' }));
  type Key = readonly ['user', number] | 'all';
  const tuples = new AsyncCache<Key, User>();
  void tuples.get(['user', 1], () => user);
  void tuples.get('all');
  // @ts-expect-error no such key
  void tuples.get(['group', 1]);
}

// What a typed cache answers is the type it holds: another caller may have cached another value of it.
{
  const cache = new AsyncCache<string, string | number>();
  const text = cache.get('k', () => 'text');
  is<Promise<string | number>>()(text);
  const late = cache.get('k', async () => 'text');
  is<Promise<string | number>>()(late);
  const flag = new AsyncCache<string, boolean>().get('k', () => false);
  is<Promise<boolean>>()(flag);
  const count = new AsyncCache<string, number>().get('k', { loader: () => 0 });
  is<Promise<number>>()(count);
  const maybe = new AsyncCache<string, User | null>().get('k', () => null);
  is<Promise<User | null>>()(maybe);
  const literal = new AsyncCache<string, 'a' | 'b'>().get('k', () => 'a');
  is<Promise<'a' | 'b'>>()(literal);
}

// Events.
{
  const cache = new AsyncCache<string, User>();
  const off = cache.on('hit', (event) => {
    is<string | undefined>()(event.key);
  });
  is<() => void>()(off);
  cache.on('error', ({ error, key, source }) => {
    is<unknown>()(error);
    is<string | undefined>()(key);
    const from: string = source;
    use(from);
  });
  cache.on('invalidate', ({ tags }) => tags.length);
  cache.on('clear', () => undefined);
  // @ts-expect-error no such event
  cache.on('hits', () => undefined);
  // @ts-expect-error only an error event tells an error
  cache.on('hit', ({ error }) => error as unknown);
}

// Warm-up.
{
  const cache = new AsyncCache<string, User>();
  const report = cache.warmup({ a: loadUser, b: () => user });
  is<Promise<WarmupReport<string>>>()(report);
  void cache.warmup(new Map([['a', loadUser]]));
  void cache.warmup([['a', loadUser]]);
  void cache.warmup(new Set<readonly [string, Loader<string, User>]>());
  void cache.warmup(
    { a: loadUser },
    {
      concurrency: 2,
      onProgress: ({ done, total, key, error }) => {
        is<number>()(done);
        is<number>()(total);
        is<string>()(key);
        is<unknown>()(error);
      },
    },
  );
  // @ts-expect-error a loader of another value
  void cache.warmup({ a: () => 5 });
  // @ts-expect-error a loader is missing
  void cache.warmup({ a: user });
  // @ts-expect-error a key of another type
  void cache.warmup([[1, loadUser]]);

  const numbers = new AsyncCache<number, User>();
  void numbers.warmup([[1, () => user]]);
}

// A cache is what the ports and the language expect.
{
  const port: Cache<string, User> = new AsyncCache<string, User>();
  const disposable: AsyncDisposable = new AsyncCache();
  use(port, disposable);
}
