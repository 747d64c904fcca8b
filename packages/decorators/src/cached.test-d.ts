import { AsyncCache, type CacheMetrics } from '@acache/core';
import { is, type, use, type Order, type User } from '../test/type-assertions.js';
import { AsyncLRU, AsyncTTL, cached } from './index.js';
import type { CachedDecorator, CachedFunction, CachedOptions } from './index.js';

declare function findUser(id: number, full?: boolean): Promise<User>;
declare function syncUser(id: number): User;
declare function maybeAsync(id: number): User | Promise<User>;
declare function thenable(id: number): PromiseLike<User>;
declare function list(kind: 'ids'): Promise<number[]>;
declare function list(kind: 'names', limit: number): Promise<string[]>;
declare function identity<T>(value: T): Promise<T>;
declare function pick<T, K extends keyof T>(from: T, key: K): Promise<T[K]>;
declare function find(this: { readonly table: string }, id: number): Promise<User>;
declare function rest(first: string, ...others: number[]): Promise<void>;
declare const anything: (...args: any[]) => any;

// Every form gives the same.
{
  const byFunction = cached(findUser);
  const byOptions = cached()(findUser);
  const lru = AsyncLRU({ maxSize: 5 })(findUser);
  const ttl = AsyncTTL({ ttl: '5m' })(findUser);
  is<CachedFunction<typeof findUser>>()(byFunction);
  is<CachedFunction<typeof findUser>>()(byOptions);
  is<CachedFunction<typeof findUser>>()(lru);
  is<CachedFunction<typeof findUser>>()(ttl);
  const plain: (id: number, full?: boolean) => Promise<User> = byFunction;
  use(plain);
}

// A call, and the controls.
{
  const fn = cached(findUser, { ttl: '5m' });
  is<Promise<User>>()(fn(1));
  is<Promise<User>>()(fn(1, true));
  is<Promise<User>>()(fn.refresh(1, true));
  is<Promise<boolean>>()(fn.invalidateCache(1));
  is<Promise<void>>()(fn.clearCache());
  is<CacheMetrics>()(fn.getMetrics());
  is<[id: number, full?: boolean]>()(type<Parameters<typeof fn>>());
  // @ts-expect-error an argument of another type
  void fn('1');
  // @ts-expect-error it takes an argument
  void fn();
  // @ts-expect-error too many arguments
  void fn(1, true, 2);
  // @ts-expect-error an argument of another type
  void fn.refresh('1');
  // @ts-expect-error an argument of another type
  void fn.invalidateCache('1');
  // @ts-expect-error clearCache takes none
  void fn.clearCache(1);
  // @ts-expect-error controls are not for writing
  fn.refresh = findUser;
}

// A sync function promises its result.
{
  const fn = AsyncLRU()(syncUser);
  is<Promise<User>>()(fn(1));
  is<Promise<User>>()(fn.refresh(1));
  is<Promise<User>>()(cached(syncUser)(1));
  // @ts-expect-error it is not the result itself
  use(fn(1).name);
  is<Promise<void>>()(cached(() => undefined as void)());
}

{
  is<Promise<User>>()(cached(maybeAsync)(1));
  is<Promise<User>>()(AsyncLRU()(maybeAsync)(1));
}

// What it returns stays what it was.
{
  is<PromiseLike<User>>()(cached(thenable)(1));
  const any: unknown = cached(anything)(1, 2);
  use(any);
}

// Overloads survive, for the controls as well.
{
  const forms = [cached(list), cached()(list), AsyncTTL()(list)] as const;
  const [fn, byOptions, ttl] = forms;
  is<Promise<number[]>>()(fn('ids'));
  is<Promise<string[]>>()(fn('names', 5));
  is<Promise<number[]>>()(byOptions('ids'));
  is<Promise<string[]>>()(ttl('names', 5));
  is<Promise<number[]>>()(fn.refresh('ids'));
  is<Promise<string[]>>()(fn.refresh('names', 5));
  void fn.invalidateCache('ids');
  void fn.invalidateCache('names', 5);
  // @ts-expect-error no overload takes that
  void fn('other');
  // @ts-expect-error no overload takes that either
  void fn('ids', 5);
  // @ts-expect-error no overload takes that either
  void fn.invalidateCache('other');
}

// Generics survive.
{
  const fn = cached(identity);
  is<Promise<'a'>>()(fn<'a'>('a'));
  is<Promise<number>>()(fn(5));
  is<Promise<string>>()(fn.refresh('a'));
  is<Promise<string>>()(AsyncLRU()(pick)(type<User>(), 'name'));
  is<Promise<number>>()(cached()(pick)(type<User>(), 'id'));
  // @ts-expect-error no property of a user
  void cached(pick)(type<User>(), 'total');
}

