import assert from 'node:assert/strict';
import { AsyncCache, makeKey } from '@acache/core';

const cache = new AsyncCache({ maxSize: 100, ttl: '1m' });
assert.equal(await cache.get(makeKey('user', [1]), () => 'Ada'), 'Ada');
assert.equal(await cache.get(makeKey('user', [1]), () => 'nobody'), 'Ada');
await cache.close();
