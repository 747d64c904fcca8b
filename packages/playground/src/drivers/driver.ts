import type { AsyncCache, Clock, Loader, Persistence, ReadStatus, Tier } from '@acache/core';
import type { Settings } from '../settings.js';
import type { Item, Source } from '../source.js';
import { createBatchDriver } from './batch-driver.js';
import { createCacheDriver } from './cache-driver.js';
import { createFunctionDriver } from './function-driver.js';

/** What came of one call. */
export interface Answer {
  readonly item: Item;
  /** How it was answered; a decorated function does not say. */
  readonly status?: ReadStatus;
}

/** Something that is to be driven: each kind reads in its own way, on the same cache underneath. */
export interface Driver {
  readonly cache: AsyncCache<string, Item>;
  /** The key under which the cache has an item. */
  readonly keyOf: (id: string, connection: number) => string;
  /** @param connection - the number of the call, which stands for its connection */
  readonly get: (id: string, connection: number) => Promise<Answer>;
  readonly refresh: (id: string, connection: number) => Promise<Answer>;
  readonly loaderOf: (id: string) => Loader<string, Item>;
}

/** What a driver is made of. */
export interface DriverParts {
  readonly settings: Settings;
  readonly source: Source;
  readonly name: string;
  readonly clock?: Clock;
  readonly tier?: Tier;
  readonly persistence?: Persistence;
}

/** @throws InvalidOptionError for settings that cannot be meant */
export function createDriver(parts: DriverParts): Driver {
  const { kind } = parts.settings;
  switch (kind) {
    case 'AsyncTTL':
    case 'AsyncLRU':
      return createFunctionDriver(kind, parts);
    case 'AsyncCache':
      return createCacheDriver(parts);
    case 'batch':
      return createBatchDriver(parts);
  }
}
