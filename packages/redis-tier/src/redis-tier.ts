import { InvalidOptionError, type Tier } from '@acache/core';
import { clientsFor, type RedisTarget } from './clients.js';
import { Connection } from './connection.js';
import { newCounts, type RedisTierMetrics } from './metrics.js';
import { RedisNamespace } from './namespace.js';
import { resolveOptions, type RedisTierOptions } from './options.js';

/** A tier in Redis, for one cache or several; each cache's name is a namespace in it. */
export interface RedisTier extends Tier {
  /** What every key begins with, before a colon. */
  readonly prefix: string;
  /** What happened between this tier and Redis so far. */
  getMetrics(): RedisTierMetrics;
}

/**
 * Lets many processes share one Redis behind their memories: one load per key across processes, and
 * an invalidation in any of them holds in all.
 *
 * Connects when the first cache is attached, and disconnects when the last one is closed.
 *
 * @param redis - a URL, options of ioredis, or a client of ioredis for one server, a Sentinel group or
 *   a cluster; a client is copied, never used or closed itself
 * @throws InvalidOptionError for an option that cannot be meant
 *
 * @example
 * const users = new AsyncCache({ name: 'users', ttl: '5m', tier: redisTier('redis://localhost:6379') });
 */
export function redisTier(redis: RedisTarget, options?: RedisTierOptions): RedisTier {
  const settings = resolveOptions(options);
  const clients = clientsFor(redis);
  const counts = newCounts();
  let connection: Connection | undefined;
  return {
    prefix: settings.prefix,
    attach(name, host) {
      if (name === '')
        throw new InvalidOptionError("the name of a cache with a tier must not be ''");
      connection ??= new Connection(clients, settings, counts, () => {
        connection = undefined;
      });
      const namespace = new RedisNamespace(connection, name, host);
      connection.add(namespace);
      return namespace;
    },
    getMetrics: () => ({
      coherent: connection?.links.coherent() ?? false,
      down: connection?.commands.isDown ?? false,
      ...counts,
      unsent: connection?.unsent ?? 0,
    }),
  };
}
