import type { ResolvedOptions } from './cache-options.js';
import type { EventHub } from './events.js';
import type { Failures } from './failures.js';
import type { Flights } from './flights.js';
import type { Memory } from './memory.js';
import type { Counters } from './metrics.js';
import type { TierLink } from './tier-link.js';

/** What the paths of one cache share. */
export interface CacheParts<K, V> {
  readonly options: ResolvedOptions<K, V>;
  readonly memory: Memory<K, V>;
  readonly flights: Flights<K, V>;
  readonly failures: Failures;
  readonly events: EventHub<K>;
  readonly counts: Counters;
  readonly tier: TierLink<K> | undefined;
}
