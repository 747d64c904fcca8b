import { idOfWireKey } from './cache-key.js';
import { resolveOptions, type AsyncCacheOptions } from './cache-options.js';
import { systemClock } from './clock.js';
import { EventHub } from './events.js';
import { Failures } from './failures.js';
import { Flights } from './flights.js';
import type { CacheParts } from './cache-parts.js';
import { Loads } from './load.js';
import { Memory } from './memory.js';
import { Counters } from './metrics.js';
import { PersistenceLink } from './persistence-link.js';
import { Reads } from './read.js';
import type { InvalidateOptions } from './tier.js';
import { TierLink } from './tier-link.js';
import { Writes } from './write.js';

/** The parts of one cache, joined. */
export interface Assembly<K, V> {
  readonly parts: CacheParts<K, V>;
  readonly reads: Reads<K, V>;
  readonly writes: Writes<K, V>;
  readonly persistence: PersistenceLink<K, V> | undefined;
}

/** Failures that a cache with a tier remembers at least, however small its memory is. */
const LEAST_FAILURES = 10_000;

/**
 * Makes the parts of a cache and joins them.
 *
 * @throws InvalidOptionError for an option that cannot be meant
 */
export function assemble<K, V>(given: AsyncCacheOptions<K, V>): Assembly<K, V> {
  const options = resolveOptions(given);
  const { name } = options;
  const clock = given.clock ?? systemClock();
  const events = new EventHub<K>();
  const counts = new Counters();
  // Behind a tier, what memory has no room for is served as well.
  const most =
    given.tier === undefined ? options.maxSize : Math.max(options.maxSize, LEAST_FAILURES);
  const failures = new Failures(most);
  const persistence =
    given.persistence && new PersistenceLink<K, V>(name, given.persistence, clock, events);
  const isPlatformClock = given.clock === undefined;
  const own = { clock, isPlatformClock, events, counts, failures, persistence };
  const memory = new Memory<K, V>(options, own);
  const effects = {
    invalidate: (keys: readonly string[], options?: InvalidateOptions) => {
      writes.dropKeys(keys.map(idOfWireKey), options);
    },
    invalidateTags: (tags: readonly string[]) => {
      writes.dropTagged(tags);
    },
    invalidateAll: () => {
      writes.distrustAll();
    },
  };
  const flights: CacheParts<K, V>['flights'] = new Flights((flight) => {
    const { lease } = flight;
    flight.lease = undefined;
    if (lease !== undefined) tier?.release(lease);
  });
  const tier = given.tier && new TierLink<K>({ name, clock, events, counts, effects });
  const parts = { options, memory, flights, failures, events, counts, tier };
  const writes = new Writes<K, V>(parts);
  persistence?.open({
    restore: (id, entry, now) => {
      memory.restore(id, entry, tier === undefined, now);
    },
    restoreFrom: (archive, position) => memory.restoreFrom(archive, position, tier === undefined),
    order: () => memory.store.snapshot(),
  });
  // From here on the tier may speak.
  try {
    if (given.tier !== undefined) tier?.attach(given.tier);
  } catch (error) {
    void persistence?.close();
    throw error;
  }
  return { parts, reads: new Reads(parts, new Loads(parts)), writes, persistence };
}
