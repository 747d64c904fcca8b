import assert from 'node:assert/strict';
import { createAgentCache } from '@acache/agent';
import { AsyncCache, makeKey } from '@acache/core';
import { valueSerializer } from '@acache/core/values';
import { keyvTier } from '@acache/keyv-tier';
import { prometheus } from '@acache/metrics';
import { filePersistence } from '@acache/persist-file';
import { createInspector, startPlayground } from '@acache/playground';
import { redisTier } from '@acache/redis-tier';

const cache = new AsyncCache({ maxSize: 100, ttl: '1m' });
assert.equal(await cache.get(makeKey('user', [1]), () => 'Ada'), 'Ada');
assert.equal(await cache.get(makeKey('user', [1]), () => 'nobody'), 'Ada');
await cache.close();

const agents = createAgentCache();
const getCart = agents.read({ name: 'getCart', resource: 'cart:{0}' }, async (user) => [user]);
const clear = agents.mutate({ name: 'clear', resource: 'cart:{0}' }, async (user) => user);
await agents.session().run(async () => {
  for (const step of [getCart, getCart, clear, getCart]) await step('ann');
});
assert.equal(agents.getMetrics().loads, 2);

const { serialize, deserialize } = valueSerializer();
assert.deepEqual(
  deserialize(serialize(new Map([[1n, new Date(0)]]))),
  new Map([[1n, new Date(0)]]),
);
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

const store = new Map();
for (const loads of [1, 0]) {
  const behind = new AsyncCache({ name: 'behind', tier: keyvTier(store) });
  assert.equal(await behind.get('key', () => 'loaded'), 'loaded');
  assert.equal(behind.getMetrics().loads, loads);
  await behind.close();
}

const metrics = new Map();
prometheus([cache], {
  registerMetric: (metric) => metrics.set(metric.name, metric),
  getSingleMetric: (name) => metrics.get(name),
  removeSingleMetric: (name) => metrics.delete(name),
});
assert.equal((await metrics.get('acache_loads_total').get()).values[0].value, 1);
