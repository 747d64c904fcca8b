import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import KeyvRedis from '@keyv/redis';
import { tierContract, type TierUnderTest } from '@acache/core/testing';
import Keyv from 'keyv';
import { KeyvFile } from 'keyv-file';
import { Keyv as Keyv6 } from 'keyv6';
import { startRedis, type RedisServer } from '../../../tools/redis/index.js';
import { keyvTier } from '../src/index.js';
import { startPostgres, type Postgres } from './postgres.js';

/** What has nothing to do with the store's own speed. */
const patient = { commandTimeout: '5s' } as const;

describe('keyvTier in a Map', () => {
  const cases = tierContract(
    () => {
      const map = new Map<string, string>();
      return { tier: () => keyvTier(map) };
    },
    { coherent: false },
  );
  for (const { name, run } of cases) it(name, run);
});

describe.each([
  ['5', () => new Keyv()],
  ['6', () => new Keyv6()],
])("keyvTier in Keyv %s's own memory", (_, make) => {
  const cases = tierContract(
    () => {
      const keyv = make();
      return { tier: () => keyvTier(keyv) };
    },
    { coherent: false },
  );
  for (const { name, run } of cases) it(name, run);
});

describe('keyvTier in a file', () => {
  const make = async (): Promise<TierUnderTest> => {
    const folder = await mkdtemp(join(tmpdir(), 'keyv-tier-'));
    const store = new KeyvFile({ filename: join(folder, 'cache.json'), writeDelay: 0 });
    return {
      tier: () => keyvTier(store, patient),
      close: () => rm(folder, { recursive: true }),
    };
  };
  for (const { name, run } of tierContract(make, { coherent: false })) it(name, run);
});

describe('keyvTier in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  const make = async (): Promise<TierUnderTest> => {
    await redis.command('FLUSHALL');
    const stores: KeyvRedis<string>[] = [];
    return {
      tier: () => {
        const store = new KeyvRedis<string>(redis.url);
        stores.push(store);
        return keyvTier(new Keyv({ store }), patient);
      },
      close: async () => {
        await Promise.all(stores.map((store) => store.disconnect()));
      },
    };
  };
  for (const { name, run } of tierContract(make, { coherent: false })) it(name, run);
});

describe('keyvTier in Postgres', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());

  const make = async (): Promise<TierUnderTest> => {
    const keyv = new Keyv({ store: await postgres.emptyStore() });
    return { tier: () => keyvTier(keyv, patient) };
  };
  for (const { name, run } of tierContract(make, { coherent: false })) it(name, run);
});
