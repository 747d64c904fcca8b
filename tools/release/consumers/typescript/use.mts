import assert from 'node:assert/strict';
import { AgentCache, AgentCacheSession, type AgentMetrics } from '@acache/agent';
import { DataLoader } from '@acache/batch';
import { AsyncCache, makeKey, type AsyncCacheOptions } from '@acache/core';
import { fakeClock } from '@acache/core/testing';
import { asCached, AsyncTTL } from '@acache/decorators';
import { keyvTier, type KeyvTierOptions } from '@acache/keyv-tier';
import { prometheus, type PrometheusRegistry } from '@acache/metrics';
import { filePersistence, type FilePersistenceOptions } from '@acache/persist-file';
import { createInspector, type InspectorHandler } from '@acache/playground';
import { redisTier, type RedisTierOptions } from '@acache/redis-tier';

interface User {
  name: string;
}

const options: AsyncCacheOptions<string, User> = { maxSize: 100, ttl: '1m', clock: fakeClock() };
const cache = new AsyncCache(options);
const user: User = await cache.get(makeKey('user', [1]), () => ({ name: 'Ada' }));
const again: User | undefined = await cache.get(makeKey('user', [1]));
assert.equal(user.name, again?.name);
await cache.close();

const loader = new DataLoader(
  async (ids: readonly number[]) => new Map(ids.map((id) => [id, id * 2])),
);
const doubled: number = await loader.load(21);
assert.equal(doubled, 42);

class Users {
  @AsyncTTL({ ttl: '1m' })
  async find(id: number): Promise<User> {
    return { name: `user ${id}` };
  }
}
const users = new Users();
assert.equal(await users.find(1), await users.find(1));
assert.equal(asCached(users, 'find').getMetrics().hits, 1);

class Shop {
  @AgentCache({ resource: 'cart:{0}' })
  async cart(user: string): Promise<string[]> {
    return [user];
  }
}
await using session = new AgentCacheSession({ maxToolRepeats: 3 });
const shop = new Shop();
const cart: string[] = await session.run(() => shop.cart('ann'));
assert.deepEqual(await session.run(() => shop.cart('ann')), cart);
const { hits }: AgentMetrics = session.getMetrics();
assert.equal(hits, 1);

const tierOptions: RedisTierOptions = { coherence: 'auto', staleness: '1s' };
const shared = new AsyncCache<string, User>({
  name: 'shared',
  tier: redisTier('redis://127.0.0.1:1', tierOptions),
});
const ada: User = await shared.get('ada', () => ({ name: 'Ada' }));
assert.equal(ada.name, 'Ada');
await shared.close();

const fileOptions: FilePersistenceOptions = { flushInterval: '1s', fsyncInterval: false };
const kept = new AsyncCache<string, User>({
  persistence: filePersistence('cache.acache', fileOptions),
});
await kept.set('bob', { name: 'Bob' });
await kept.flush();
assert.equal(kept.peek('bob')?.name, 'Bob');
await kept.close();

const keyvOptions: KeyvTierOptions = { staleness: '1s', prefix: 'app' };
const tier = keyvTier(new Map<string, string>(), keyvOptions);
const behind = new AsyncCache<string, User>({ name: 'behind', tier });
const eve: User = await behind.get('eve', () => ({ name: 'Eve' }));
assert.equal(eve.name, 'Eve');
await behind.close();

const names: string[] = [];
const registry: PrometheusRegistry = {
  registerMetric: (metric: { name: string }) => names.push(metric.name),
  getSingleMetric: () => undefined,
  removeSingleMetric: () => undefined,
};
const unregister: () => void = prometheus({ behind }, registry, { tiers: { keyv: tier } });
unregister();
assert.ok(names.includes('acache_tier_down'));

const inspect: InspectorHandler = createInspector({ kept, cache }, { allow: async () => true });
assert.equal(inspect.length, 2);
