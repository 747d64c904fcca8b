import { checkedIdOf } from './cache-key.js';
import type { CacheParts } from './cache-parts.js';
import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';
import type { Loader } from './loader.js';
import type { Query } from './query.js';
import type { Reads } from './read.js';
import type { Request } from './request.js';
import { snapshotKey } from './snapshot-key.js';

/** Loads that a warm-up runs at once, unless told otherwise. */
const CONCURRENCY = 8;

/** What is to be in the cache: a loader for each key. */
export type WarmupEntries<K, V> =
  // The keys of a record are texts.
  | (string extends K ? Readonly<Record<string, Loader<K, V>>> : never)
  | ReadonlyMap<K, Loader<K, V>>
  | Iterable<readonly [K, Loader<K, V>]>;

export interface WarmupProgress<K> {
  /** Keys that are through, whether loaded, there already, or failed. */
  readonly done: number;
  readonly total: number;
  /** The key that has just got through. */
  readonly key: K;
  /** Why it failed, where it did. */
  readonly error?: unknown;
}

export interface WarmupOptions<K> {
  /**
   * Loads that run at once.
   * @defaultValue `8`
   */
  concurrency?: number;
  /** Called after each key. */
  onProgress?: (progress: WarmupProgress<K>) => void;
}

/** What a warm-up did. */
export interface WarmupReport<K> {
  readonly loaded: number;
  readonly alreadyCached: number;
  readonly failures: readonly { readonly key: K; readonly error: unknown }[];
}

/**
 * Loads what is not there yet, a few keys at a time. A loader that fails is reported and stops
 * nothing; loads are shared with the gets that run.
 */
export async function warmup<K, V>(
  { events, tier }: CacheParts<K, V>,
  reads: Reads<K, V>,
  request: Request<K, V>,
  entries: WarmupEntries<K, V>,
  options: WarmupOptions<K> = {},
): Promise<WarmupReport<K>> {
  const queries = queriesOf(entries, request, tier);
  const concurrency = checkConcurrency(options.concurrency);
  const failures: { key: K; error: unknown }[] = [];
  let loaded = 0;
  let alreadyCached = 0;
  let done = 0;

  const report = (progress: Omit<WarmupProgress<K>, 'done' | 'total'>): void => {
    done++;
    try {
      options.onProgress?.({ done, total: queries.length, ...progress });
    } catch (error) {
      events.report(error, 'listener', progress.key);
    }
  };
  const warm = async (query: Query<K, V>): Promise<void> => {
    const { key } = query;
    try {
      const { source } = reads.fromMemory(query) ?? (await reads.result(query));
      if (source === 'loader') loaded++;
      else alreadyCached++;
    } catch (error) {
      failures.push({ key, error });
      report({ key, error });
      return;
    }
    report({ key });
  };

  const waiting = queries.values();
  const worker = async (): Promise<void> => {
    for (const query of waiting) await warm(query);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, queries.length) }, worker));
  return { loaded, alreadyCached, failures };
}

function queriesOf<K, V>(
  entries: WarmupEntries<K, V>,
  request: Request<K, V>,
  tier: object | undefined,
): Query<K, V>[] {
  if (typeof entries !== 'object' || (entries as unknown) === null) {
    throw new InvalidOptionError(
      `warmup takes a record, a Map or an iterable of [key, loader], got ${describeValue(entries)}`,
    );
  }
  const pairs: Iterable<readonly [K, Loader<K, V>]> = isIterable(entries)
    ? entries
    : (Object.entries(entries) as unknown as [K, Loader<K, V>][]);
  return Array.from(pairs, ([key, loader]) => {
    if (typeof loader === 'function') {
      return { id: checkedIdOf(key, tier), key: snapshotKey(key), loader, request, counted: false };
    }
    throw new InvalidOptionError(
      `warmup needs a loader for each key, got ${describeValue(loader)} for ${describeValue(key)}`,
    );
  });
}

function isIterable<T>(value: unknown): value is Iterable<T> {
  return typeof (value as Partial<Iterable<T>>)[Symbol.iterator] === 'function';
}

function checkConcurrency(concurrency = CONCURRENCY): number {
  if (concurrency === Infinity || (Number.isInteger(concurrency) && concurrency > 0)) {
    return concurrency;
  }
  throw new InvalidOptionError(
    `concurrency must be a whole number of at least 1, got ${describeValue(concurrency)}`,
  );
}
