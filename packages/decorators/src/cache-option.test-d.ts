import { AsyncCache } from '@acache/core';
import type { User } from '../test/type-assertions.js';
import { AsyncLRU, cached, invalidates } from './index.js';

declare function findUser(id: number): Promise<User>;

// A cache may know its keys and values. In a file of its own, and the first by name: the compiler
// remembers what it has compared, and lets through what it has met in another order.
{
  const users = new AsyncCache<string, User>();
  const numbers = new AsyncCache<string, number>();
  void cached(findUser, { cache: numbers });
  void cached(findUser, { cache: users });
  void AsyncLRU({ cache: users, name: 'find' })(findUser);
  void invalidates({ cache: users, keys: ['k'] })(findUser);
}
