import type { CacheEventName, CacheMetrics } from '@acache/core';

/** Something that happened to a cache. */
export interface SeenEvent {
  /** Grows by one with each event that is shown. */
  readonly at: number;
  readonly event: CacheEventName;
  /** The key, or a number that stands for it; `null` where it is of no key. */
  readonly key: string | null;
  /** The tags of an invalidation, the state of a tier, the source of an error. */
  readonly detail: string | null;
}

/** A key that was seen of late. */
export interface SeenKey {
  readonly key: string;
  /** Whether memory holds a fresh value. */
  readonly fresh: boolean;
  /** Where values are shown; `null` where there is none. */
  readonly value: string | null;
  /** Milliseconds since something happened to it last. */
  readonly seen: number;
}

/** One cache at an instant. */
export interface CacheSnapshot {
  readonly name: string;
  readonly metrics: CacheMetrics;
  /** Some of what happened of late, the last first. */
  readonly events: readonly SeenEvent[];
  /** Where keys are shown; else `null`. */
  readonly keys: readonly SeenKey[] | null;
}

/** What the page of an inspector is told each time it asks. */
export interface InspectorSnapshot {
  readonly title: string;
  readonly at: number;
  readonly caches: readonly CacheSnapshot[];
  readonly showsKeys: boolean;
  readonly showsValues: boolean;
}
