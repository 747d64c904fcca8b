import assert from 'node:assert/strict';
import { AsyncCache, makeKey, type AsyncCacheOptions } from '@acache/core';
import { fakeClock } from '@acache/core/testing';

interface User {
  name: string;
}

const options: AsyncCacheOptions<string, User> = { maxSize: 100, ttl: '1m', clock: fakeClock() };
const cache = new AsyncCache(options);
const user: User = await cache.get(makeKey('user', [1]), () => ({ name: 'Ada' }));
const again: User | undefined = await cache.get(makeKey('user', [1]));
assert.equal(user.name, again?.name);
await cache.close();
