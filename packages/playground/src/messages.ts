import type { CacheMetrics } from '@acache/core';
import type { Burst } from './burst.js';
import type { CheckResult } from './checks/check.js';
import type { LatencyStatistics } from './latencies.js';
import type { EntryPage } from './ledger.js';
import type { Backend, Settings } from './settings.js';

/** What does not change many times a second. */
export interface State {
  readonly settings: Settings;
  readonly backend: Backend;
  /** How the settings would be written. */
  readonly code: string;
  readonly redis: 'none' | 'connecting' | 'up' | 'down';
  /** The path of the file, where there is one. */
  readonly file: string | null;
  /** Why the file is not used, where it is not. */
  readonly fileProblem: string | null;
}

/** The cache at an instant. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly metrics: CacheMetrics;
  /** Of the calls since the last sample; `null` when there were none. */
  readonly latency: LatencyStatistics | null;
}

/** How far something is that takes a while. */
export interface Progress {
  readonly what: 'run' | 'warmup' | 'verify';
  readonly title: string;
  readonly done: number;
  readonly total: number;
  readonly running: boolean;
}

/** Something that happened, for the log. */
export interface LogLine {
  readonly at: number;
  readonly kind: 'did' | 'error' | 'tier';
  readonly text: string;
}

/** What the live stream of a playground is made of. */
export type Message =
  | { readonly type: 'state'; readonly state: State }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'entries'; readonly page: EntryPage }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'burst'; readonly burst: Burst }
  | { readonly type: 'check'; readonly result: CheckResult }
  | { readonly type: 'log'; readonly line: LogLine };
