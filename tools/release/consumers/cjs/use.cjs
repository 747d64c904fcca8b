const assert = require('node:assert/strict');
const { AgentCache, AgentCacheSession } = require('@acache/agent');
const { batchLoader } = require('@acache/batch');
const { AsyncCache, makeKey } = require('@acache/core');
const { cached } = require('@acache/decorators');
const { keyvTier } = require('@acache/keyv-tier');
const { opentelemetry } = require('@acache/metrics');
const { filePersistence } = require('@acache/persist-file');
const { createInspector, startPlayground } = require('@acache/playground');
const { redisTier } = require('@acache/redis-tier');

async function main() {
  const cache = new AsyncCache({ maxSize: 100, ttl: '1m' });
  assert.equal(await cache.get(makeKey('user', [1]), () => 'Ada'), 'Ada');
  assert.equal(await cache.get(makeKey('user', [1]), () => 'nobody'), 'Ada');
  const load = batchLoader(async (keys) => keys.map((key) => key.toUpperCase()));
  assert.equal(await cache.get('ada', load), 'ADA');
  const find = cached(async (name) => name.length, { cache, name: 'find' });
  assert.equal(await find('bob'), 3);
  await cache.close();
  const search = AgentCache({ name: 'search' })(async (query) => [query]);
  await AgentCacheSession.run({ maxToolRepeats: 1 }, async () => {
    assert.deepEqual(await search('cats'), ['cats']);
    await assert.rejects(search('cats'), { code: 'ERR_ACACHE_AGENT_LOOP' });
  });
  // Nothing listens there: the value comes from the loader all the same.
  const shared = new AsyncCache({ name: 'shared', tier: redisTier('redis://127.0.0.1:1') });
  assert.equal(await shared.get('key', () => 'loaded'), 'loaded');
  await shared.close();
  assert.equal(typeof createInspector([cache]), 'function');
  const playground = await startPlayground({ port: 0 });
  assert.match(await (await fetch(`${playground.url}app.js`)).text(), /preact/);
  await playground.close();
  for (const loads of [1, 0]) {
    const kept = new AsyncCache({ persistence: filePersistence('cache.acache') });
    assert.equal(await kept.get('key', () => 'loaded'), 'loaded');
    assert.equal(kept.getMetrics().loads, loads);
    await kept.close();
  }
  const behind = new AsyncCache({ name: 'behind', tier: keyvTier(new Map()) });
  assert.equal(await behind.get('key', () => 'loaded'), 'loaded');
  const names = [];
  const instrument = (name) => names.push(name);
  opentelemetry([behind], {
    createObservableCounter: instrument,
    createObservableUpDownCounter: instrument,
    createHistogram: (name) => ({ record: () => instrument(name) }),
    addBatchObservableCallback: () => undefined,
    removeBatchObservableCallback: () => undefined,
  });
  assert.equal(names.includes('acache.requests'), true);
  await behind.close();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