// `this` survives.
{
  const fn = cached(find);
  is<Promise<User>>()(fn.call({ table: 'users' }, 1));
  const table = { table: 'users', find: AsyncTTL()(find) };
  is<Promise<User>>()(table.find(1));
  is<Promise<User>>()(table.find.refresh(1));
  // @ts-expect-error it needs a table
  void fn(1);
  // @ts-expect-error it needs a table
  void fn.call({}, 1);
  const sync = cached(function (this: User, by: number) {
    return this.id + by;
  });
  is<Promise<number>>()(sync.call(type<User>(), 1));
  // @ts-expect-error it needs a user
  void sync(1);
}

// Rest parameters survive.
{
  const fn = cached(rest);
  void fn('a', 1, 2);
  void fn.invalidateCache('a', 1, 2);
  // @ts-expect-error the others are numbers
  void fn('a', 'b');
}

// Options know the function that they are for.
{
  void cached(findUser, {
    ttl: (user) => {
      is<User>()(user);
      return user.id;
    },
    key: (id, full) => {
      is<number>()(id);
      is<boolean | undefined>()(full);
      return id;
    },
    tags: (id) => {
      is<number>()(id);
      return ['t'] as const;
    },
    weigh: (user) => user.name.length,
    maxWeight: 5,
    clone: (user) => ({ ...user }),
    skipArgs: 1,
    scope: 'class',
  });
  void cached(syncUser, { ttl: (user: User) => user.id });
  void AsyncTTL({ ttl: (user: User) => user.id })(findUser);
  void AsyncTTL({ ttl: null, maxSize: null })(findUser);
  void cached({ key: (id: number) => id })(findUser);
  void cached({ key: () => 1, tags: () => [] })(findUser);
  void cached({ tags: (id: number, full?: boolean) => [`${id} ${full}`] })(findUser);
  void AsyncLRU({ key: (...args: unknown[]) => args.length })(findUser);

  // @ts-expect-error the value is another one
  void cached(findUser, { ttl: (order: Order) => order.total });
  // @ts-expect-error another argument
  void cached(findUser, { key: (id: string) => id });
  // @ts-expect-error another argument
  void cached(findUser, { tags: (id: string) => [id] });
  void cached(findUser, {
    // @ts-expect-error more arguments than there are
    key: (id: number, full: boolean | undefined, more: string) => [id, full, more],
  });
  // @ts-expect-error it is no list
  void cached(findUser, { tags: (id) => `user:${id}` });
  // @ts-expect-error another argument
  void cached({ key: (id: string) => id })(findUser);
  // @ts-expect-error another argument
  void AsyncLRU({ key: (id: string) => id })(findUser);
  // @ts-expect-error another argument
  void AsyncTTL({ tags: (id: string) => [id] })(findUser);
  // @ts-expect-error another argument, beside a key that is right
  void AsyncTTL({ key: (id: number) => id, tags: (id: string) => [id] })(findUser);
  // @ts-expect-error another argument, of a sync function
  void AsyncLRU({ key: (id: string) => id })(syncUser);
}

{
  // @ts-expect-error the value is another one
  void AsyncTTL({ ttl: (order: Order) => order.total })(findUser);
}

// What cannot be meant is no option.
{
  // @ts-expect-error it is no duration
  void cached({ ttl: '5 minutes' });
  // @ts-expect-error it is no number
  void AsyncLRU({ maxSize: '5' });
  // @ts-expect-error it is neither of the two
  void AsyncLRU({ scope: 'global' });
  // @ts-expect-error it is no function
  void AsyncTTL({ key: 'id' });
  // @ts-expect-error it is misspelt
  void cached(findUser, { maxsize: 5 });
  // @ts-expect-error no list of texts
  void AsyncTTL({ tags: () => [1] });
}

{
  // @ts-expect-error it is misspelt
  void AsyncLRU({ ttl: '5m', maxsize: 5 });
}

// A cache may be given.
{
  void cached(findUser, { cache: new AsyncCache() });
  void AsyncLRU({ cache: new AsyncCache(), name: 'find' })(findUser);
}

// What is no function is not wrapped.
{
  class Empty {
    readonly id = 1;
  }
  // @ts-expect-error it is a number
  void AsyncLRU()(5);
  // @ts-expect-error it is a class
  void AsyncLRU()(Empty);
  // @ts-expect-error it is a class
  void cached(Empty);
}

// The types can be named.
{
  const options: CachedOptions<User> = { ttl: (user) => user.id };
  const fn: CachedFunction<typeof findUser> = cached(findUser, options);
  const decorate: CachedDecorator<CachedOptions> = cached();
  const wrapped: CachedFunction<typeof findUser> = decorate(findUser);
  use(fn, wrapped);
}

{
  const plain: CachedDecorator = cached();
  const withOptions: CachedDecorator = AsyncTTL({ ttl: '5m' });
  use(plain, withOptions);
}
