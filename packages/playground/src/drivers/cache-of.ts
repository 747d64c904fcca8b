import { createCache, type AsyncCache } from '@acache/all';
import type { Item } from '../source.js';
import type { DriverParts } from './driver.js';

/** The cache that the settings ask for. */
export function cacheOf(parts: DriverParts): AsyncCache<string, Item> {
  const { clock, name, persistence, settings, tier } = parts;
  const { maxBatchSize, maxSize, policy, staleIfError, staleWhileRevalidate, ttl, window } =
    settings;
  return createCache<string, Item>({
    name,
    maxSize,
    policy,
    ttl,
    staleWhileRevalidate,
    staleIfError,
    batch: { window, maxBatchSize, ...(clock && { clock }) },
    ...(clock && { clock }),
    ...(tier && { tier }),
    ...(persistence && { persistence }),
  });
}
