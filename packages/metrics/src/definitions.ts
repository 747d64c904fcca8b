import type { Snapshot } from './totals.js';
import type { ObservedCache, ObservedTier } from './observed.js';

/** Where the numbers of a metric come from, and how they are told apart. */
interface Series {
  /** The name of the number in a snapshot. */
  readonly of: string;
  /** What tells it from the others of the metric. */
  readonly value?: string;
}

/** A metric, in the words of both ecosystems. */
export interface Definition {
  readonly subject: 'cache' | 'tier';
  readonly kind: 'counter' | 'level';
  readonly prometheus: string;
  readonly opentelemetry: string;
  /** As OpenTelemetry names units. */
  readonly unit: string;
  readonly help: string;
  readonly series: readonly Series[];
  /** The label that tells the series apart, and its attribute. */
  readonly by?: readonly [label: string, attribute: string];
}

const TIER_EVENTS = [
  'outages',
  'resets',
  'invalidations',
  'rereads',
  'leases',
  'waits',
  'refusals',
  'unreadable',
];

/** All that is shown. */
export const DEFINITIONS: readonly Definition[] = [
  {
    subject: 'cache',
    kind: 'counter',
    prometheus: 'acache_requests_total',
    opentelemetry: 'acache.requests',
    unit: '{request}',
    help: 'Callers who asked for a value: served fresh (hit), served stale, by a load of their own (miss), by the load of another caller (joined).',
    series: ['hit', 'stale', 'miss', 'joined'].map((result) => ({ of: result, value: result })),
    by: ['result', 'acache.request.result'],
  },
  counter('cache', 'loads', '{load}', 'Loads begun.'),
  counter('cache', 'load.errors', '{error}', 'Loads that failed.'),
  {
    ...counter('cache', 'load.time', 's', 'Seconds that all settled loads took together.'),
    prometheus: 'acache_load_seconds_total',
  },
  counter('cache', 'evictions', '{entry}', 'Entries removed by the policy for room.'),
  counter('cache', 'expirations', '{entry}', 'Entries removed because their time had passed.'),
  counter('cache', 'tier.hits', '{request}', 'Hits that the tier answered.'),
  counter('cache', 'tier.errors', '{error}', 'Calls of the tier that failed or were not answered.'),
  {
    ...level('cache', 'entry.count', '{entry}', 'Live entries in memory.'),
    prometheus: 'acache_entries',
  },
  {
    subject: 'tier',
    kind: 'counter',
    prometheus: 'acache_tier_events_total',
    opentelemetry: 'acache.tier.events',
    unit: '{event}',
    help: 'What happened between a tier and its store.',
    series: TIER_EVENTS.map((event) => ({ of: event, value: event })),
    by: ['event', 'acache.tier.event'],
  },
  level('tier', 'tier.down', '1', '1 while the store of a tier does not answer and is not asked.'),
  level('tier', 'tier.coherent', '1', '1 while a tier would hear of every change elsewhere.'),
  level(
    'tier',
    'tier.unsent',
    '{change}',
    'Changes that the store of a tier has not heard of yet.',
  ),
];

/** How long loads took: the one metric that is no number of a snapshot. */
export const LOAD_DURATION = {
  prometheus: 'acache_load_duration_seconds',
  opentelemetry: 'acache.load.duration',
  unit: 's',
  help: 'Seconds that each load took, failed ones included.',
} as const;

/** What a cache counts, with requests told apart by how they were answered. */
export function cacheSnapshot(cache: ObservedCache): Snapshot {
  const { hits, misses, staleHits, joined, loads, loadErrors, size, ...rest } = cache.getMetrics();
  return {
    counters: {
      hit: hits - staleHits,
      stale: staleHits,
      miss: misses - joined,
      joined,
      loads,
      'load.errors': loadErrors,
      'load.time': rest.loadTimeMs / 1000,
      evictions: rest.evictions,
      expirations: rest.expirations,
      'tier.hits': rest.tierHits,
      'tier.errors': rest.tierErrors,
    },
    levels: { 'entry.count': size },
  };
}

/** Of what a tier tells, what is known here. */
export function tierSnapshot(tier: ObservedTier): Snapshot {
  const told = tier.getMetrics() as Readonly<Record<string, unknown>>;
  const numbers = (names: readonly string[], prefix = ''): Record<string, number> => {
    const known = names.filter((name) => ['number', 'boolean'].includes(typeof told[name]));
    return Object.fromEntries(known.map((name) => [prefix + name, Number(told[name])]));
  };
  return {
    counters: numbers(TIER_EVENTS),
    levels: numbers(['down', 'coherent', 'unsent'], 'tier.'),
  };
}

function counter(
  subject: Definition['subject'],
  name: string,
  unit: string,
  help: string,
): Definition {
  return {
    ...level(subject, name, unit, help),
    kind: 'counter',
    prometheus: `acache_${name.replace('.', '_')}_total`,
  };
}

function level(
  subject: Definition['subject'],
  name: string,
  unit: string,
  help: string,
): Definition {
  return {
    subject,
    kind: 'level',
    prometheus: `acache_${name.replace('.', '_')}`,
    opentelemetry: `acache.${name}`,
    unit,
    help,
    series: [{ of: name }],
  };
}
