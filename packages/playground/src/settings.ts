import {
  describeValue,
  InvalidOptionError,
  toMilliseconds,
  ttlToMilliseconds,
  type Duration,
  type Ttl,
} from '@acache/core';

/** What the page drives: a decorated function, a cache by itself, or a cache with a batch loader. */
export type Kind = 'AsyncTTL' | 'AsyncLRU' | 'AsyncCache' | 'batch';

export const KINDS: readonly Kind[] = ['AsyncTTL', 'AsyncLRU', 'AsyncCache', 'batch'];

/** How the cache of a playground is set up. */
export interface Settings {
  readonly kind: Kind;
  readonly maxSize: number | null;
  readonly policy: 'lru' | 'tinylfu';
  readonly ttl: Ttl;
  readonly staleWhileRevalidate: Duration;
  readonly staleIfError: Duration;
  /** Of `findItem(connection, id)`; for the decorators. */
  readonly skipArgs: number;
  /** Of the batches. */
  readonly window: Duration;
  readonly maxBatchSize: number;
}

/** How the database behind it behaves. */
export interface Backend {
  /** Milliseconds that a load takes. */
  readonly latency: number;
  /** The share of loads that fail, 0 to 1. */
  readonly failures: number;
}

export const DEFAULT_SETTINGS: Settings = {
  kind: 'AsyncTTL',
  maxSize: 128,
  policy: 'lru',
  ttl: '60s',
  staleWhileRevalidate: 0,
  staleIfError: 0,
  skipArgs: 1,
  window: 5,
  maxBatchSize: 100,
};

export const DEFAULT_BACKEND: Backend = { latency: 50, failures: 0 };

/** Longer than this nobody waits for a page to answer. */
const LONGEST_WINDOW = 5000;
const LONGEST_LATENCY = 10_000;

/**
 * The settings that a page sent.
 *
 * @throws InvalidOptionError for what cannot be meant
 */
export function readSettings(given: unknown): Settings {
  const fields = fieldsOf(given, 'settings');
  const all: Record<string, unknown> = { ...DEFAULT_SETTINGS, ...fields };
  const { kind, policy, maxSize, skipArgs, maxBatchSize } = all;
  if (!KINDS.includes(kind as Kind)) throw wrong('kind', `one of ${KINDS.join(', ')}`, kind);
  if (policy !== 'lru' && policy !== 'tinylfu') throw wrong('policy', 'lru or tinylfu', policy);
  if (maxSize !== null && !isWhole(maxSize, 0, 1_000_000)) {
    throw wrong('maxSize', 'a whole number from 0 to 1000000, or nothing for no bound', maxSize);
  }
  // The function of the playground has two arguments, and the second says what is looked for.
  if (!isWhole(skipArgs, 0, 1)) throw wrong('skipArgs', '0 or 1', skipArgs);
  if (!isWhole(maxBatchSize, 1, 100_000)) {
    throw wrong('maxBatchSize', 'a whole number from 1 to 100000', maxBatchSize);
  }
  const ttl = all.ttl as Ttl;
  ttlToMilliseconds(ttl);
  const window = durationIn(fields, 'window');
  if (toMilliseconds(window, 'window') > LONGEST_WINDOW) {
    throw wrong('window', `at most ${LONGEST_WINDOW} ms on this page`, window);
  }
  return {
    kind: kind as Kind,
    maxSize,
    policy,
    ttl,
    staleWhileRevalidate: durationIn(fields, 'staleWhileRevalidate'),
    staleIfError: durationIn(fields, 'staleIfError'),
    skipArgs,
    window,
    maxBatchSize,
  };
}

/**
 * What a page wants of the database.
 *
 * @throws InvalidOptionError for what cannot be meant
 */
export function readBackend(given: unknown): Backend {
  const all: Record<string, unknown> = { ...DEFAULT_BACKEND, ...fieldsOf(given, 'backend') };
  const { latency, failures } = all;
  if (!isWhole(latency, 0, LONGEST_LATENCY)) {
    throw wrong('latency', `a whole number of ms, at most ${LONGEST_LATENCY}`, latency);
  }
  if (typeof failures !== 'number' || !(failures >= 0 && failures <= 1)) {
    throw wrong('failures', 'a share from 0 to 1', failures);
  }
  return { latency, failures };
}

/** @throws InvalidOptionError when it is no object */
export function fieldsOf(given: unknown, what: string): Record<string, unknown> {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    return given as Record<string, unknown>;
  }
  throw wrong(what, 'an object', given);
}

export function isWhole(given: unknown, least: number, most: number): given is number {
  return Number.isInteger(given) && (given as number) >= least && (given as number) <= most;
}

export function wrong(name: string, expected: string, got: unknown): InvalidOptionError {
  return new InvalidOptionError(`${name} must be ${expected}, got ${describeValue(got)}`);
}

function durationIn(
  fields: Record<string, unknown>,
  name: 'window' | 'staleWhileRevalidate' | 'staleIfError',
): Duration {
  const duration = (fields[name] ?? DEFAULT_SETTINGS[name]) as Duration;
  toMilliseconds(duration, name);
  return duration;
}
