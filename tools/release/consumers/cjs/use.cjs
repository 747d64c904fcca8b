const assert = require('node:assert/strict');
const { AsyncCache, makeKey } = require('@acache/core');

async function main() {
  const cache = new AsyncCache({ maxSize: 100, ttl: '1m' });
  assert.equal(await cache.get(makeKey('user', [1]), () => 'Ada'), 'Ada');
  assert.equal(await cache.get(makeKey('user', [1]), () => 'nobody'), 'Ada');
  await cache.close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
