import { checkedIdOf, type KeyId } from './cache-key.js';
import type { GetManyOptions, LoadMany } from './cache-options.js';
import { BulkLoad } from './bulk-load.js';
import { describeValue } from './describe-value.js';
import { InvalidOptionError } from './errors.js';
import type { CacheParts } from './cache-parts.js';
import type { Loader } from './loader.js';
import type { Query } from './query.js';
import type { Reads, Reply } from './read.js';
import type { ReadResult } from './read-result.js';
import { loaderOf, plainRequest, resolveRequest, type Request } from './request.js';
import { snapshotKey } from './snapshot-key.js';

/** What the read of a key brought; `undefined` for a key that is nowhere. */
type Found<V> = { readonly value: V } | { readonly error: unknown } | undefined;

/**
 * Reads many keys: from memory, by the loads that run, and the rest by one call of `loadMany`.
 *
 * @throws (rejects) with the first error in key order, once all others are stored
 */
export async function getMany<K, V>(
  parts: CacheParts<K, V>,
  reads: Reads<K, V>,
  keys: Iterable<K>,
  options: LoadMany<K, V> | GetManyOptions<K, V> = {},
): Promise<Map<K, V>> {
  const ids = Array.from(checkKeys(keys), (key) => [checkedIdOf(key, parts.tier), key] as const);
  const { request, loader, dispatch } = planOf(parts, options);
  request.signal?.throwIfAborted();
  const patience = reads.patience(request);
  const outcomes = new Outcomes<V>();
  for (const [id, key] of ids) {
    if (outcomes.found.has(id)) continue;
    outcomes.found.set(id, undefined);
    const query: Query<K, V> = {
      id,
      key: parts.tier === undefined ? key : snapshotKey(key),
      loader,
      request,
      counted: true,
    };
    const held = reads.fromMemory(query);
    if (held !== undefined) outcomes.found.set(id, held);
    else reads.wait(query, outcomes.replyFor(id), patience);
  }
  dispatch();
  await outcomes.all();
  return collect(ids, outcomes.found);
}

/** What becomes of the keys of one call. One promise for all of them: a bulk may have thousands. */
class Outcomes<V> {
  readonly found = new Map<KeyId, Found<V>>();
  #awaited = 0;
  #allCame: (() => void) | undefined;

  /** Takes a key on whose outcome comes later. */
  replyFor(id: KeyId): Reply<V> {
    this.#awaited++;
    return new KeyReply(this, id);
  }

  came(id: KeyId, outcome: Found<V>): void {
    this.found.set(id, outcome);
    this.#awaited--;
    if (this.#awaited === 0) this.#allCame?.();
  }

  /** Never rejects, so that one key's error does not hide what becomes of the others. */
  all(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#awaited === 0) resolve();
      else this.#allCame = resolve;
    });
  }
}

class KeyReply<V> implements Reply<V> {
  readonly #outcomes: Outcomes<V>;
  readonly #id: KeyId;

  constructor(outcomes: Outcomes<V>, id: KeyId) {
    this.#outcomes = outcomes;
    this.#id = id;
  }

  answer(result: ReadResult<V | undefined>): void {
    const found = result.source === undefined ? undefined : (result as ReadResult<V>);
    this.#outcomes.came(this.#id, found);
  }

  refuse(error: unknown): void {
    this.#outcomes.came(this.#id, { error });
  }
}

function collect<K, V>(
  ids: readonly (readonly [KeyId, K])[],
  found: ReadonlyMap<KeyId, Found<V>>,
): Map<K, V> {
  const values = new Map<K, V>();
  for (const [id, key] of ids) {
    const outcome = found.get(id);
    if (outcome === undefined) continue;
    if ('error' in outcome) throw outcome.error;
    values.set(key, outcome.value);
  }
  return values;
}

interface Plan<K, V> {
  readonly request: Request<K, V>;
  readonly loader: Loader<K, V> | undefined;
  /** Begins the bulk load, once all keys have been asked for. */
  readonly dispatch: () => void;
}

function planOf<K, V>(
  { options: usual }: CacheParts<K, V>,
  given: LoadMany<K, V> | GetManyOptions<K, V>,
): Plan<K, V> {
  if (typeof given === 'function') return bulkPlan(given, plainRequest(usual));
  if (typeof given !== 'object' || (given as unknown) === null) {
    throw new InvalidOptionError(
      `the second argument of getMany must be a loadMany function or options, got ${describeValue(given)}`,
    );
  }
  const request = resolveRequest(given, usual);
  const loader = loaderOf(given, usual.batcher);
  if (given.loadMany !== undefined) return bulkPlan(given.loadMany, request);
  return { request, loader, dispatch: () => undefined };
}

function bulkPlan<K, V>(loadMany: LoadMany<K, V>, request: Request<K, V>): Plan<K, V> {
  const missing = new BulkLoad(loadMany);
  // What is refreshed behind a stale value is not missing: it goes by itself.
  const stale = new BulkLoad(loadMany);
  return {
    request,
    loader: (key, context) => (context.background ? stale : missing).load(key, context),
    dispatch: () => {
      void missing.dispatch();
      void stale.dispatch();
    },
  };
}

function checkKeys<K>(keys: Iterable<K>): Iterable<K> {
  const iterator = (keys as Partial<Iterable<K>> | null | undefined)?.[Symbol.iterator];
  if (typeof keys !== 'string' && typeof iterator === 'function') return keys;
  throw new InvalidOptionError(
    `getMany takes the keys as an array or another iterable, got ${describeValue(keys)}`,
  );
}
