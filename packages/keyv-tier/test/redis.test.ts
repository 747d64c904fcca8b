import KeyvRedis from '@keyv/redis';
import { AsyncCache } from '@acache/core';
import Keyv from 'keyv';
import { startRedis, type RedisServer } from '../../../tools/redis/index.js';
import { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
import { keyvTier } from '../src/index.js';

failOnUnhandledRejections();

describe('a Redis behind Keyv', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it('may die and come back: every get is answered, and what was removed meanwhile stays so', async () => {
    const store = new KeyvRedis<string>(redis.url);
    const tier = keyvTier(new Keyv({ store }), {
      staleness: 0,
      commandTimeout: 500,
      breaker: { openFor: 20 },
    });
    const cache = new AsyncCache<string, string>({ name: 'c', tier });
    cache.on('error', () => undefined);
    await cache.ready;
    await cache.set('removed', 'old', { tags: ['t'] });
    expect(await cache.get('removed')).toBe('old');

    await redis.kill();
    for (let nth = 0; nth < 5; nth++) {
      expect(await cache.get(`k${nth}`, () => 'loaded')).toBe('loaded');
    }
    await cache.invalidateTags('t');
    await expect(cache.flush()).rejects.toThrow();
    expect(tier.getMetrics()).toMatchObject({ down: true });

    await redis.restart();
    for (let isBack = false; !isBack;) {
      isBack = await cache.flush().then(
        () => true,
        () => false,
      );
    }
    expect(tier.getMetrics()).toMatchObject({ down: false, unsent: 0 });
    const storeOfLater = new KeyvRedis<string>(redis.url);
    const tierOfLater = keyvTier(storeOfLater, { commandTimeout: '5s' });
    const later = new AsyncCache<string, string>({ name: 'c', tier: tierOfLater });
    expect(await later.get('removed', () => 'new')).toBe('new');
    await Promise.all([cache.close(), later.close()]);
    await Promise.all([store.disconnect(true), storeOfLater.disconnect(true)]);
  }, 20_000);
});
