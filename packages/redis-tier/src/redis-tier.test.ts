import { tierContract } from '@acache/core/testing';
import type { RedisServer } from '../../../tools/redis/index.js';
import { redisForAll } from '../test/processes.js';
import { redisTier } from './redis-tier.js';

/** Long, since what is tested is not how long an answer takes. */
const commandTimeout = '5s';

let redis: RedisServer;
redisForAll((server) => (redis = server));

describe.each(['tracking', 'pubsub'] as const)('redisTier with %s', (coherence) => {
  const cases = tierContract(async () => {
    await redis.command('FLUSHALL');
    return { tier: () => redisTier(redis.url, { coherence, commandTimeout }) };
  });
  for (const { name, run } of cases) it(name, run);
});

describe('redisTier without coherence', () => {
  const cases = tierContract(
    async () => {
      await redis.command('FLUSHALL');
      return { tier: () => redisTier(redis.url, { coherence: 'none', commandTimeout }) };
    },
    { coherent: false },
  );
  for (const { name, run } of cases) it(name, run);
});
