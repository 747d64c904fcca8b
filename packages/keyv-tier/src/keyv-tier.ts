import { InvalidOptionError, type Tier } from '@acache/core';
import { Connection } from './connection.js';
import type { Counts, KeyvTierMetrics } from './counts.js';
import { givenStore, type KeyvLike, type KeyvStoreLike } from './keyv-store.js';
import { KeyvNamespace } from './namespace.js';
import { resolveOptions, type KeyvTierOptions } from './options.js';

/** A tier in a store of Keyv, for one cache or several; each cache's name is a namespace in it. */
export interface KeyvTier extends Tier {
  /** What every key begins with, before a colon. */
  readonly prefix: string;
  /** What happened between this tier and its store so far. */
  getMetrics(): KeyvTierMetrics;
}

/**
 * Puts any store of Keyv behind the memory of caches: SQLite, Postgres, Mongo, Memcached, a `Map`.
 *
 * Such a store tells nobody of changes and has no step that looks and writes at once. So memory keeps
 * what came from it for `staleness` only, and processes do not wait for each other's loads.
 *
 * @param keyv - a Keyv of version 4, 5 or 6, or one of its stores. The store is used directly: the
 *   Keyv's own serialization and compression are not
 * @throws InvalidOptionError for an option that cannot be meant
 *
 * @example
 * const tier = keyvTier(new KeyvSqlite('sqlite://cache.sqlite'));
 * const users = new AsyncCache({ name: 'users', ttl: '5m', tier });
 */
export function keyvTier(keyv: KeyvLike | KeyvStoreLike, options?: KeyvTierOptions): KeyvTier {
  const settings = resolveOptions(options);
  const given = givenStore(keyv);
  const counts: Counts = { outages: 0, refusals: 0, unreadable: 0 };
  let connection: Connection | undefined;
  return {
    prefix: settings.prefix,
    attach(name, host) {
      if (name === '') {
        throw new InvalidOptionError("the name of a cache with a tier must not be ''");
      }
      connection ??= new Connection(given, settings, counts, host, () => {
        connection = undefined;
      });
      return new KeyvNamespace(connection, connection.space(name), host);
    },
    getMetrics: () => ({
      down: connection?.calls.down ?? false,
      ...counts,
      unsent: connection?.owed ?? 0,
    }),
  };
}
