import { setTimeout as sleep } from 'node:timers/promises';
import { AsyncCache, type AsyncCacheOptions } from '@acache/core';
import { redisTier, type RedisTier, type RedisTierOptions } from '@acache/redis-tier';
import { until } from '../../../tools/redis/index.js';
import { closeLater, endProcesses } from './processes.js';

export { sleep, until };

/** How the processes of a test hear of one another. */
export const coherentModes = ['tracking', 'pubsub'] as const;

export type Process<K = string, V = unknown> = AsyncCache<K, V> & { tier: RedisTier };

/** Caches, each on a tier of its own as in a process of its own; they end with those of `processes.ts`. */
export class World {
  #names = 0;

  constructor(readonly url: () => string) {}

  name(): string {
    return `cache ${++this.#names}`;
  }

  /** Two processes with one cache of a fresh name. */
  async two<K = string, V = unknown>(
    options: AsyncCacheOptions<K, V> = {},
    tierOptions: RedisTierOptions = {},
  ): Promise<[Process<K, V>, Process<K, V>]> {
    const named = { ...options, name: options.name ?? this.name() };
    return Promise.all([this.process(named, tierOptions), this.process(named, tierOptions)]);
  }

  /** Three of them. */
  async three<K = string, V = unknown>(
    options: AsyncCacheOptions<K, V> = {},
    tierOptions: RedisTierOptions = {},
  ): Promise<[Process<K, V>, Process<K, V>, Process<K, V>]> {
    const named = { ...options, name: options.name ?? this.name() };
    const [a, b] = await this.two(named, tierOptions);
    return [a, b, await this.process(named, tierOptions)];
  }

  async process<K = string, V = unknown>(
    options: AsyncCacheOptions<K, V>,
    tierOptions: RedisTierOptions = {},
  ): Promise<Process<K, V>> {
    const tier = redisTier(this.url(), { commandTimeout: 1000, ...tierOptions });
    const cache = Object.assign(new AsyncCache<K, V>({ ...options, tier }), { tier });
    closeLater(cache as unknown as AsyncCache);
    await cache.ready;
    if (tierOptions.coherence !== 'none') {
      await until('the link to be proved', () => tier.getMetrics().coherent);
    }
    return cache;
  }

  /** Closes them, where they are not to end with the test. */
  close(): Promise<void> {
    return endProcesses();
  }
}

type Seen = { readonly signal: AbortSignal; readonly previous: unknown };

/** A loader that a test ends by hand. */
export class Gate<V = string> {
  calls = 0;
  signal: AbortSignal | undefined;
  previous: unknown;
  resolve!: (value: V) => void;
  reject!: (error: Error) => void;
  #began!: () => void;
  /** Resolves when the load has begun. */
  readonly started = new Promise<void>((resolve) => (this.#began = resolve));
  readonly #value = new Promise<V>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  readonly load = (_?: unknown, context?: Seen): Promise<V> => {
    this.calls += 1;
    this.signal = context?.signal;
    this.previous = context?.previous;
    this.#began();
    return this.#value;
  };
}

export const mustNotLoad = () => Promise.reject(new Error('must not load'));

/** What a promise has come to within some time, or `'pending'`. */
export function within<T>(promise: Promise<T>, ms: number): Promise<T | 'pending'> {
  return Promise.race([promise, sleep(ms, 'pending' as const)]);
}
