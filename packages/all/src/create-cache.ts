import { createBatcher, type BatchOptions } from '@acache/batch';
import {
  AsyncCache,
  describeValue,
  InvalidOptionError,
  type AsyncCacheOptions,
  type Persistence,
  type Tier,
} from '@acache/core';
import { filePersistence, type FilePersistenceOptions } from '@acache/persist-file';
import { redisTier, type RedisTarget, type RedisTierOptions } from '@acache/redis-tier';

/** What `redisTier` connects to, alone or with its options. */
export type RedisOption = RedisTarget | ({ client: RedisTarget } & RedisTierOptions);

/** The path of a file, alone or with the options of `filePersistence`. */
export type FileOption = string | ({ path: string } & FilePersistenceOptions);

/** Options of `AsyncCache`, and one for each part that may stand behind it. */
export type CreateCacheOptions<K = unknown, V = any> = AsyncCacheOptions<K, V> & {
  /**
   * How `get(key, { batchLoader })` gathers keys.
   * @defaultValue `{ window: 5, maxBatchSize: 100 }`
   */
  batch?: BatchOptions;
  /**
   * The Redis that processes share, with a `name` for this cache in it: a URL, options of ioredis or a
   * client, or `{ client, …redisTier's options }`.
   * @defaultValue none: the cache is this process's alone
   */
  redis?: RedisOption;
  /**
   * The file from which the cache comes back after a restart: its path, or
   * `{ path, …filePersistence's options }`.
   * @defaultValue none: it begins empty
   */
  persist?: FileOption;
};

/**
 * A cache with everything that its options name, and batching in any case.
 *
 * ```ts
 * const cache = createCache({ name: 'users', ttl: '5m', redis: 'redis://localhost', persist: './users.acache' });
 * ```
 *
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function createCache<K = unknown, V = any>(
  options: CreateCacheOptions<K, V> = {},
): AsyncCache<K, V> {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw new InvalidOptionError(
      `the options of createCache must be an object, got ${describeValue(options)}`,
    );
  }
  const { batch, redis, persist, ...own } = options;
  refuseBoth(options, 'batch', 'batcher');
  refuseBoth(options, 'redis', 'tier');
  refuseBoth(options, 'persist', 'persistence');
  const batcher = own.batcher ?? createBatcher(batch);
  const persistence = persist === undefined ? own.persistence : persistenceFor(persist);
  const tier = redis === undefined ? own.tier : tierFor(redis);
  return new AsyncCache<K, V>({
    ...own,
    batcher,
    ...(tier === undefined ? {} : { tier }),
    ...(persistence === undefined ? {} : { persistence }),
  });
}

function tierFor(given: RedisOption): Tier {
  if (typeof given !== 'object' || (given as unknown) === null || !hasOwn(given, 'client')) {
    return redisTier(given as RedisTarget);
  }
  const { client, ...options } = given as { client: RedisTarget } & RedisTierOptions;
  return redisTier(client, options);
}

function persistenceFor(given: FileOption): Persistence {
  if (typeof given === 'string') return filePersistence(given);
  if (typeof given !== 'object' || (given as unknown) === null || !hasOwn(given, 'path')) {
    throw new InvalidOptionError(
      `persist must be the path of a file or { path, …options }, got ${describeValue(given)}`,
    );
  }
  const { path, ...options } = given;
  return filePersistence(path, options);
}

/** Two ways to say one thing: neither may be ignored without a word. */
function refuseBoth(options: object, short: string, port: string): void {
  if (!isGiven(options, short) || !isGiven(options, port)) return;
  throw new InvalidOptionError(`${short} and ${port} say the same: give one of them`);
}

function isGiven(options: object, name: string): boolean {
  return (options as Record<string, unknown>)[name] !== undefined;
}

function hasOwn(given: object, name: string): boolean {
  return Object.hasOwn(given, name);
}
